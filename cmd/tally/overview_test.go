package main_test

import (
	"strings"
	"testing"
)

// TestFindingLogs: logs are found by text, by labels whatever is in them, and by activity; views of all logs by their status.
func TestFindingLogs(t *testing.T) {
	o, _ := operate(t)
	o.prints("log", "ensure", "acme", "--label", "plan=gold", "--label", `"a,b=x,y"`)
	o.prints("log", "ensure", "globex", "--label", "plan=gold,region=eu")
	o.prints("log", "ensure", "initech", "--label", "plan=lead")
	for _, log := range []string{"initech", "acme"} {
		o.prints("append", log, `{"model":"m"}`)
	}
	names := func(args ...string) string {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(o.prints(append([]string{"log", "list", "--output", "csv"}, args...)...)), "\n")
		var names []string
		for _, line := range lines[1:] {
			name, _, _ := strings.Cut(line, ",")
			names = append(names, name)
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct{ args, want string }{
		{"--label plan=gold", "acme globex"},
		{"--label plan=gold,region=eu", "globex"},
		{"--label plan=gold --label region=eu", "globex"},
		{`--label "a,b=x,y"`, "acme"},
		{"--search GOLD", "acme globex"},
		{"--search tech", "initech"},
		{"--sort activity --label plan=gold", "acme globex"},
		{"--sort activity --limit 2", "acme initech"},
	} {
		if got := names(strings.Fields(c.args)...); got != c.want {
			t.Errorf("%s: %s, want %s", c.args, got, c.want)
		}
	}
	o.prints("view", "deploy", "acme", "totals", "--ready", "monthly_totals")
	if got := o.prints("view", "states", "--output", "csv"); strings.Contains(got, "acme") {
		t.Errorf("halted or building: %s", got)
	}
	o.succeeds(words("acme", "totals", "live", "monthly_totals@"), "view", "states", "--status", "live,retired", "--view", "totals")
	o.fails(words("sleepy", "invalid_parameter"), "view", "states", "--status", "sleepy")
}
