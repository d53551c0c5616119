package main_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testrig"
)

// TestAudit: a log's views are as their events say; where a value was changed behind the server's back, the audit names it and fails.
func TestAudit(t *testing.T) {
	o, dsn := operate(t)
	o.append("acme", `{"model":"a","tokens_in":1}`, `{"model":"b","tokens_in":2}`, `{"model":"b","tokens_in":2}`)
	o.succeeds(nil, "view", "deploy", "acme", "totals", "--ready", "monthly_totals")
	o.succeeds(nil, "view", "deploy", "acme", "rates", "--ready", "rate_check")
	o.succeeds(words("VIEW", "totals", "rates", "ok"), "view", "audit", "acme")
	o.succeeds(words(`"ok": true`, `"view": "totals"`, `"events": 3`), "view", "audit", "acme", "totals", "--output", "json")
	o.fails(words("view_not_found"), "view", "audit", "acme", "none")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	testrig.StateToRows(t, dsn)
	const changeState = `UPDATE view_state_rows SET value = '{"tokens_in":5,"tokens_out":0}' WHERE key LIKE '%/b'`
	if _, err := conn.Exec(t.Context(), changeState); err != nil {
		t.Fatal(err)
	}
	o.changed(`{"tokens_in":5,"tokens_out":0}`, "view", "audit", "acme")
	o.changed(`"ok": false`, "view", "audit", "acme", "totals", "--output", "json")
	o.succeeds(words("rates", "ok"), "view", "audit", "acme", "rates")
	// A view that cannot be audited does not keep the others from it.
	const dropState = `UPDATE view_versions v SET state = 'dropped' FROM views w WHERE w.view_id = v.view_id AND w.name = 'rates'`
	if _, err := conn.Exec(t.Context(), dropState); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"not done", "state_not_kept", "DIFFERENT"} {
		o.changed(word, "view", "audit", "acme")
	}
	o.changed(`"ok": false`, "view", "audit", "acme", "--output", "json")
}

// changed runs an audit that must fail and show the word.
func (o *operator) changed(word string, args ...string) {
	o.t.Helper()
	if status, output := run(o.t, o.dir, o.args(args)...); status != 3 || !strings.Contains(output, word) {
		o.t.Errorf("status %d, and it says no %q but:\n%s", status, word, output)
	}
}

// TestViewPatterns: a view comes to the logs of a pattern, those that are made later too, and goes from them again.
func TestViewPatterns(t *testing.T) {
	o, _ := operate(t)
	event := `{"model":"a","tokens_in":1,"time":"2025-03-01T00:00:00Z"}`
	for _, log := range []string{"customer-a", "customer-b", "other"} {
		o.append(log, event)
	}
	o.succeeds(nil, "view", "deploy", "customer-b", "totals", "--ready", "rate_check")
	o.succeeds(words("totals version 1 on customer-*: live on 1 of 2 logs, left to their own on 1"),
		"view", "pattern", "deploy", "totals", "--logs", "customer-*", "--ready", "monthly_totals")
	o.append("customer-c", event)
	const total = `{"2025-03":{"a":{"tokens_in":1,"tokens_out":0}}}`
	for _, log := range []string{"customer-a", "customer-c"} {
		o.succeeds(words(total), "query", log, "totals")
	}
	o.fails(words("view_not_found"), "query", "other", "totals")
	o.succeeds(words("customer-*", "live on 2 of 3 logs, left to their own on 1"), "view", "pattern", "show", "totals")
	list := o.succeeds(words("customer-*", "active", "ada"), "view", "pattern", "list")
	if strings.Count(list, "\n") != 2 {
		t.Errorf("the list has other lines than a head and a view:\n%s", list)
	}
	o.succeeds(words(`"logs": "customer-*"`, `"matching": 3`), "view", "pattern", "show", "totals", "--output", "json")
	o.succeeds(words("totals stays on the logs that have it"), "view", "pattern", "retire", "--yes", "totals", "--keep")
	o.append("customer-d", event)
	o.fails(words("view_not_found"), "query", "customer-d", "totals")
	o.succeeds(words(total), "query", "customer-c", "totals")
	o.fails(words("pattern_not_found"), "view", "pattern", "retire", "--yes", "none")
	// A view that halts on one of the logs is a failure, which says where to look.
	write(t, o.dir+"/view.wasm", string(testrig.Scripted()))
	o.append("broken", testrig.ScriptEvent(testrig.Line("fail", "no")))
	o.fails(words("live on 0 of 1 logs, halted on 1", "tally view list LOG says why"),
		"view", "pattern", "deploy", "scripted", "--logs", "brok*")
}
