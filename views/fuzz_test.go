package views_test

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// FuzzFold sends any event at any time to the views: none may make one fail.
func FuzzFold(f *testing.F) {
	for _, data := range []string{
		`{"model":"gpt-4","team":"search","tokens_in":150,"tokens_out":420}`, `{"tokens_in":"-1.5e-3","model":null}`, `[]`, `7`,
		`{"tokens_in":999999999999999999999e-27,"tokens_out":1e999999999,"team":"\ud800\u0000"}`, `{"model":{},"tokens_in":0.10}`,
	} {
		f.Add(int64(1_740_823_530_000_000), []byte(data))
	}
	f.Add(int64(-1<<63), []byte(`{"tokens_in":1}`))
	f.Add(int64(1<<63-1), []byte(`{"tokens_in":1}`))
	fleet := deployAll(f)
	f.Fuzz(func(t *testing.T, time int64, data []byte) {
		if jsonscan.Valid(data) != nil {
			return // the server does not take it
		}
		for view, d := range fleet {
			state := memoryState{}
			session := d.start(t, state)
			event := d.event(t, 1, data)
			event.Time = time
			for range 2 { // the second fold reads what the first one wrote
				if _, err := session.Fold(event); err != nil {
					t.Errorf("%s: %v", view, err)
				}
			}
			session.Close()
		}
	})
}

// FuzzQuery asks the views anything: the answer is JSON or a refusal, never a trap.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "month=2025-03", "month=2025-03&team=search", "team=%00%ff%zz%4", "time=2025-03-01T10:05:30Z&minutes=5", "&=&&=",
		"time=2025-03-01T12:05:30.123+02:00", "time=9998-12-31T23:59:59-23:59", "minutes=1440&time=0001-01-01T00:00:00Z",
	} {
		f.Add(query)
	}
	fleet := deployAll(f)
	states := map[string]memoryState{}
	for view, d := range fleet {
		states[view] = memoryState{}
		d.foldAll(f, states[view], [][]byte{
			[]byte(`{"model":"gpt-4","team":"search","tokens_in":150}`), []byte(`{"model":"\"\u0001","team":"","tokens_in":-0.5}`),
		}, false)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for view, d := range fleet {
			session := d.start(t, states[view])
			_, err := session.Query(query)
			session.Close()
			if refused, ok := errors.AsType[*wasm.ViewError](err); err != nil && (!ok || refused.Kind != wasm.KindRefused) {
				t.Errorf("%s: %v", view, err)
			}
		}
	})
}

// FuzzConfig deploys cost_by_team with any configuration: it is accepted, and then folds, or refused.
func FuzzConfig(f *testing.F) {
	for _, config := range []string{
		`{}`, recountPrices, `{"prices":{"\ud83d\ude00\u00e9":{"tokens_in":"1","tokens_out":1e-3}}}`, `{"prices":{"a":{"tokens_in":[{"b":"}"}]}}}`, `[]`, `""`,
		`{"prices":{},"prices":{"*":{"tokens_in":"\u0031","tokens_out":-1}}}`,
	} {
		f.Add([]byte(config))
	}
	event := []byte(`{"model":"a","tokens_in":150,"tokens_out":0.5}`)
	d := mustDeploy(f, "cost_by_team", "")
	f.Fuzz(func(t *testing.T, config []byte) {
		if jsonscan.Valid(config) != nil || len(config) > wasm.MaxConfigBytes {
			return // the server does not take it
		}
		if _, err := d.module.Fields(t.Context(), config); err != nil {
			refusal(t, err)
			return
		}
		configured := &deployed{module: d.module, config: config, pointers: d.pointers}
		configured.foldAll(t, memoryState{}, [][]byte{event, event}, false)
	})
}

func deployAll(tb testing.TB) map[string]*deployed {
	tb.Helper()
	fleet := map[string]*deployed{}
	for view := range modules {
		fleet[view] = mustDeploy(tb, view, "")
	}
	fleet["cost_by_team"] = mustDeploy(tb, "cost_by_team", recountPrices)
	return fleet
}
