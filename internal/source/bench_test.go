package source_test

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/source"
)

// BenchmarkMap makes events of a record of LiteLLM, of 13 KB: of six of its members, and of all.
func BenchmarkMap(b *testing.B) {
	record, err := os.ReadFile("testdata/litellm.json")
	if err != nil {
		b.Fatal(err)
	}
	const start = `{"ready":"litellm","log":["customer-{/metadata/user_api_key_team_id}","customer-{/end_user}","unassigned"],`
	for _, bb := range []struct{ name, mapping string }{
		{"six", start + `"keep":{"model":"/model_group","cost":"/response_cost","tokens_out":"/completion_tokens",
			"tokens_in":{"at":"/prompt_tokens","as":"integer"},"user":"/metadata/user_api_key_user_id",
			"provider":"/custom_llm_provider"}}`},
		{"ready", `{"ready":"litellm"}`},
		{"all", `{"log":"l","id":"{/litellm_call_id}","keep":true}`},
		{"bytes", source.Default},
	} {
		b.Run(bb.name, func(b *testing.B) {
			m := parse(b, bb.mapping)
			b.SetBytes(int64(len(record)))
			b.ReportAllocs()
			for b.Loop() {
				if line := m.Map(record); line.Outcome == source.Skipped {
					b.Fatal(line)
				}
			}
		})
	}
}

// BenchmarkRejectRaw makes what the rejects log would keep of the same record: the intake has it ready for every record, since an event can
// be refused after it was mapped.
func BenchmarkRejectRaw(b *testing.B) {
	record, err := os.ReadFile("testdata/litellm.json")
	if err != nil {
		b.Fatal(err)
	}
	m := parse(b, `{"ready":"litellm"}`)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if raw, _ := m.RejectRaw(record); raw == nil {
			b.Fatal("nothing")
		}
	}
}
