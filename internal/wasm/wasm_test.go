package wasm

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// memoryState is a State in a map. It fails with err when that is set.
type memoryState struct {
	entries map[string]string
	sets    []Entry // every call of Set, in order
	err     error
}

func newState(pairs ...string) *memoryState {
	s := &memoryState{entries: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		s.entries[pairs[i]] = pairs[i+1]
	}
	return s
}

func (s *memoryState) Get(key []byte) ([]byte, bool, error) {
	value, ok := s.entries[string(key)]
	return []byte(value), ok, s.err
}

func (s *memoryState) Set(key, value []byte) error {
	s.entries[string(key)] = string(value)
	s.sets = append(s.sets, Entry{bytes.Clone(key), bytes.Clone(value)})
	return s.err
}

func (s *memoryState) Delete(key []byte) error {
	delete(s.entries, string(key))
	return s.err
}

func (s *memoryState) Scan(prefix, after []byte, limit int) ([]Entry, error) {
	var found []Entry
	for key, value := range s.entries {
		if strings.HasPrefix(key, string(prefix)) && key > string(after) {
			found = append(found, Entry{[]byte(key), []byte(value)})
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return bytes.Compare(a.Key, b.Key) })
	return found[:min(limit, len(found))], s.err
}

func newEngine(tb testing.TB) *Engine {
	tb.Helper()
	e, err := NewEngine(context.Background(), Config{CacheDir: testCache})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		// A session that a test left open fails here instead of hanging.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		e.mu.Lock()
		open := e.sessions
		e.mu.Unlock()
		if open > 0 {
			tb.Errorf("%d sessions were left open: %v", open, e.Close(ctx))
		} else if err := e.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func compile(tb testing.TB, e *Engine, g *guest) *Module {
	tb.Helper()
	m, err := e.Compile(context.Background(), g.encode())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func start(tb testing.TB, m *Module, config string, state State) *Session {
	tb.Helper()
	s, err := m.Start(context.Background(), Settings{Config: []byte(config)}, state)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// event scans data for the module's fields, as the server does.
func event(tb testing.TB, m *Module, data string) *Event {
	tb.Helper()
	pointers, err := m.Fields(context.Background(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	compiled, err := jsonscan.Compile(pointers)
	if err != nil {
		tb.Fatal(err)
	}
	ev := &Event{Sequence: 7, Time: 8, RecordedAt: 9, Data: []byte(data), Fields: make([]jsonscan.Value, len(pointers))}
	if err := compiled.Scan(ev.Data, ev.Fields); err != nil {
		tb.Fatal(err)
	}
	return ev
}

// viewError checks that err is a *ViewError of that kind whose message contains part.
func viewError(t *testing.T, err error, kind, part string) {
	t.Helper()
	var view *ViewError
	if !errors.As(err, &view) {
		t.Fatalf("error %v, want a *ViewError", err)
	}
	if view.Kind != kind || !strings.Contains(view.Message, part) {
		t.Errorf("kind %s, message %q; want %s, …%s…", view.Kind, view.Message, kind, part)
	}
}
