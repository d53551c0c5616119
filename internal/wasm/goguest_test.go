package wasm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// goGuest builds the view in testdata/goguest, once for all tests.
var goGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "goguest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder under the temporary one
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out,
		"main.go")
	cmd.Dir = filepath.Join("testdata", "goguest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

func compileGo(tb testing.TB, e *Engine) *Module {
	tb.Helper()
	code, err := goGuest()
	if err != nil {
		tb.Fatal(err)
	}
	m, err := e.Compile(context.Background(), code)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func ask(s *Session, what string) error {
	_, err := s.Fold(&Event{Sequence: 1, Data: []byte(`"` + what + `"`)})
	return err
}

func TestGoGuest(t *testing.T) {
	m := compileGo(t, newEngine(t))
	state := newState()
	s, err := m.Start(context.Background(), Settings{FoldGas: 20_000_000_000}, state)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, what := range []string{"count", "count", "garbage 20000", "goroutines 50", "world", "map", "count", "remember x"} {
		if err := ask(s, what); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for key, want := range map[string]string{
		"n":          `"3"`,
		"goroutines": `"1225"`,
		"remembered": `"1"`,
		"world":      `"2000-01-01T00:00:00Z args=0 env=0 open=true dir=false random=afcd1d7b39a820e2"`,
	} {
		if state.entries[key] != want {
			t.Errorf("%s is %s, want %s", key, state.entries[key], want)
		}
	}
}

func TestGoGuestFails(t *testing.T) {
	m := compileGo(t, newEngine(t))
	for _, tt := range []struct {
		what, kind, part string
		gas              int64
	}{
		{"panic 7", KindTrap, "tally_fold: panic: boom 7", 0},
		{"exit 3", KindTrap, "tally_fold: bye: the module ended itself with exit code 3", 0},
		{"garbage 100000000", KindLimit, "tally_fold ran out of gas: the budget for one event is 50000000 units", 0},
		{"grow 70000000", KindTrap, "out of memory", 1_000_000_000},
	} {
		t.Run(tt.what, func(t *testing.T) {
			viewError(t, ask(startWith(t, m, Settings{FoldGas: tt.gas}, newState()), tt.what), tt.kind, tt.part)
		})
	}
}
