package main_test

import (
	"strings"
	"testing"
)

// TestQuota: credits are granted, asked about and revoked, limits refuse what the guard says, and a dry run stores nothing.
func TestQuota(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	o.succeeds(nil, "view", "deploy", "acme", "quota", "--ready", "quota", "--config",
		`{"credits": {"type": "chat", "value": "/cost", "group_by": {"team": "/team"}, "scope": "/model"},
		  "limits": [{"name": "calls", "type": "call", "window": "year", "limit": 2, "soft": true},
		             {"name": "jobs", "type": "job", "window": "year", "limit": 1}]}`)
	team := func(args ...string) []string {
		return append(append([]string{"quota"}, args...), "--account", "team=search")
	}
	o.succeeds(words("1\n", "nothing is stored"), team("grant", "acme", "25.50", "--name", "welcome", "--dry-run")...)
	welcome := team("grant", "acme", "25.50", "--name", "welcome", "--expires", "2135-01-01T00:00:00Z", "--priority", "5")
	if got := o.prints(welcome...); got != "1\n" {
		t.Errorf("the first grant is %q: a dry run was stored", got)
	}
	o.succeeds(words("2\n"), team("grant", "acme", "4", "--name", "gift", "--scope", "gpt-4", "--recurring", "month")...)
	o.fails(words("refused_by_guard", `{"reason":"grant_exists","grant":"welcome"}`), team("grant", "acme", "1", "--name", "welcome")...)
	o.fails(words("refused_by_guard", `{"reason":"amount_not_a_number"}`), team("grant", "acme", "much")...)

	o.succeeds(words("3\n"), "append", "acme", `{"type":"chat","team":"search","model":"gpt-3.5","cost":"0.25"}`)
	o.fails(words("refused_by_guard", `"reason":"credits_used_up"`, `"available":"25.25"`), "append", "acme",
		`{"type":"chat","team":"search","model":"gpt-3.5","cost":"26"}`)
	o.fails(words("refused_by_guard", "credits_used_up"), "append", "acme", "--dry-run", `{"type":"chat","team":"ads","cost":1}`)
	o.succeeds(words("4\n"), "append", "acme", `{"type":"reserve","team":"search","reservation":"req-1","amount":2}`)
	for range 2 {
		o.succeeds(nil, "append", "acme", `{"type":"call"}`)
	}
	o.succeeds(words("7\n", `tally: quota says {"over":[{"reason":"limit_reached","name":"calls"`), "append", "acme", `{"type":"call"}`)

	for _, test := range []struct {
		args []string
		want []string
	}{
		{team("balance", "acme"), words("BALANCE", "27.25", "search")},
		{team("balance", "acme", "--scope", "gpt-4", "--output", "json"), words(`"available":"27.25"`, `"scopes":[`)},
		{[]string{"quota", "balance", "acme", "--output", "csv"}, words("account.team,balance", "search,27.25")},
		{[]string{"quota", "limits", "acme"}, words("calls", "jobs")},
		{[]string{"quota", "limits", "acme", "--name", "jobs", "--output", "csv"}, words("name", "jobs", "remaining")},
		{team("grants", "acme"), words("welcome", "gift", "month")},
		{team("history", "acme", "welcome", "--limit", "1"), words("there are more: --after ")},
		{team("grants", "acme", "--limit", "1"), words("welcome", "there are more: --after welcome\n")},
		{team("grants", "acme", "--limit", "1", "--after", "welcome"), words("gift")},
		{team("reservations", "acme"), words("req-1", "RUNS OUT AT")},
		{team("history", "acme", "welcome"), words("usage", "reserve", "0.25")},
	} {
		o.succeeds(test.want, test.args...)
	}
	if got := o.prints(team("grants", "acme", "--limit", "1", "--output", "csv")...); strings.Count(got, "\n") != 2 {
		t.Errorf("a page of one grant is %q", got)
	}
	o.fails(words("--yes"), team("revoke", "acme", "welcome")...)
	o.succeeds(words("8\n"), team("revoke", "acme", "welcome", "--yes")...)
	o.succeeds(words("welcome", "revoked"), team("grants", "acme")...)
	if got := o.stored("acme"); len(got) != 8 || !strings.Contains(got[0], `"amount":"25.50"`) {
		t.Errorf("stored are %q", got)
	}

	for want, args := range map[string][]string{
		`--account "search" is not NAME=VALUE`: {"balance", "acme", "--account", "search"},
		"LOG is missing":                       {"balance"},
		"GRANT is missing":                     {"history", "acme"},
		"AMOUNT is missing":                    {"grant", "acme"},
		"view_not_found":                       {"balance", "acme", "--view", "quotas"},
		"soon":                                 {"balance", "acme", "--at", "soon"},
	} {
		o.fails(words(want), append([]string{"quota"}, args...)...)
	}
}
