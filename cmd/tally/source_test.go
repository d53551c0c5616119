package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const gatewayMapping = `{"log": "team-{/team}", "create": {}, "id": "{/id}", "keep": {"n": "/n"}, "rejects": {"raw": "whole"}}`

// TestSourceCommands: a source is put, tried, corrected and replayed from the command line.
func TestSourceCommands(t *testing.T) {
	o, _ := operate(t)
	dir := t.TempDir()
	file, payload := filepath.Join(dir, "mapping.json"), filepath.Join(dir, "payload.json")
	write(t, file, gatewayMapping)
	const sent = `{"id":"1","team":"a b","n":1.50} {"id":"2"}`
	write(t, payload, sent)

	o.fails(words("source_not_found"), "source", "show", "gateway")
	o.fails(words("there is no mapping", "--ready"), "source", "put", "gateway")
	o.fails(words("--ready and a file"), "source", "put", "gateway", file, "--ready", "litellm")
	o.fails(words("MEMBER=VALUE"), "source", "put", "gateway", file, "--set", "log")
	o.fails(words("invalid_mapping", "/log"), "source", "put", "gateway", file, "--set", "log=3")
	o.succeeds(words("gateway version 1, by"), "source", "put", "gateway", file)
	o.succeeds(words("gateway version 1, by"), "source", "put", "gateway", file)
	o.succeeds(words(`"log": "team-{/team}"`), "source", "show", "gateway")
	o.succeeds(words("NAME", "gateway  1"), "source", "list")

	status, out, errs := with(t, key, o.args([]string{"source", "test", "gateway", payload})...)
	if status != 3 || !strings.Contains(out, `1     mapped    team-a~20b  1    {"id":"1","n":1.50}`) ||
		!strings.Contains(out, "no_log: ") || errs != "1 mapped, 0 skipped, 1 rejected\n" {
		t.Errorf("testing ends with %d and says\n%s%s", status, out, errs)
	}
	for range 2 {
		if _, err := o.server.post(t.Context(), "/sources/gateway/events", sent, ""); err != nil {
			t.Fatal(err)
		}
	}
	o.succeeds(words("1 rejects: 0 stored, 0 there before, 0 skipped, 1 still rejected, 0 not kept whole", "reject 1: no_log"),
		"source", "replay", "gateway")
	o.succeeds(words("gateway version 2"), "source", "put", "gateway", file,
		"--set", `log=["team-{/team}","unassigned"]`, "--set", "rejects=null")
	o.succeeds(words("1 rejects: 1 stored"), "source", "replay", "gateway")
	o.succeeds(words("1 rejects: 0 stored, 1 there before"), "source", "replay", "gateway", "--from", "1")
	o.succeeds(words("0 rejects"), "source", "replay", "gateway", "--from", "2")
	o.succeeds(words(`{"id":"2"}`), "events", "list", "unassigned", "--output", "ndjson")

	o.succeeds(words("gateway version 3"), "source", "put", "gateway", "--ready", "litellm", "--set", "log=all")
	o.succeeds(words(`"ready": "litellm"`, `"log": "all"`), "source", "show", "gateway")
	o.succeeds(words(`"log": "all"`, `"select"`), "source", "show", "gateway", "--resolved")
	o.succeeds(words("unassigned"), "source", "show", "gateway", "--version", "2")
	o.succeeds(words("gateway is deleted"), "source", "delete", "--yes", "gateway")
	o.fails(words("source_not_found"), "source", "delete", "--yes", "gateway")
	o.fails(words("version 4 deleted the source"), "source", "show", "gateway", "--version", "4")
	if got := o.succeeds(words("deleted"), "source", "versions", "gateway"); strings.Count(got, "\n") != 5 {
		t.Errorf("the versions are\n%s", got)
	}
	o.succeeds(words("source.put", "source.delete", "gateway"), "audit-log")
}

// TestSourceWithoutServer: mappings are tried, and ready ones printed, where there is no server.
func TestSourceWithoutServer(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mapping.json"), gatewayMapping)
	write(t, filepath.Join(dir, "payload.json"), `{"id":"1","team":"a","n":1.50}`)
	if err := os.WriteFile(filepath.Join(dir, "no-otlp.bin"), []byte("\xff\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	test := func(words []string, args ...string) {
		t.Helper()
		succeeds(t, dir, append([]string{"source"}, args...), words...)
	}
	refused := func(words []string, args ...string) {
		t.Helper()
		fails(t, dir, append([]string{"source"}, args...), words...)
	}
	test(words("mapped", "team-a", `{"id":"1","n":1.50}`, "1 mapped"), "test", "--mapping", "mapping.json", "payload.json")
	test(words(`"outcome": "mapped"`, `"key": "1"`), "test", "--mapping", "mapping.json", "--output", "json", "payload.json")
	test(words("acme"), "test", "--mapping", "mapping.json", "--set", "log=acme", "payload.json")
	refused(words("invalid_otlp"), "test", "--mapping", "mapping.json", "--as", "traces", "no-otlp.bin")
	refused(words("--as", "events, logs, traces"), "test", "--mapping", "mapping.json", "--as", "metrics", "payload.json")
	refused(words("invalid_mapping"), "test", "--mapping", "payload.json", "payload.json")
	refused(words("payload"), "test", "--mapping", "mapping.json", "gateway", "payload.json")
	refused(words("SOURCE is missing"), "test")
	refused(words("--set goes with"), "test", "gateway", "payload.json", "--set", "log=x")
	refused(words("reading the payload"), "test", "--mapping", "mapping.json", "nothing.json")
	test(words("litellm"), "ready")
	test(words(`"log"`), "ready", "litellm")
	refused(words("no ready mapping"), "ready", "nothing")

	cmd := exec.CommandContext(t.Context(), tally, "source", "test", "--mapping", "mapping.json")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(`{"id":"1","team":"piped"}`)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "team-piped") {
		t.Errorf("from standard input: %v\n%s", err, out)
	}
}
