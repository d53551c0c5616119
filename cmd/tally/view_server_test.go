package main_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// operator gives commands about a server.
type operator struct {
	t      *testing.T
	dir    string
	server *process
}

// operate starts a server on a database of its own.
func operate(t *testing.T) (o *operator, dsn string) {
	t.Helper()
	dsn = testdb.New(t, testdb.WithFsync()).DSN()
	return &operator{t, t.TempDir(), serving(t, nil, serve(dsn)...)}, dsn
}

func (o *operator) args(args []string) []string {
	return append(args, "--url", o.server.url, "--actor", "ada")
}

func (o *operator) succeeds(words []string, args ...string) string {
	o.t.Helper()
	return succeeds(o.t, o.dir, o.args(args), words...)
}

func (o *operator) fails(words []string, args ...string) string {
	o.t.Helper()
	output := fails(o.t, o.dir, o.args(args), words...)
	if !strings.Contains(output, "tally: ") || strings.Contains(output, "goroutine ") || strings.Contains(output, "Usage:") {
		o.t.Errorf("tally %s says more than what is wrong:\n%s", strings.Join(args, " "), output)
	}
	return output
}

// append appends events to a log, which it makes when it is not there.
func (o *operator) append(log string, events ...string) {
	o.t.Helper()
	_, _ = o.server.post(o.t.Context(), "/logs", `{"name":"`+log+`"}`, "")
	if _, err := o.server.post(o.t.Context(), "/logs/"+log+"/append_batch", strings.Join(events, "\n"), ""); err != nil {
		o.t.Fatal(err)
	}
}

func words(words ...string) []string { return words }

// TestViewDeploy: a view is deployed and asked, from a file and ready-made, with a configuration and without.
func TestViewDeploy(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", `{"model":"a","team":"t","tokens_in":1,"time":"2025-03-01T00:00:00Z"}`,
		`{"model":"b","team":"t","tokens_in":2,"time":"2025-03-01T00:00:00Z"}`)
	write(t, filepath.Join(o.dir, "view.wasm"), string(views.MonthlyTotals()))
	o.succeeds(words("monthly version 1 is live on acme, with 2 events folded"), "view", "deploy", "acme", "monthly")
	o.succeeds(words(`{"a":{"tokens_in":1,"tokens_out":0},"b":{"tokens_in":2,"tokens_out":0}}`),
		"query", "acme", "monthly", "month=2025-03")
	o.succeeds(words(`{"2025-03":{`), "query", "acme", "monthly")
	o.succeeds(words("monthly version 1 is live"), "view", "deploy", "acme", "monthly", "--module", "view.wasm") // the same again
	const prices = `{"prices":{"*":{"tokens_in":"0.5","tokens_out":"1"}}}`
	write(t, filepath.Join(o.dir, "prices.json"), prices)
	o.succeeds(words("costs version 1 is live"),
		"view", "deploy", "acme", "costs", "--ready", "cost_by_team", "--config", "@prices.json", "--gas", "1000000")
	o.succeeds(words(`"cost":"1.5"`), "query", "acme", "costs")
	list := o.succeeds(words("NAME", "monthly", "costs", "live", "1,000,000", "ada"), "view", "list", "acme")
	if strings.Count(list, "\n") != 3 {
		t.Errorf("the list has other lines than a head and two views:\n%s", list)
	}
	o.succeeds(words(`"name": "costs"`, `"status": "live"`), "view", "list", "acme", "--output", "json")

	o.fails(words("query_refused", "moth"), "query", "acme", "monthly", "moth=2025 03")
	o.fails(words("view_not_found"), "query", "acme", "none")
	o.fails(words("log_not_found"), "query", "none", "monthly")
	o.fails(words("log_not_found"), "view", "list", "none")
	o.fails(words("view_refused_config", "prices"),
		"view", "deploy", "acme", "costs", "--ready", "cost_by_team", "--config", `{"price":{}}`)
	o.fails(words("LOG is missing", "tally query LOG VIEW [QUERY]"), "query")
	o.fails(words("LOG is empty"), "query", "", "monthly")
	o.fails(words("VIEW"), "view", "deploy", "monthly")
	o.fails(words("VIEW"), "view", "pattern", "deploy")
	o.fails(words("--module", "--ready"), "view", "deploy", "acme", "monthly", "--module", "view.wasm", "--ready", "rate_check")
	o.fails(words("no ready view", "rate_check"), "view", "deploy", "acme", "monthly", "--ready", "rates")
	o.fails(words("there is no module other.wasm"), "view", "deploy", "acme", "monthly", "--module", "other.wasm")
	o.fails(words("prices.json is no WebAssembly module"), "view", "deploy", "acme", "monthly", "--module", "prices.json")
	fails(t, o.dir,
		[]string{"view", "deploy", "acme", "other", "--url", o.server.url, "--actor", strings.Repeat("x", 201)}, "invalid_actor")
}

// TestNoServer: commands explain what to do if no server answers, or another kind of server.
func TestNoServer(t *testing.T) {
	dir := t.TempDir()
	fails(t, dir, []string{"view", "list", "acme", "--url", "http://127.0.0.1:1"},
		"no server answers at http://127.0.0.1:1", "tally dev", "TALLY_URL")
	fails(t, dir, []string{"view", "list", "acme", "--url", "127.0.0.1:8080"}, `"127.0.0.1:8080" is not the address of a server`)
	fails(t, dir, []string{"view", "audit", "acme", "--url", "ftp://127.0.0.1"}, "is not the address of a server")
}

