package wasm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// numberedGuest is a module of its own for each number, whose memory is mapped.
func numberedGuest(n int) *guest {
	g := globalGuest(16)
	g.data[50000] = fmt.Sprint("number ", n)
	return g
}

// collected waits until the garbage collector has collected as much as expected.
func collected(t *testing.T, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); runtime.GC() {
		if time.Since(began) > time.Minute {
			t.Fatalf("%s is never so", what)
		}
	}
}

// moduleFiles counts what this process holds open for modules: their bytes, and images of their memory; none if that cannot be told.
func moduleFiles(t *testing.T) (n int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	const descriptors = "/proc/self/fd"
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(descriptors, entry.Name()))
		if err == nil && (strings.HasSuffix(target, sourceName) || strings.Contains(target, "tally-view")) {
			n++
		}
	}
	return n
}

func (e *Engine) known() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.modules)
}

// TestModulesAreForgotten: a module that nobody holds leaves no open file and no map entry; one that is held stays usable, loaded or
// not.
func TestModulesAreForgotten(t *testing.T) {
	const modules, loaded = 30, 2
	e := engineIn(t, Config{CacheDir: testCache, MaxLoaded: loaded})
	held := compile(t, e, countGuest())
	foldOnce(t, held)
	files := moduleFiles(t)
	for i := range modules {
		m := compile(t, e, numberedGuest(i))
		s := start(t, m, "", newState())
		if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	collected(t, "that only what is in memory is known", func() bool { return e.known() <= loaded+1 })
	// Each has its bytes and the image of its memory.
	collected(t, "that files of no others are open", func() bool { return moduleFiles(t) <= files+2*loaded })
	if e.loaded(held) != nil {
		t.Error("what was not used for longest is still in memory")
	}
	if found := e.Compiled(held.id); found != held {
		t.Error("a module that is held is not found")
	}
	foldOnce(t, held)
	again := compile(t, e, numberedGuest(0)) // which was forgotten
	if e.Compiled(again.id) != again {
		t.Error("a module that was compiled again is not found")
	}
}

// TestForget: Forget unloads a module at once, unless a session uses it, and the module stays usable.
func TestForget(t *testing.T) {
	e := engineIn(t, Config{CacheDir: testCache})
	m := compile(t, e, countGuest())
	s := start(t, m, "", newState())
	if e.Forget(context.Background(), m); e.loaded(m) == nil {
		t.Error("a module in use was unloaded")
	}
	s.Close()
	if e.Forget(context.Background(), m); e.loaded(m) != nil {
		t.Error("a module that is not in use stays in memory")
	}
	foldOnce(t, m)
	e.Forget(context.Background(), m)
	m = nil
	collected(t, "that nothing is known", func() bool { return e.known() == 0 })
}
