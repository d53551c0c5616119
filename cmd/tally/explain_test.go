package main_test

import "testing"

// TestExplainAndPreview: how an event was counted, and what a view would make of it, for people and for programs.
func TestExplainAndPreview(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", `{"model":"a","tokens_in":1,"tokens":"many"}`, `{"model":"b","tokens_in":2}`, `{"type":"none"}`)
	o.succeeds(words("has no views"), "events", "explain", "acme", "1")
	o.succeeds(nil, "view", "deploy", "acme", "totals", "--ready", "monthly_totals")
	o.succeeds(words("totals version 1: applied", `/a: none → {"tokens_in":1`), "events", "explain", "acme", "1")
	o.succeeds(words("totals version 1: ignored"), "events", "explain", "acme", "3")
	o.succeeds(words(`"outcome": "applied"`, `"changes_left_out": 0`),
		"events", "explain", "acme", "2", "--view", "totals", "--output", "json")
	o.succeeds(words("view,version,status,outcome", "totals,1,live,applied,,1"), "events", "explain", "acme", "2", "--output", "csv")
	o.fails(words("view_not_found"), "events", "explain", "acme", "1", "--view", "none")
	o.fails(words("sequence_not_found"), "events", "explain", "acme", "4")
	o.fails(words("it must be a number"), "events", "explain", "acme", "first")

	const config = `{"value":"/tokens_in","aggregations":["sum"]}`
	o.succeeds(words("3 events were folded, 1 to 3", `"sum":"3"`),
		"view", "preview", "acme", "sums", "--ready", "meter", "--config", config)
	o.succeeds(words("1 events were folded, 3 to 3", "2 before them", "sum,uncounted"),
		"view", "preview", "acme", "sums", "--ready", "meter", "--config", config, "--events", "1", "--ask", "format=csv")
	o.succeeds(words("it does not answer"), "view", "preview", "acme", "sums", "--ready", "meter", "--ask", "nonsense=1")
	o.succeeds(words(`"complete": true`, `"events": 3`), "view", "preview", "acme", "sums", "--ready", "meter", "--output", "json")
	o.fails(words("ready_view_not_found"), "view", "preview", "acme", "sums", "--ready", "none")
	o.fails(words("view_not_found"), "query", "acme", "sums")
}
