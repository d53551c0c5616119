package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// same compares two JSON texts by what they mean.
func same(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("answered %s, want %s", got, want)
	}
}

// member is a string member of a JSON object.
func member(t *testing.T, object, name string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		t.Fatalf("%v: %s", err, object)
	}
	value, ok := members[name].(string)
	if !ok {
		t.Fatalf("no string %q in %s", name, object)
	}
	return value
}

// TestFirstCalls: the four calls that every reader tries first work as they are printed, by curl, without a content type: the view by its
// name, and by its module's bytes.
func TestFirstCalls(t *testing.T) {
	const module = "@../../views/dist/monthly_totals.wasm"
	p := dev(t, folder(t))
	for _, by := range []string{"name", "id"} {
		name := "customer-acme-usage-" + by
		log := member(t, p.curl("-X", "POST", "$URL/logs", "-d", `{"name": "`+name+`"}`), "log_id")
		if by == "name" {
			log = name
		}
		const event = `{"type": "api.call", "endpoint": "/v1/generate", "tokens_in": 150, "tokens_out": 420, "model": "gpt-4"}`
		const march = `{"type": "api.call", "time": "2025-03-05T12:00:00Z", "tokens_in": 740925, "tokens_out": 1645290, "model": "gpt-4"}`
		same(t, p.curl("-X", "POST", "$URL/logs/"+log+"/append", "-d", event), `{"sequence": 1}`)
		same(t, p.curl("-X", "POST", "$URL/logs/"+log+"/append", "-d", march), `{"sequence": 2}`)
		view := []string{"-d", `{"ready": "monthly_totals"}`}
		if by == "id" {
			view = []string{"--data-binary", module}
		}
		deployed := p.curl(append([]string{"-X", "POST", "$URL/logs/" + log + "/views/monthly-totals"}, view...)...)
		if id := member(t, deployed, "view_id"); len(id) != 36 {
			t.Errorf("view_id is %q", id)
		}
		same(t, p.curl("$URL/logs/"+log+"/append", "--data-binary", march+"\n"), `{"sequence": 3}`)
		same(t, p.curl("-X", "POST", "$URL/logs/"+log+"/views/monthly-totals/query?month=2025-03"),
			`{"gpt-4": {"tokens_in": 1481850, "tokens_out": 3290580}}`)
		small := strings.NewReplacer("740925", "150", "1645290", "420").Replace(march)
		same(t, p.curl("-X", "POST", "$URL/logs/"+log+"/append", "-d", small), `{"sequence": 4}`)
		same(t, p.curl("-X", "POST", "$URL/logs/"+log+"/views/monthly-totals/query?month=2025-03"),
			`{"gpt-4": {"tokens_in": 1482000, "tokens_out": 3291000}}`)
		same(t, p.curl("$URL/logs/"+log+"/views/monthly-totals/query?month=2025-03"),
			`{"gpt-4": {"tokens_in": 1482000, "tokens_out": 3291000}}`)
		// -d loses a module's line ends: the answer must say that this is no module, and not take it.
		code := member(t, p.curl("$URL/logs/"+log+"/views/broken", "-d", module), "code")
		if code != "invalid_module" && code != "not_wasm" {
			t.Errorf("a module without its line ends is %s", code)
		}
	}
	if code := member(t, p.curl("$URL/logs", "-d", `{"name": "customer-acme-usage-id"}`), "code"); code != "name_taken" {
		t.Errorf("a second log of the name: %s", code)
	}
}

// TestGreeting: the commands that tally dev prints work when they are pasted into a shell at the repository's root.
func TestGreeting(t *testing.T) {
	p := dev(t, folder(t))
	tried := 0
	for line := range strings.Lines(p.output.String()) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "curl ") {
			continue
		}
		shell := exec.CommandContext(t.Context(), "sh", "-ec",
			strings.ReplaceAll(line, "curl ", "curl --silent --show-error --fail-with-body "))
		shell.Dir, shell.Stderr = "../..", os.Stderr
		if answer, err := shell.Output(); err != nil {
			t.Errorf("%s: %v: %s", line, err, answer)
		}
		tried++
	}
	if tried < 3 {
		t.Errorf("only %d commands are printed:\n%s", tried, p.output)
	}
}

// TestOpenAPI: the file that clients are made from is what the command prints.
func TestOpenAPI(t *testing.T) {
	printed, err := exec.CommandContext(t.Context(), tally, "openapi").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../../openapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != string(printed) {
		t.Error("openapi/openapi.yaml is not what the command prints: go run ./cmd/tally openapi > openapi/openapi.yaml")
	}
}
