package main_test

import (
	"path/filepath"
	"testing"
)

// TestAlert: an alert is put from a file, tried on a log, fires, is listed with how it stands, and deleted.
func TestAlert(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	o.succeeds(nil, "view", "deploy", "acme", "quota", "--ready", "quota",
		"--config", `{"limits": [{"name": "calls", "window": "year", "limit": 2}]}`)
	write(t, filepath.Join(o.dir, "alert.json"), `{"logs": "acme", "view": "quota", "question": {"show": "limits"},
		"value": "/limits/0/used", "of": "/limits/0/limit", "thresholds": ["50%", "100%"]}`)
	o.succeeds(words("calls"), "alert", "put", "calls", "alert.json")
	o.append("acme", `{"type":"call"}`)
	o.succeeds(words("50%", "true", "100%", "false"), "alert", "test", "calls", "acme")
	o.succeeds(words(`"value":"1"`, `"of":"2"`), "alert", "test", "calls", "acme", "--output", "json")
	o.eventually("fired", "alert", "crossings", "calls", "--log", "acme")
	o.succeeds(words("acme"), "alert", "show", "calls", "--only", "firing")
	o.succeeds(words("calls"), "alert", "list", "--output", "csv")

	write(t, filepath.Join(o.dir, "wrong.json"), `{"logs": "acme"}`)
	o.fails(words("invalid_alert"), "alert", "put", "calls", "wrong.json")
	o.fails(words("none.json"), "alert", "put", "calls", "none.json")
	o.fails(words("alert_not_found"), "alert", "show", "none")
	o.fails(words("--yes"), "alert", "delete", "calls")
	o.succeeds(words("calls is deleted"), "alert", "delete", "calls", "--yes")
	o.fails(words("alert_not_found"), "alert", "show", "calls")
}
