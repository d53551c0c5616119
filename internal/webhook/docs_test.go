package webhook

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// receipt is a request to the documented receivers, and whether they are to take it.
type receipt struct {
	Name    string            `json:"name"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Genuine bool              `json:"genuine"`
}

// receipts are what the sender makes, and that with something wrong with it.
func receipts(t *testing.T) []receipt {
	t.Helper()
	secret, former, other := newSecret(), newSecret(), newSecret()
	body := `{"id":"msg_1","type":"view.halted","timestamp":"2026-11-28T12:00:00Z","data":{"error":"ü"}}`
	make := func(name string, genuine bool, at time.Time, secrets [][]byte, change func(r *receipt)) receipt {
		request, err := newSender(testConfig()).request(t.Context(), "http://127.0.0.1/", "msg_1", at, []byte(body), secrets)
		if err != nil {
			t.Fatal(err)
		}
		r := receipt{Name: name, Secret: encodeSecret(secret), Headers: map[string]string{}, Body: body, Genuine: genuine}
		for name := range request.Header {
			r.Headers[strings.ToLower(name)] = request.Header.Get(name)
		}
		if change != nil {
			change(&r)
		}
		return r
	}
	both, now := [][]byte{former, secret}, time.Now()
	return []receipt{
		make("as it is sent", true, now, [][]byte{secret}, nil),
		make("while the secret changes", true, now, both, nil),
		make("a receiver with the former secret", true, now, both, func(r *receipt) { r.Secret = encodeSecret(former) }),
		make("another's secret", false, now, both, func(r *receipt) { r.Secret = encodeSecret(other) }),
		make("another body", false, now, both, func(r *receipt) { r.Body = strings.Replace(body, "halted", "live", 1) }),
		make("another id", false, now, both, func(r *receipt) { r.Headers["webhook-id"] = "msg_2" }),
		make("an old one", false, now.Add(-6*time.Minute), both, nil),
		make("one of the future", false, now.Add(6*time.Minute), both, nil),
		make("an old one, renewed", false, now.Add(-6*time.Minute), both, func(r *receipt) {
			r.Headers["webhook-timestamp"] = "9999999999"
		}),
		make("without a signature", false, now, both, func(r *receipt) { delete(r.Headers, "webhook-signature") }),
		make("another version", false, now, both, func(r *receipt) {
			r.Headers["webhook-signature"] = strings.ReplaceAll(r.Headers["webhook-signature"], "v1,", "v2,")
		}),
		make("without a time", false, now, both, func(r *receipt) { delete(r.Headers, "webhook-timestamp") }),
		make("a time that is none", false, now, both, func(r *receipt) { r.Headers["webhook-timestamp"] = "now" }),
	}
}

// harnesses have a documented receiver judge what comes from the standard input, one line of JSON each, and print true or false for each.
var harnesses = map[string]string{
	"go": `package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
)

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r struct {
			Secret, Body string
			Headers      map[string]string
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			panic(err)
		}
		took := false
		handler, err := receive(r.Secret, func(id, kind string, data json.RawMessage) error {
			took = id == "msg_1" && kind == "view.halted" && string(data) == "{\"error\":\"ü\"}"
			return nil
		})
		if err != nil {
			panic(err)
		}
		request, answer := httptest.NewRequest("POST", "/", strings.NewReader(r.Body)), httptest.NewRecorder()
		for name, value := range r.Headers {
			request.Header.Set(name, value)
		}
		handler(answer, request)
		fmt.Println(took && answer.Code == 200)
	}
}
`,
	"python": `
import json, sys

for line in sys.stdin:
    r = json.loads(line)
    print(str(is_genuine(r["secret"], r["headers"], r["body"].encode())).lower())
`,
}

// TestReceiversInDocs runs the receivers of docs/webhooks.md. That in TypeScript is run with the TypeScript SDK's tests.
func TestReceiversInDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	var input strings.Builder
	all := receipts(t)
	for _, r := range all {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		input.Write(append(line, '\n'))
	}
	programs := map[string][]string{"go": {"go", "run"}, "python": {"python3"}}
	for kind := range maps.Keys(programs) {
		_, rest, _ := strings.Cut(string(page), "\n```"+kind+"\n")
		sample, _, found := strings.Cut(rest, "\n```\n")
		if !found {
			t.Fatalf("docs/webhooks.md has no sample in %s", kind)
		}
		dir := t.TempDir()
		write := func(name, text string) string {
			name = filepath.Join(dir, name)
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}
		command := programs[kind]
		if kind == "go" {
			command = append(command, write("receive.go", sample), write("main.go", harnesses[kind]))
		} else {
			command = append(command, write("receive.py", sample+"\n"+harnesses[kind]))
		}
		program := exec.CommandContext(t.Context(), command[0], command[1:]...)
		program.Stdin, program.Stderr = strings.NewReader(input.String()), os.Stderr
		said, err := program.Output()
		verdicts := strings.Fields(string(said))
		if err != nil || len(verdicts) != len(all) {
			t.Fatalf("%s: %v: %s", kind, err, said)
		}
		for i, r := range all {
			if (verdicts[i] == "true") != r.Genuine {
				t.Errorf("%s says %s of %s", kind, verdicts[i], r.Name)
			}
		}
	}
}

// TestTypesInDocs: docs/webhooks.md explains each type, and has the waits between tries.
func TestTypesInDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range append([]string{Test}, Types...) {
		if !strings.Contains(string(page), "\n| `"+kind+"` | ") {
			t.Errorf("docs/webhooks.md does not explain %s", kind)
		}
	}
	for _, wait := range Schedule {
		text := strings.NewReplacer("5s", "5 s", "h0m0s", " h", "m0s", " min").Replace(wait.String())
		if !strings.Contains(string(page), text) {
			t.Errorf("docs/webhooks.md does not name the wait of %s", text)
		}
	}
}
