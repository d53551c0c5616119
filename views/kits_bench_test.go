package views_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// quickState keeps values in place, so that the benchmark measures the views.
type quickState map[string][]byte

func (s quickState) Get(key []byte) ([]byte, bool, error) {
	value, ok := s[string(key)]
	return value, ok, nil
}

func (s quickState) Set(key, value []byte) error {
	if kept, ok := s[string(key)]; ok && len(kept) == len(value) {
		copy(kept, value)
		return nil
	}
	s[string(key)] = bytes.Clone(value)
	return nil
}

func (s quickState) Delete([]byte) error { return nil }

func (s quickState) Scan([]byte, []byte, int) ([]wasm.Entry, error) { return nil, nil }

// BenchmarkKits folds the same events with the worked example of every kit, the scan of the event's JSON included. The kits take
// turns, so that whatever else the machine does falls on all alike; an iteration is one round. It reports the median and the
// lowest time of a fold.
func BenchmarkKits(b *testing.B) {
	const (
		earlier = 1500 // events, so that the totals have the digits of a real month
		folds   = 500  // in a turn: long beside reading the clock, short beside what disturbs
	)
	all := sides(b)
	samples := make([][]float64, len(all))
	fields, err := jsonscan.Compile([]string{"/model", "/tokens_in", "/tokens_out"})
	if err != nil {
		b.Fatal(err)
	}
	var events []*wasm.Event
	for _, model := range []string{"gpt-4", "gpt-4o-mini", "claude", "llama-3.1-70b"} {
		events = append(events, all[0].event(b, 1,
			[]byte(`{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate",`+
				`"tokens_in":150,"tokens_out":420,"model":"`+model+`","team":"search","request_id":"7f3c2a9e-5b1d-4c8a"}`)))
	}
	turn := func(s *side, n int) time.Duration {
		began := time.Now()
		for i := range n {
			event := events[i%len(events)]
			if err := fields.Scan(event.Data, event.Fields); err != nil {
				b.Fatal(err)
			}
			if _, err := s.session.Fold(event); err != nil {
				b.Fatalf("%s: %v", s.name, err)
			}
		}
		return time.Since(began)
	}
	for _, s := range all {
		s.session = s.start(b, quickState{})
		defer s.close()
		turn(s, earlier)
	}
	for b.Loop() {
		for i, s := range all {
			samples[i] = append(samples[i], float64(turn(s, folds).Nanoseconds())/folds)
		}
	}
	for i, s := range all {
		slices.Sort(samples[i])
		name := s.name
		if i == 0 {
			name = "ready"
		}
		b.ReportMetric(samples[i][len(samples[i])/2], name+"-ns/fold")
		b.ReportMetric(samples[i][0], name+"-lowest-ns/fold")
	}
	b.ReportMetric(0, "ns/op")
}