// TestViewDeployWaits: deploy waits for a version that is built in the background and shows its progress, unless --wait=false is set.
func TestViewDeployWaits(t *testing.T) {
	d := testdb.New(t, testdb.WithFsync())
	o := &operator{t, t.TempDir(), serving(t, nil, serve(d.DSN())...)}
	o.append("acme", slices.Repeat([]string{`{}`}, 1100)...)
	write(t, filepath.Join(o.dir, "view.wasm"), string(testrig.Scripted()))
	deploy := func(view string, more ...string) []string {
		return append([]string{"view", "deploy", "acme", view}, more...)
	}
	// Builds take as long as the test wants: to the server, another one has them in hand.
	hold := func() {
		d.Exec(t, "ALTER TABLE view_versions ALTER builder SET DEFAULT gen_random_uuid(), ALTER built_at SET DEFAULT 'infinity'")
	}
	release := func() {
		d.Exec(t, "ALTER TABLE view_versions ALTER builder DROP DEFAULT, ALTER built_at DROP DEFAULT")
		d.Exec(t, "UPDATE view_versions SET builder = NULL, built_at = NULL WHERE status = 'building'")
	}
	hold()
	p := start(t, func(cmd *exec.Cmd) { cmd.Dir = o.dir }, o.args(deploy("waited"))...)
	p.says("waited version 1: ", " of 1,100 events")
	release()
	if status := p.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	p.says("waited version 1 is live on acme, with 1,100 events folded")

	// Whoever does not wait, or stops waiting, does not stop the server.
	hold()
	o.succeeds(words("left version 1 is building on acme", "tally view list acme"), deploy("left", "--wait=false")...)
	o.succeeds(words("left", "building", "of 1,100"), "view", "list", "acme")
	p = start(t, func(cmd *exec.Cmd) { cmd.Dir = o.dir }, o.args(deploy("left"))...) // the same version
	p.says("left version 1: ")
	p.signal(syscall.SIGINT)
	if status := p.wait(); status != 1 {
		t.Errorf("status %d", status)
	}
	p.says("no longer waiting", "goes on building")
	release()
	o.succeeds(words("left version 1 is live on acme"), deploy("left")...)

	// A version that another one overtakes is not waited for any longer.
	hold()
	p = start(t, func(cmd *exec.Cmd) { cmd.Dir = o.dir }, o.args(deploy("overtaken"))...)
	p.says("overtaken version 1: ")
	d.Exec(t, "ALTER TABLE view_versions ALTER builder DROP DEFAULT, ALTER built_at DROP DEFAULT")
	o.succeeds(words("overtaken version 2 is live"), deploy("overtaken", "--ready", "rate_check")...)
	if status := p.wait(); status != 1 {
		t.Errorf("status %d", status)
	}
	p.says("overtaken version 1 is retired on acme", "another version was asked for")
}

// says waits until the process has printed all the words.
func (p *process) says(words ...string) {
	p.t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	deadline := time.After(patience)
	for _, word := range words {
		for !strings.Contains(p.output.String(), word) {
			select {
			case <-tick.C:
				continue
			case <-p.done:
				if strings.Contains(p.output.String(), word) {
					continue
				}
			case <-deadline:
			}
			p.t.Fatalf("it does not say %q but:\n%s", word, p.output)
		}
	}
}

// TestViewLife: a view halts, is resumed past its event, gets versions, is rolled back and retired; all of it is listed with who did it.
func TestViewLife(t *testing.T) {
	o, _ := operate(t)
	script := testrig.ScriptEvent
	o.append("acme", script(testrig.Line("set", "a", 1)), script(testrig.Line("fail", "no, thank you")),
		script(testrig.Line("set", "b", 2)))
	write(t, filepath.Join(o.dir, "view.wasm"), string(testrig.Scripted()))
	o.fails(words("scripted version 1 halted on acme at event 2", "no, thank you", "tally view resume acme scripted --skip"),
		"view", "deploy", "acme", "scripted")
	o.succeeds(words("halted", "1 of 3", "event 2:", "no, thank you"), "view", "list", "acme")
	o.fails(words("halted on acme at event 2"), "view", "resume", "acme", "scripted")
	o.succeeds(words("scripted version 1 is live on acme, with 3 events folded"),
		"view", "resume", "acme", "scripted", "--skip", "--yes", "--reason", "a test\tof ours")
	o.fails(words("view_not_halted"), "view", "resume", "acme", "scripted")

	write(t, filepath.Join(o.dir, "view.wasm"), string(views.MonthlyTotals()))
	o.succeeds(words("scripted version 2 is live"), "view", "deploy", "acme", "scripted")
	o.fails(words("version_not_found"), "view", "rollback", "acme", "scripted", "7")
	o.fails(words(`VERSION is "one"`), "view", "rollback", "acme", "scripted", "one")
	o.append("acme", script(testrig.Line("set", "c", 3)))
	o.succeeds(words("scripted version 1 is live on acme, with 4 events folded"), "view", "rollback", "acme", "scripted", "1")
	o.succeeds(words("scripted is retired on acme"), "view", "retire", "--yes", "acme", "scripted")
	o.fails(words("view_retired"), "query", "acme", "scripted")
	listed := words("NAME", "VERSION", "retired", "ACTION", "deploy", "halt", "skip", "rollback", "retire", "ada", "a test of ours")
	history := o.succeeds(listed, "view", "versions", "acme", "scripted")
	if strings.Count(history, "retired") < 2 {
		t.Errorf("not both versions are listed as retired:\n%s", history)
	}
	output := o.succeeds(nil, "view", "versions", "acme", "scripted", "--output", "json")
	if !strings.Contains(output, `"action": "rollback"`) {
		t.Errorf("as JSON:\n%s", output)
	}
}
