package wasm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func engineIn(t *testing.T, config Config) *Engine {
	t.Helper()
	e, err := NewEngine(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// foldOnce checks that a module of countGuest works.
func foldOnce(t *testing.T, m *Module) {
	t.Helper()
	state := newState()
	s := start(t, m, "", state)
	defer s.Close()
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if state.entries["n"] != "1" {
		t.Fatalf("a fold counted %s", state.entries["n"])
	}
}

// onlyFile is the one file of the cache that matches.
func onlyFile(t *testing.T, pattern ...string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(files) != 1 {
		t.Fatalf("the cache has the files %v, %v; want one", files, err)
	}
	return files[0]
}

func fileInfo(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestCompiledCodeIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	foldOnce(t, compile(t, engineIn(t, Config{CacheDir: dir}), countGuest()))
	if mode := fileInfo(t, dir).Mode().Perm(); mode != 0o700 {
		t.Errorf("the cache folder has the mode %o", mode)
	}
	first := fileInfo(t, onlyFile(t, dir, "*", "wazero*", "*"))
	foldOnce(t, compile(t, engineIn(t, Config{CacheDir: dir}), countGuest()))
	if !os.SameFile(first, fileInfo(t, onlyFile(t, dir, "*", "wazero*", "*"))) {
		t.Error("a second engine compiled the module again")
	}
}

// What was damaged in the cache is made again, before anything of it runs.
func TestBrokenCacheIsMadeAgain(t *testing.T) {
	flip := func(path string) error {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		content[len(content)/2] ^= 1
		return os.WriteFile(path, content, 0o600)
	}
	truncate := func(path string) error { return os.Truncate(path, 40) }
	for name, damage := range map[string]struct {
		file string
		do   func(path string) error
	}{
		"code flipped":       {"wazero*/*", flip},
		"code truncated":     {"wazero*/*", truncate},
		"code removed":       {"wazero*/*", os.Remove},
		"manifest flipped":   {manifestName, flip},
		"manifest removed":   {manifestName, os.Remove},
		"manifest elsewhere": {manifestName, func(path string) error { return os.WriteFile(path, []byte("00  ../../x"), 0o600) }},
		"source flipped":     {sourceName, flip},
		"source truncated":   {sourceName, truncate},
		"source removed":     {sourceName, os.Remove},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			compile(t, engineIn(t, Config{CacheDir: dir}), countGuest())
			if err := damage.do(onlyFile(t, dir, "*", damage.file)); err != nil {
				t.Fatal(err)
			}
			e := engineIn(t, Config{CacheDir: dir})
			m := compile(t, e, countGuest())
			foldOnce(t, m)
			if !e.cache.has(m.kept.source.sum) {
				t.Error("the cache was not mended")
			}
		})
	}
}

func TestUnusableCache(t *testing.T) {
	if _, err := NewEngine(context.Background(), Config{CacheDir: "/dev/null/cache"}); err == nil ||
		!strings.Contains(err.Error(), "/dev/null/cache") {
		t.Errorf("a cache folder that cannot be made: %v", err)
	}
	// A cache that fails while modules are compiled refuses no module.
	dir := filepath.Join(t.TempDir(), "cache")
	e := engineIn(t, Config{CacheDir: dir})
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e.cache = cacheDir(filepath.Join(dir, "file"))
	if _, err := e.Compile(context.Background(), countGuest().encode()); err == nil || errors.As(err, new(*RefusedError)) {
		t.Errorf("a good module without a cache: %v", err)
	}
	e.cache = cacheDir(dir)
	foldOnce(t, compile(t, e, countGuest()))
}

func TestRefusedModulesLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	e := engineIn(t, Config{CacheDir: dir})
	refused(t, e, newGuest().fold(opConst64(0)).encode(), CodeInvalidModule, "")
	refused(t, e, newGuest().initialize(opUnreachable).encode(), CodeInitFailed, "unreachable")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the cache holds %v, %v", entries, err)
	}
	if len(e.modules) > 0 {
		t.Errorf("the engine holds %v", e.modules)
	}
}

