package views_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/wasm"
)

// oneValue is a state of one key that costs next to nothing, so that the benchmark measures the view.
type oneValue struct{ value []byte }

func (s *oneValue) Get([]byte) ([]byte, bool, error) { return s.value, s.value != nil, nil }

func (s *oneValue) Set(_, value []byte) error {
	s.value = append(s.value[:0], value...)
	return nil
}

func (s *oneValue) Delete([]byte) error { return nil }

func (s *oneValue) Scan([]byte, []byte, int) ([]wasm.Entry, error) { return nil, nil }

// BenchmarkFold folds one ordinary event, its fields already read, into a total that has grown.
func BenchmarkFold(b *testing.B) {
	const earlier = 1500 // events, so that the totals have the digits of a real month
	for _, view := range []string{"monthly_totals", "rate_check", "cost_by_team"} {
		b.Run(view, func(b *testing.B) {
			d := mustDeploy(b, view, recountPrices)
			session := d.start(b, &oneValue{})
			defer session.Close()
			event := d.event(b, 1, []byte(`{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate",`+
				`"tokens_in":150,"tokens_out":420,"model":"gpt-4","team":"search"}`))
			for range earlier {
				if _, err := session.Fold(event); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := session.Fold(event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
