package wasm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

func opGlobalGet(i int) []byte { return append([]byte{0x23}, leb(i)...) }
func opGlobalSet(i int) []byte { return append([]byte{0x24}, leb(i)...) }

// globalGuest counts its folds in a global, where a view must not, and writes the count, below 10, as key "n". Its memory
// has so many pages, and its start function has grown it by one.
func globalGuest(pages int) *guest {
	const digitAt, keyAt = 24, 28
	g := newGuest().fold(
		opGlobalGet(0), opConst(1), opI32Add, opGlobalSet(0),
		opConst(digitAt), opGlobalGet(0), opStore(0),
		opConst(keyAt), opConst(1), opConst(digitAt), opConst(1), opCall(callSet),
		resetArena, opConst(0),
	)
	g.data[keyAt] = "n"
	g.memory = append([]byte{0}, leb(pages)...)
	start := len(g.imports) + len(g.functions)
	g.functions = append(g.functions, function{body: code(opConst(1), opMemoryGrow(), opDrop, opConst('0'), opGlobalSet(0))})
	g.sections = map[byte][]byte{
		wasmbin.SectionGlobal: code([]byte{2, 0x7f, 1}, opConst(0), opEnd, []byte{0x7e, 1}, opConst64(7), opEnd),
		wasmbin.SectionStart:  leb(start),
	}
	return g
}

// foldsCounted is what n folds of a new session of globalGuest count.
func foldsCounted(t *testing.T, m *Module, n int) string {
	t.Helper()
	state := newState()
	s := start(t, m, "", state)
	defer s.Close()
	for range n {
		if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	return state.entries["n"]
}

// Memories below and above the size from which on they are mapped.
var imageSizes = map[string]int{"copied": 1, "mapped": 16}

func TestGlobalsAreForgotten(t *testing.T) {
	for name, pages := range imageSizes {
		t.Run(name, func(t *testing.T) {
			m := compile(t, newEngine(t), globalGuest(pages))
			if mapped := m.program.image.shared != nil; mapped != (pages > 1) && canShare {
				t.Fatalf("%d pages: mapped is %t", pages, mapped)
			}
			for range 3 { // the first one on a new instance, the others on the same one
				if n := foldsCounted(t, m, 3); n != "3" {
					t.Fatalf("three folds counted %s", n)
				}
			}
			if len(m.program.spare) != 1 {
				t.Errorf("%d instances are waiting, want the one that was reset", len(m.program.spare))
			}
			other := start(t, m, "", newState()) // so that the next is a new instance
			if n := foldsCounted(t, m, 2); n != "2" {
				t.Errorf("two folds on a new instance counted %s", n)
			}
			other.Close()
		})
	}
}

// After a session every byte of memory is what it was, wherever the guest wrote.
func TestMemoryIsPristine(t *testing.T) {
	for name, pages := range imageSizes {
		t.Run(name, func(t *testing.T) {
			g := globalGuest(pages)
			g.data[40000] = "data far from the start"
			m := compile(t, newEngine(t), g)
			s := start(t, m, "", newState())
			memory, _ := s.in.memory.Read(0, s.in.memory.Size())
			want := bytes.Clone(memory)
			first := s.in
			for _, stride := range []int{70_000, 1, 5_000, 70_000, 40_000} { // few pages, all of them, and in between
				for at := 0; at < len(memory); at += stride {
					memory[at] ^= 0xff
				}
				s.Close()
				s = start(t, m, "", newState())
				if s.in != first {
					t.Fatal("the instance was not used again")
				}
				if memory, _ = s.in.memory.Read(0, s.in.memory.Size()); !bytes.Equal(memory, want) {
					t.Errorf("the memory is not what it was before each %dth byte was written to", stride)
				}
			}
			if !bytes.Contains(memory, []byte("data far from the start")) {
				t.Error("the memory has lost the module's data")
			}
		})
	}
}

// The start function runs once for a module, not for each instance, and its gas is bounded.
func TestStartFunction(t *testing.T) {
	g := globalGuest(1)
	g.functions[len(g.functions)-1].body = code(opLoop, opBr(0), opEnd)
	refused(t, newEngine(t), g.encode(), CodeInitFailed, "_initialize ran out of gas: the budget for starting the module")
}

func TestDeepStackIsThrownAway(t *testing.T) {
	// tally_fold calls itself as often as the event is long.
	g := newGuest()
	g.fold(
		opGet(0), opLoad(28), opTee(1), opIf,
		opGet(0), opGet(1), opConst(-1), opI32Add, []byte{0x36, 2, 28}, // one less to go
		opGet(0), opCall(ownFunctions+1), opDrop, opEnd, opConst(0),
	)
	m := compile(t, newEngine(t), g)
	fold := func(length int) *instance {
		s := start(t, m, "", newState())
		defer s.Close()
		if _, err := s.Fold(&Event{Data: []byte(strings.Repeat("x", length))}); err != nil {
			t.Fatal(err)
		}
		return s.in
	}
	fold(100)
	if len(m.program.spare) != 1 {
		t.Error("an instance with a small stack was thrown away")
	}
	deep := fold(20_000)
	if size, known := deep.largestStack(); !known || size <= maxStackBytes {
		t.Fatalf("a deep recursion left a stack of %d bytes (known: %t)", size, known)
	}
	if len(m.program.spare) != 0 {
		t.Error("an instance with a large stack was kept")
	}
}

// Whatever instances do, closing their engine gives all memory and files back.
func TestNothingLeaks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("maps and files are counted on Linux only")
		return
	}
	once := func() {
		e := engineIn(t, Config{CacheDir: testCache})
		for _, g := range []*guest{
			globalGuest(1), globalGuest(16), newGuest().fold(opUnreachable),
			newGuest().fold(opConst(900), opMemoryGrow(), opDrop, opConst(0)),
		} {
			m := compile(t, e, g)
			for range 3 {
				a, b := start(t, m, "", newState()), start(t, m, "", newState())
				_, _ = a.Fold(&Event{Data: []byte("{}")})
				_, _ = b.Fold(&Event{Data: []byte("{}")})
				a.Close()
				b.Close()
			}
		}
		refused(t, e, newGuest().initialize(opUnreachable).encode(), CodeInitFailed, "")
		g := newGuest()
		g.data[2<<16] = "beyond"
		refused(t, e, g.encode(), CodeInitFailed, "")
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	once() // what is made once for the process
	runtime.GC()
	maps, files, size := imageMaps(t), openFiles(t), addressSpace(t)
	for range 10 {
		once()
	}
	if now := imageMaps(t); now != maps {
		t.Errorf("maps of images: %d, before %d", now, maps)
	}
	// Each instance reserves 64 MiB; the heap may have grown by a few.
	if now := addressSpace(t); now > size+256<<20 {
		t.Errorf("address space of %d MiB, before %d", now>>20, size>>20)
	}
	if now := openFiles(t); now > files {
		t.Errorf("open files: %d, before %d", now, files)
	}
}

// imageMaps counts where this process has mapped images.
func imageMaps(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "tally-view")
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// addressSpace is how much of it this process has taken, in bytes.
func addressSpace(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages int
	if _, err := fmt.Sscan(string(text), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
