package views_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// meterByTwoGroups is the meter that docs/benchmarks.md speaks of: a sum by two groups per hour.
const meterByTwoGroups = `{"type":"api.call","value":"/tokens_out","aggregations":["sum"],"group_by":{"model":"/model","team":"/team"},` +
	`"resolution":"hour"}`

// BenchmarkMeter reads the fields of one ordinary event and folds it, as the server does for each event.
func BenchmarkMeter(b *testing.B) {
	d := mustDeploy(b, "meter", meterByTwoGroups)
	fields, err := jsonscan.Compile([]string{"/type", "/tokens_out", "/model", "/team"})
	if err != nil {
		b.Fatal(err)
	}
	session := d.start(b, &oneValue{})
	defer session.Close()
	data := []byte(`{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate","tokens_in":150,"tokens_out":420,` +
		`"model":"gpt-4","team":"search"}`)
	event := d.event(b, 1, data)
	b.ReportAllocs()
	for b.Loop() {
		if err := fields.Scan(data, event.Fields); err != nil {
			b.Fatal(err)
		}
		if _, err := session.Fold(event); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(session.GasUsed()), "gas/op")
}
