package source_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/source"
)

func parse(t testing.TB, mapping string) *source.Mapping {
	t.Helper()
	m, err := source.Parse([]byte(mapping))
	if err != nil {
		t.Fatalf("Parse(%s): %v", mapping, err)
	}
	return m
}

func TestReadyMappingsAndDefault(t *testing.T) {
	mappings := map[string]string{"the default": source.Default}
	for _, name := range source.Ready() {
		raw, ok := source.ReadyMapping(name)
		if !ok {
			t.Fatalf("no ready mapping %q", name)
		}
		mappings[name] = string(raw)
		mappings["based on "+name] = `{"ready":"` + name + `","id":null,"keep":{"x":"/x"}}`
	}
	if len(mappings) < 3 {
		t.Fatal("there are no ready mappings")
	}
	for name, raw := range mappings {
		m, err := source.Parse([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := parse(t, string(m.JSON())); string(again.JSON()) != string(m.JSON()) {
			t.Errorf("%s: parsed from its own JSON it is another:\n%s\n%s", name, m.JSON(), again.JSON())
		}
	}
	if _, ok := source.ReadyMapping("../ready"); ok {
		t.Error("ReadyMapping left its folder")
	}
}

func TestMapLiteLLM(t *testing.T) {
	m := parse(t, `{"ready":"litellm"}`)
	line := m.Map([]byte(`{"status":"success","litellm_call_id":"c1","end_user":"victim","endTime":1795846276.085116,
		"metadata":{"user_api_key_team_id":"acme/eu","user_api_key_alias":""},"response_cost":1.35e-05,
		"prompt_tokens":10,"completion_tokens":20.0,
		"model_group":"gpt","messages":[{"content":"secret"}]}`))
	const want = `{"cost":1.35e-05,"end_user":"victim","id":"c1","model":"gpt","source":"litellm","status":"success","team":"acme/eu",` +
		`"time":"2026-11-28T06:11:16.085116Z","tokens_in":10,"tokens_out":20,"type":"llm.call"}`
	if line.Outcome != source.Mapped || line.Log != "team-acme~2Feu" || string(line.Event) != want || line.Key != "" {
		t.Errorf("%+v\n%s\nwant %s", line, line.Event, want)
	}
	if e, err := event.Parse(line.Event); err != nil || e.Key != "litellm c1" {
		t.Errorf("%+v, %v", e, err)
	}
}
