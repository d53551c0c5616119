package wasm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// oneValue is a State of one value that allocates nothing, so that benchmarks measure this package.
type oneValue struct{ value []byte }

func (s *oneValue) Get([]byte) ([]byte, bool, error) { return s.value, s.value != nil, nil }

func (s *oneValue) Set(_, value []byte) error {
	s.value = append(s.value[:0], value...)
	return nil
}

func (s *oneValue) Delete([]byte) error { return nil }

func (s *oneValue) Scan([]byte, []byte, int) ([]Entry, error) { return nil, nil }

// benchEvent is a metering event with four typed fields.
func benchEvent(tb testing.TB) *Event {
	tb.Helper()
	data := []byte(`{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate","tokens_in":150,` +
		`"tokens_out":420,"model":"gpt-4","team":"search","request_id":"7f3c2a9e-5b1d-4c8a"}`)
	p, err := jsonscan.Compile([]string{"/tokens_in", "/tokens_out", "/model", "/team"})
	if err != nil {
		tb.Fatal(err)
	}
	ev := &Event{Sequence: 1, Data: data, Fields: make([]jsonscan.Value, 4)}
	if err := p.Scan(data, ev.Fields); err != nil {
		tb.Fatal(err)
	}
	return ev
}

var benchValue = []byte(`{"tokens_in":1482000,"tokens_out":3291000}`)

func TestFoldAllocatesNothing(t *testing.T) {
	s := start(t, compile(t, newEngine(t), meterGuest()), "", &oneValue{value: benchValue})
	ev := benchEvent(t)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Fold(ev); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per fold", n)
	}
}

// BenchmarkFold folds an event by a get and a set of one value.
func BenchmarkFold(b *testing.B) {
	s := start(b, compile(b, newEngine(b), meterGuest()), "", &oneValue{value: benchValue})
	ev := benchEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Fold(ev); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFoldNothing is the cost of handing an event over.
func BenchmarkFoldNothing(b *testing.B) {
	s := start(b, compile(b, newEngine(b), newGuest().fold(resetArena, opConst(0))), "", &oneValue{})
	ev := benchEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Fold(ev); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewInstance is what Start costs when no instance is waiting, and after a trap.
func BenchmarkNewInstance(b *testing.B) {
	e := newEngine(b)
	for name, m := range map[string]*Module{"128KiB": compile(b, e, meterGuest()), "go": compileGo(b, e)} {
		b.Run(name, func(b *testing.B) {
			p, err := m.acquire(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			defer e.release(m)
			b.ReportAllocs()
			for b.Loop() {
				in, err := p.newInstance()
				if err != nil {
					b.Fatal(err)
				}
				if err := p.image.adopt(in); err != nil {
					b.Fatal(err)
				}
				discard(in)
			}
		})
	}
}

// BenchmarkStartClose is the cost of a pristine instance: taking one, and setting back what a fold has touched.
func BenchmarkStartClose(b *testing.B) {
	e := newEngine(b)
	modules := map[string]*Module{"go": compileGo(b, e)}
	for _, kib := range []int{64, 128, 192, 256, 512, 1024, 4096} {
		g := meterGuest()
		g.memory = append([]byte{0}, leb(kib/64)...)
		modules[fmt.Sprintf("%dKiB", kib)] = compile(b, e, g)
	}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		m := modules[name]
		ev := &Event{Sequence: 1, Data: []byte(`"count"`)}
		b.Run(name, func(b *testing.B) {
			ctx, state := context.Background(), &oneValue{}
			b.ReportAllocs()
			for b.Loop() {
				s, err := m.Start(ctx, Settings{}, state)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Fold(ev); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
		})
	}
}
