package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestExitStatus: scripts can tell what happened by the status, without reading the message.
func TestExitStatus(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", `{"id":"a"}`)
	o.succeeds(nil, "source", "put", "gateway", "--ready", "cloudevents")
	write(t, filepath.Join(o.dir, "payload.json"), `{"none":"of it"}`)
	dead := []string{"--url", "http://127.0.0.1:1"}
	for _, test := range []struct {
		status int
		args   []string
	}{
		{0, o.args([]string{"log", "show", "acme"})},
		{0, []string{"help", "exit-codes"}},
		{1, []string{"view", "test"}}, // no module
		{1, []string{"health", "--listen", "127.0.0.1:1"}},
		{2, []string{"logs"}},
		{2, []string{"log", "shwo"}},
		{2, []string{"log", "show"}},
		{2, []string{"log", "show", "acme", "more"}},
		{2, []string{"log", "show", "acme", "--nonsense"}},
		{2, []string{"log", "show", "acme", "--output", "xml"}},
		{2, o.args([]string{"events", "list", "acme", "--limit", "0"})},
		{2, o.args([]string{"source", "delete", "gateway"})}, // nobody to ask, and no --yes
		{3, o.args([]string{"source", "test", "gateway", "payload.json"})},
		{4, o.args([]string{"append", "acme", `{"id":"a","other":1}`})},
		{4, o.args([]string{"append", "acme", `[]`})},
		{4, o.args([]string{"log", "create", "acme"})},
		{4, o.args([]string{"log", "show", "acme", "--key", "tally_wrong"})},
		{5, o.args([]string{"log", "show", "none"})},
		{5, o.args([]string{"events", "show", "acme", "2"})},
		{5, o.args([]string{"key", "show", "none"})},
		{5, o.args([]string{"log", "show", "acme", "--profile", "none"})},
		{6, append([]string{"log", "show", "acme"}, dead...)},
		{6, append([]string{"events", "tail", "acme"}, dead...)},
	} {
		status, output := run(t, o.dir, test.args...)
		if status != test.status || status > 0 && status != 3 && !strings.HasPrefix(output, "tally: ") {
			t.Errorf("tally %s ends with %d, want %d, and says %s", strings.Join(test.args, " "), status, test.status, output)
		}
	}
	status, output := newUser(t).run("", []string{"TALLY_LIMIT=many"}, o.args([]string{"events", "list", "acme"})...)
	if status != 2 || !strings.Contains(output, "TALLY_LIMIT") {
		t.Errorf("with TALLY_LIMIT=many it ends with %d, and says %s", status, output)
	}
}

// TestBatch: the lines of a file are appended in one transaction, or none is.
func TestBatch(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	write(t, filepath.Join(o.dir, "usage.ndjson"), `{"id":"a","n":1.50}`+"\n"+`{"id":"b"}`+"\n")
	write(t, filepath.Join(o.dir, "bad.ndjson"), `{"id":"c"}`+"\n"+`[]`+"\n")
	if got := o.prints("batch", "acme", "usage.ndjson"); got != "2\n" {
		t.Errorf("a batch prints %q", got)
	}
	again := o.prints("batch", "acme", "usage.ndjson", "--output", "csv")
	if got := again; got != "appended,first_sequence,last_sequence,duplicates,ahead\r\n0,1,2,2,0\r\n" {
		t.Errorf("the same again prints %q", got)
	}
	o.fails(words("2", "not_an_object"), "batch", "acme", "bad.ndjson")
	if got, err := o.piped(`{"id":"d"}`, "batch", "acme"); err != nil || !strings.HasPrefix(got, "1\n") {
		t.Errorf("from standard input: %v, %s", err, got)
	}
	o.fails(words("holds no events"), "batch", "acme", "/dev/null")
	o.fails(words("no such file"), "batch", "acme", "none")
	if got := strings.Join(o.stored("acme"), " "); got != `{"id":"a","n":1.50} {"id":"b"} {"id":"d"}` {
		t.Errorf("stored are %s", got)
	}
}