func TestOldCacheEntriesGo(t *testing.T) {
	dir := t.TempDir()
	compile(t, engineIn(t, Config{CacheDir: dir}), countGuest())
	kept := onlyFile(t, dir, "*")
	old := compile(t, engineIn(t, Config{CacheDir: dir}), newGuest())
	gone := cacheDir(dir).folder(old.kept.source.sum)
	left := filepath.Join(dir, unfinished+"1")
	foreign := filepath.Join(dir, "somebody's")
	for path, age := range map[string]time.Duration{gone: unusedFor, left: leftBehind, foreign: 10 * unusedFor} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age - time.Minute)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	engineIn(t, Config{CacheDir: dir})
	for path, want := range map[string]bool{kept: true, foreign: true, gone: false, left: false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %t", path, err == nil)
		}
	}
}

// A module whose code left memory comes back, whatever happened to the cache meanwhile.
func TestUnloadedModulesComeBack(t *testing.T) {
	for name, happens := range map[string]func(dir string) error{
		"nothing":       func(string) error { return nil },
		"cache removed": os.RemoveAll,
		"cache emptied": empty,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			e := engineIn(t, Config{CacheDir: dir, MaxLoaded: 1})
			m := compile(t, e, countGuest())
			open := start(t, m, "", newState())
			compile(t, e, newGuest())
			if e.loaded(m) == nil {
				t.Fatal("a module in use was unloaded")
			}
			open.Close()
			compile(t, e, storeGuest())
			if e.loaded(m) != nil {
				t.Fatal("three modules are in memory; one is allowed")
			}
			if err := happens(dir); err != nil {
				t.Fatal(err)
			}
			foldOnce(t, m)
		})
	}
}

func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

func TestIdleModulesAreUnloaded(t *testing.T) {
	e := engineIn(t, Config{IdleAfter: time.Nanosecond})
	m := compile(t, e, countGuest())
	s := start(t, m, "", newState())
	e.unloadIdle()
	if e.loaded(m) == nil {
		t.Fatal("a module in use was unloaded")
	}
	s.Close()
	e.unloadIdle()
	if e.loaded(m) != nil {
		t.Fatal("an idle module was not unloaded")
	}
	foldOnce(t, m)
}

// TestNoFolderForTemporaryFiles: modules are compiled in memory, and where there is none either, the error says what to do.
func TestNoFolderForTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", "/dev/null/none")
	if runtime.GOOS == "linux" {
		e := engineIn(t, Config{})
		if !strings.HasPrefix(string(e.cache), memoryDir) {
			t.Errorf("modules are compiled in %s", e.cache)
		}
		foldOnce(t, compile(t, e, countGuest()))
		return
	}
	if _, err := NewEngine(t.Context(), Config{}); err == nil || !strings.Contains(err.Error(), "tmpfs") {
		t.Errorf("an engine without a folder: %v", err)
	}
}

// TestCacheIsBounded: modules go in the order in which they were used last, until the rest fits; never one that was used a moment ago, or
// what is no module.
func TestCacheIsBounded(t *testing.T) {
	dir := cacheDir(t.TempDir())
	const size = 1000
	name := func(n int) string { return strings.Repeat(string(rune('a'+n)), 64) }
	for n, age := range []time.Duration{3 * time.Hour, time.Hour, 0, 2 * time.Hour, 0} {
		folder := filepath.Join(string(dir), name(n))
		if err := os.MkdirAll(filepath.Join(folder, "wazero-x"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"module.wasm", "wazero-x/code"} {
			if err := os.WriteFile(filepath.Join(folder, file), make([]byte, size/2), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		used := time.Now().Add(-age)
		if err := os.Chtimes(folder, used, used); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(string(dir), "unfinished-1")
	if err := os.WriteFile(other, make([]byte, 10*size), 0o600); err != nil {
		t.Fatal(err)
	}
	left := func() (names string) {
		for n := range 5 {
			if _, err := os.Stat(filepath.Join(string(dir), name(n))); err == nil {
				names += name(n)[:1]
			}
		}
		return names
	}
	for _, step := range []struct {
		most int64
		want string
	}{{5 * size, "abcde"}, {5*size - 1, "bcde"}, {3 * size, "bce"}, {0, "ce"}} {
		if dir.bound(step.most); left() != step.want {
			t.Errorf("bounded to %d bytes, the modules %s are left, not %s", step.most, left(), step.want)
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("what is no module is gone: %v", err)
	}
}
