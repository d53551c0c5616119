package access

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

func TestScopes(t *testing.T) {
	all := []string{"append", "read", "query", "deploy", "admin", "operator"}
	if got := Scopes(AllScopes).Names(); !slices.Equal(got, all) {
		t.Fatalf("all scopes are %q", got)
	}
	for set := Scopes(1); set <= AllScopes; set++ {
		names := set.Names()
		if again, err := ParseScopes(append(names, names...)); err != nil || again != set {
			t.Fatalf("%q are read as %q: %v", names, again.Names(), err)
		}
		for i, name := range all {
			one := Scopes(1 << i)
			if set.Has(one) != slices.Contains(names, name) || set.HasAny(one) != set.Has(one) {
				t.Fatalf("%q has %s: %t", names, name, set.Has(one))
			}
		}
		if set.HasAny(0) || set.Has(AllScopes) != (set == AllScopes) {
			t.Fatalf("%q", names)
		}
	}
	for _, wrong := range [][]string{nil, {""}, {"Read"}, {"read "}, {"read query"}, {"read", "write"}, {"*"}} {
		_, err := ParseScopes(wrong)
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Code != "invalid_scopes" || !strings.Contains(invalid.Detail, "operator") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestWhatCallersSee(t *testing.T) {
	token := func(logs, views []string) *Grant { return &Grant{Logs: logs, Views: views} }
	for _, c := range []struct {
		caller     Caller
		logs, not  []string
		views, nor []string
	}{
		{Caller{Logs: "*"}, []string{"a", "a*"}, nil, []string{"v"}, nil},
		{Caller{Logs: "eu-*"}, []string{"eu-", "eu-1"}, []string{"eu", "EU-1", "us-1", "us-eu-1", ""}, []string{"v"}, nil},
		{Caller{Logs: "eu-1"}, []string{"eu-1"}, []string{"eu-11", "eu"}, []string{"v"}, nil},
		{Caller{Logs: "*", Token: token([]string{"a"}, nil)}, []string{"a"}, []string{"b", "aa", ""}, []string{"v", "w"}, nil},
		{Caller{Logs: "*", Token: token(nil, nil)}, nil, []string{"a", ""}, []string{"v"}, nil},
		{Caller{Logs: "*", Token: token([]string{"*"}, []string{"*"})}, []string{"*"}, []string{"a"}, []string{"*"}, []string{"v"}},
		{
			Caller{Logs: "eu-*", Token: token([]string{"us-1", "eu-1"}, []string{"v"})},
			[]string{"eu-1"},
			[]string{"us-1", "eu-2"},
			[]string{"v"},
			[]string{"w", "", "vv"},
		},
		{Caller{}, []string{""}, []string{"a"}, []string{"v"}, nil},
	} {
		for _, log := range append(c.logs, c.not...) {
			if got := c.caller.SeesLog(log); got != slices.Contains(c.logs, log) {
				t.Errorf("%q with %+v sees the log %q: %t", c.caller.Logs, c.caller.Token, log, got)
			}
		}
		for _, view := range append(c.views, c.nor...) {
			if got := c.caller.SeesView(view); got != slices.Contains(c.views, view) {
				t.Errorf("%+v sees the view %q: %t", c.caller.Token, view, got)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		scopes  Scopes
		logs    eventlog.Pattern
		asked   Scopes
		pattern eventlog.Pattern
		want    bool
	}{
		{Admin, "*", Append | Read | Query | Deploy | Admin, "*", true},
		{Admin, "*", Read, "", true}, // stands for all
		{Admin, "*", Operator, "*", false},
		{Admin, "*", AllScopes, "eu-1", false},
		{Admin | Operator, "*", AllScopes, "*", true},
		{Admin, "eu-*", Read, "eu-*", true},
		{Admin, "eu-*", Read, "eu-1*", true},
		{Admin, "eu-*", Read, "eu-1", true},
		{Admin, "eu-*", Read, "", false},
		{Admin, "eu-*", Read, "*", false},
		{Admin, "eu-*", Read, "e*", false},
		{Admin, "eu-*", Read, "*eu-*", false},
		{Admin, "eu-*", Read, "us-1", false},
		{Admin, "eu-1", Read, "eu-*", false},
		{Admin, "eu-1", Read, "eu-1", true},
		{Admin, "*-prod", Read, "eu-*-prod", true},
		{Admin, "*-prod", Read, "*-prod*", false},
	} {
		caller := &Caller{Scopes: c.scopes, Logs: c.logs}
		err := caller.Covers(KeyRequest{Scopes: c.asked, Logs: c.pattern})
		if (err == nil) != c.want || err != nil && !errors.Is(err, ErrNotCovered) {
			t.Errorf("%q on %q covers %q on %q: %v", c.scopes.Names(), c.logs, c.asked.Names(), c.pattern, err)
		}
	}
}

// TestActingElsewhere: an operator in another tenant has its rights and that tenant's limits, and stays what it was.
func TestActingElsewhere(t *testing.T) {
	own := Caller{Tenant: uuid.New(), TenantName: "own", KeyID: "id", KeyName: "n", Scopes: AllScopes, Logs: "*", TenantLimits: []byte("1")}
	before := own
	there := own.in(Tenant{ID: uuid.New(), Name: "other", Limits: []byte("2")})
	if there.TenantName != "other" || there.Tenant == own.Tenant || string(there.TenantLimits) != "2" || !there.Elsewhere {
		t.Errorf("%+v", there)
	}
	if there.KeyID != "id" || there.KeyName != "n of own" || there.Scopes != AllScopes || there.Logs != "*" {
		t.Errorf("%+v", there)
	}
	if own.TenantName != before.TenantName || own.Tenant != before.Tenant || own.Elsewhere {
		t.Errorf("the caller itself has become %+v", own)
	}
}
