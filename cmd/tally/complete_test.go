package main_test

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completes asks as a shell does, and returns what is offered.
func (u *user) completes(env []string, args ...string) []string {
	u.t.Helper()
	cmd := append([]string{"__completeNoDesc"}, args...)
	status, said := u.run("", env, cmd...)
	offered, rest, found := strings.Cut(said, ":")
	if status != 0 || !found || strings.Contains(rest, "tally:") {
		u.t.Errorf("completing %q ends with %d and says %q", args, status, said)
	}
	return strings.Fields(offered)
}

// TestCompletion: a shell completes names of what there is on the server, by the profile.
func TestCompletion(t *testing.T) {
	o, _ := operate(t)
	for _, log := range []string{"acme", "acme-2", "other"} {
		o.append(log, `{"n":1}`)
	}
	o.succeeds(nil, "view", "deploy", "acme", "usage", "--ready", "meter", "--config", `{"group_by":{"team":"/team"}}`)
	o.succeeds(nil, "view", "pattern", "deploy", "spread", "--logs", "other*", "--ready", "meter",
		"--config", `{"group_by":{"team":"/team"}}`)
	o.succeeds(nil, "source", "put", "gateway", "--ready", "cloudevents")
	o.prints("key", "create", "--name", "reports", "--scopes", "read")
	o.prints("key", "create", "--name", "gone", "--scopes", "read")
	o.succeeds(nil, "key", "revoke", "--yes", "gone")
	o.succeeds(nil, "tenant", "create", "europe")
	write(t, filepath.Join(o.dir, "alert.json"), `{"logs": "acme", "view": "usage", "value": "/rows/0/count", "thresholds": ["5"]}`)
	o.succeeds(nil, "alert", "put", "busy", "alert.json")
	o.prints("webhook", "create", "https://billing.example.com/hooks")
	_, listed, _ := strings.Cut(o.prints("webhook", "list", "--output", "csv"), "\r\n")
	webhook, _, _ := strings.Cut(listed, ",")
	_, tested, _ := strings.Cut(o.prints("webhook", "test", webhook, "--output", "csv"), "\r\n")
	delivery := strings.TrimSpace(tested)
	u := newUser(t)
	u.does(key, "login", "--url", o.server.url, "--profile", "here")
	for _, test := range []struct {
		want string
		args []string
	}{
		{"acme acme-2 other", []string{"log", "show", ""}},
		{"acme acme-2", []string{"events", "list", "a"}},
		{"usage", []string{"query", "acme", ""}},
		{"spread", []string{"query", "other", ""}},
		{"spread", []string{"view", "pattern", "show", ""}},
		{"", []string{"query", "none", ""}},
		{"", []string{"query", "acme", "usage", ""}}, // a question is the view's own
		{"gateway", []string{"source", "show", ""}},
		{"europe", []string{"tenant", "show", "eu"}},
		{"busy", []string{"alert", "crossings", ""}},
		{webhook, []string{"webhook", "show", ""}},
		{delivery, []string{"webhook", "delivery", webhook, ""}},
		{"here", []string{"profile", "use", ""}},
		{"here", []string{"log", "show", "--profile", ""}},
		{"acme acme-2", []string{"token", "create", "--log", "a"}},
		{"europe", []string{"log", "list", "--tenant", "e"}},
		{"table json csv", []string{"log", "list", "--output", ""}},
		{"show", []string{"log", "sh"}},
		{"meter", []string{"view", "deploy", "usage", "--ready", "me"}},
		{"meter", []string{"view", "ready", "me"}},
		{"litellm litellm-openmeter litellm-otel", []string{"source", "put", "new", "--ready", "litellm"}},
		{"append", []string{"key", "create", "--scopes", "ap"}},
	} {
		if got := u.completes(nil, test.args...); strings.Join(got, " ") != test.want {
			t.Errorf("completing %q offers %q, want %q", test.args, got, test.want)
		}
	}
	if got := u.completes(nil, "key", "show", ""); !slices.Contains(got, "reports") || slices.Contains(got, "gone") {
		t.Errorf("keys are completed by %q", got)
	}
	if got := u.completes([]string{"TALLY_KEY=tally_wrong"}, "log", "show", ""); len(got) > 0 {
		t.Errorf("with a wrong key it offers %q", got)
	}
}

// TestCompletionOfASilentServer: a server that takes the connection and never answers holds up no shell, and nothing is said.
func TestCompletionOfASilentServer(t *testing.T) {
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	u := newUser(t)
	for _, url := range []string{"http://" + silent.Addr().String(), "http://127.0.0.1:1", "no address"} {
		if got := u.completes([]string{"TALLY_URL=" + url}, "log", "show", ""); len(got) > 0 {
			t.Errorf("of %s it offers %q", url, got)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if script := u.does("", "completion", shell); !strings.Contains(script, "__complete") {
			t.Errorf("the script for %s is %.200q", shell, script)
		}
	}
}
