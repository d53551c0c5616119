package views_test

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/viewtest"
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
		for view, d := range fleet {
			event, err := d.Event(1, data)
			if err != nil {
				return // the server does not take it
			}
			event.Time = time
			session := d.start(t, memoryState{})
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
		"window=month&timezone=Asia/Gaza&group_by=*&team=search&rolling=366&from=0040-01-01&to=0050-01-01", "uncounted=&format=json",
		"window=minute&from=0001-01-01T00:00:00Z&to=9998-12-31T23:59:00Z&aggregation=p99.999,latest&missing=team&format=csv&limit=1&" +
			"offset=999999999",
		"time=2025-03-01T12:05:30.123+02:00", "time=9998-12-31T23:59:59-23:59", "minutes=1440&time=0001-01-01T00:00:00Z",
	} {
		f.Add(query)
	}
	fleet := deployAll(f)
	states := map[string]memoryState{}
	for view, d := range fleet {
		states[view] = d.foldAll(f, [][]byte{
			[]byte(`{"model":"gpt-4","team":"search","tokens_in":150}`), []byte(`{"model":"\"\u0001","team":"","tokens_in":-0.5}`),
		}).State
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

// meterOfAll is a meter that keeps all that there is.
const meterOfAll = `{"value":"/tokens_in","unique":"/tokens_out","group_by":{"model":"/model","team":"/team"},"resolution":"minute",` +
	`"where":[{"path":"/tokens_in","not":"never","at_least":-1e17}],` +
	`"aggregations":["count","sum","min","max","average","latest","unique","p50"]}`

// quotaOfAll is a quota that limits all that there is.
const quotaOfAll = `{"limits":[{"name":"calls","window":"month","timezone":"Asia/Gaza","limit":2},` +
	`{"name":"in","aggregation":"sum","value":"/tokens_in","group_by":{"model":"/model"},"window":"day","rolling":true,"limit":"1e3",` +
	`"soft":true},{"name":"out","aggregation":"unique","value":"/tokens_out","window":"quarter","limit":1,` +
	`"where":[{"path":"/tokens_in","not":"never"}]}],` +
	`"credits":{"value":"/tokens_in","scope":"/model","group_by":{"team":"/team"},"overdraft":1,"over_reservation":"cap","history":2}}`

// FuzzConfig deploys a view with any configuration: it is accepted, and then folds, or refused.
func FuzzConfig(f *testing.F) {
	for _, config := range []string{
		`{}`, recountPrices, `{"prices":{"\ud83d\ude00\u00e9":{"tokens_in":"1","tokens_out":1e-3}}}`,
		`{"prices":{"a":{"tokens_in":[{"b":"}"}]}}}`, `[]`, `""`,
		`{"prices":{},"prices":{"*":{"tokens_in":"\u0031","tokens_out":-1}}}`, meterOfAll,
		`{"type":["a","\u0062"],"where":[{"path":"/a~1b","is":null,"in":[1,"x",true]},{"path":"/c","exists":false,"below":"1e-5"}],` +
			`"timezone":"Asia/Gaza","resolution":"day"}`,
		quotaOfAll,
		`{"credits":{"value":"/tokens_in","fields":{"amount":"/a"},"events":{"grant":"\u0067"},"soft":true,"remember":0,"history":0}}`,
		`{"limits":[{"name":"a","limit":"1e-27","window":"year","type":["b"],"rolling":true}],"limits":[]}`,
		`{"group_by":{"a":"/a","b":"/a"},"value":"/a","aggregations":["p0","p100.000"],"unique":"/a","where":[[]]}`,
	} {
		f.Add([]byte(config))
	}
	event := []byte(`{"model":"a","tokens_in":150,"tokens_out":0.5}`)
	modules := []*wasm.Module{compile(f, "cost_by_team"), compile(f, "meter"), compile(f, "quota")}
	f.Fuzz(func(t *testing.T, config []byte) {
		if jsonscan.Valid(config) != nil || len(config) > wasm.MaxConfigBytes {
			return // the server does not take it
		}
		for _, module := range modules {
			v, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: config})
			if err != nil {
				refusal(t, err)
				continue
			}
			(&deployed{v}).foldAll(t, [][]byte{event, event})
		}
	})
}

func deployAll(tb testing.TB) map[string]*deployed {
	tb.Helper()
	fleet := map[string]*deployed{}
	for view := range modules {
		if view != "quota" { // which needs one
			fleet[view] = mustDeploy(tb, view, "")
		}
	}
	fleet["cost_by_team"] = mustDeploy(tb, "cost_by_team", recountPrices)
	fleet["meter"] = mustDeploy(tb, "meter", meterOfAll)
	fleet["quota"] = mustDeploy(tb, "quota", quotaOfAll)
	return fleet
}
