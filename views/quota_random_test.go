package views_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func newQuotaModel(tb testing.TB, config quotaConfig) *quotaModel {
	tb.Helper()
	m := &quotaModel{wrong: map[string]int{}}
	for _, l := range config.Limits {
		most, _ := amount(l.Limit)
		m.limits = append(m.limits, &limitModel{quotaLimit: l, zone: zone(tb, l.Timezone), most: most, credits: config.Credits != nil})
	}
	if c := config.Credits; c != nil {
		m.credits = &creditsModel{
			quotaCredits: *c, zone: zone(tb, c.Timezone), overdraft: new(big.Rat), accounts: map[string]*accountModel{},
		}
		if c.Overdraft != "" {
			m.credits.overdraft, _ = amount(c.Overdraft)
		}
		if c.TTL == 0 {
			m.credits.TTL = 600
		}
	}
	return m
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// quotaEvent makes up an event; names are few, so that they meet again.
func quotaEvent(random *rand.Rand, now time.Time) string {
	event := map[string]any{"type": pick(random,
		"use", "use", "use", "use", "use", "reserve", "settle", "release", "grant", "revoke", "other")}
	if random.IntN(3) > 0 {
		event["team"] = pick[any](random, "a", "a", "b", "7", 7, true, "x/~y")
	}
	if random.IntN(3) > 0 {
		event["model"] = pick[any](random, "m", "n", 1, "1")
	}
	small := func() any {
		return pick[any](random, 1, 2, 5, "0.5", "0.25", 0, "3.75", json.RawMessage("1e1"), json.RawMessage("12.000000000000000001"))
	}
	event["v"], event["user"] = small(), fmt.Sprint(random.IntN(6))
	switch event["type"] {
	case "grant":
		event["amount"] = pick[any](random, 10, 25, "7.5", 0, 40)
		if random.IntN(2) == 0 {
			event["grant"] = fmt.Sprintf("g%d", random.IntN(30))
		}
		if random.IntN(2) == 0 {
			event["priority"] = random.IntN(3)
		}
		if random.IntN(3) == 0 {
			event["effective"] = now.Add(time.Duration(random.IntN(72)-24) * time.Hour).Truncate(time.Hour).Format(time.RFC3339)
		}
		if random.IntN(2) == 0 {
			event["expires"] = now.Add(time.Duration(random.IntN(200)+40) * time.Hour).Truncate(time.Hour).Format(time.RFC3339)
		}
		if random.IntN(3) == 0 {
			event["scope"] = pick[any](random, "m", []any{"m", "n"}, []any{1, "q"}, "1")
		}
		if random.IntN(3) == 0 {
			event["recurring"] = pick(random, "day", "day", "week", "month", "quarter", "year")
		}
	case "revoke":
		event["grant"] = fmt.Sprintf("g%d", random.IntN(30))
	case "reserve", "settle", "release":
		event["reservation"] = fmt.Sprintf("r%d", random.IntN(12))
		event["amount"] = small()
		if random.IntN(2) == 0 {
			event["ttl"] = pick[any](random, 1, 3600, "86400", 60)
		}
	}
	if random.IntN(15) == 0 {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(event)), func(name string) bool { return name == "type" })
		event[pick(random, names...)] = pick[any](random,
			nil, "x", -1, []any{}, json.RawMessage("1e60"), true, "", []any{nil}, "1e-40")
	}
	data, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// step is how much later the next event is recorded. There are busy and quiet times.
func step(random *rand.Rand, n int) time.Duration {
	if n/50%3 > 0 {
		return pick(random, 0, time.Microsecond, time.Second, 30*time.Second, 7*time.Minute, 50*time.Minute)
	}
	return pick(random, 0, time.Hour, 5*time.Hour, time.Duration(random.Int64N(int64(3*24*time.Hour))).Truncate(time.Microsecond),
		time.Duration(random.IntN(40))*24*time.Hour)
}

// compareOutcome says where the guard does not decide as the model.
func compareOutcome(got outcome, want expected) string {
	var answer map[string]any
	if got.Answer != "" {
		if err := json.Unmarshal([]byte(got.Answer), &answer); err != nil {
			return err.Error()
		}
	}
	if got.Status != want.status {
		return fmt.Sprintf("%s, the model: %d %s", got, want.status, want.reason)
	}
	if want.status != 0 {
		if answer["reason"] != want.reason {
			return fmt.Sprintf("%s, the model: %s", got, want.reason)
		}
		for name, figure := range want.figures {
			if answer[name] != figure {
				return fmt.Sprintf("%s, the model: %s is %s", got, name, figure)
			}
		}
		if got.RetryAfter != want.retry {
			return fmt.Sprintf("%s, the model: Retry-After: %d", got, want.retry)
		}
		return ""
	}
	var marked []string
	list, _ := answer["over"].([]any)
	for _, one := range list {
		of, _ := one.(map[string]any)
		marked = append(marked, fmt.Sprint(of["name"]))
	}
	if answer["credits"] != nil {
		marked = append(marked, "credits")
	}
	if !slices.Equal(marked, want.marked) {
		return fmt.Sprintf("%s, the model marks %v", got, want.marked)
	}
	return ""
}

func groupQuery(names map[string]string, place string) string {
	var query strings.Builder
	for name := range names {
		value := strings.TrimSuffix(place, "/")
		if value == none {
			query.WriteString("&missing=" + name)
		} else {
			value = strings.NewReplacer("~n", "", "~t", "true", "~1", "%2F", "~0", "~").Replace(value)
			query.WriteString("&" + name + "=" + value)
		}
	}
	return query.String()
}

// compareBalances asks for all accounts, and compares them with the model's, as of a time.
func compareBalances(t *testing.T, l *quotaLog, m *quotaModel, at time.Time) {
	t.Helper()
	for place, kept := range m.credits.accounts {
		if place == "~n7/" || place == "7/" {
			continue // one question stands for both
		}
		a := kept.clone()
		a.advance(at)
		when := "&at=" + at.UTC().Format("2006-01-02T15:04:05.999999Z") + groupQuery(m.credits.GroupBy, place)
		var balance map[string]any
		answer := l.ask(t, "show=balance"+when)
		if err := json.Unmarshal([]byte(answer), &balance); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		want := a.figures(none, at)
		want["uncharged"], want["over"] = plain(a.uncharged), fmt.Sprint(a.over)
		for name, figure := range want {
			if fmt.Sprint(balance[name]) != figure {
				t.Fatalf("%q at %s: %s is %v, the model says %s: %s\n%s", place, at, name, balance[name], figure, answer, l.state)
			}
		}
		compareGrants(t, a, at, l.ask(t, "show=grants"+when))
	}
}

func compareGrants(t *testing.T, a *accountModel, at time.Time, answer string) {
	t.Helper()
	var listed struct{ Grants []map[string]any }
	if err := json.Unmarshal([]byte(answer), &listed); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	open := 0
	for _, g := range a.grants {
		if g.closed(at) {
			continue
		}
		open++
		i := slices.IndexFunc(listed.Grants, func(of map[string]any) bool { return fmt.Sprint(of["sequence"]) == fmt.Sprint(g.sequence) })
		if i < 0 {
			t.Fatalf("grant %s is not listed: %s", g.name, answer)
		}
		for name, figure := range map[string]*big.Rat{"left": g.left, "reserved": g.held, "used": g.used, "lapsed": g.lapsed} {
			if listed.Grants[i][name] != plain(figure) {
				t.Fatalf("grant %s: %s is %v, the model says %s: %s", g.name, name, listed.Grants[i][name], plain(figure), answer)
			}
		}
	}
	if len(listed.Grants) != open {
		t.Fatalf("%d grants are listed, the model has %d open: %s", len(listed.Grants), open, answer)
	}
}

func compareUncounted(t *testing.T, l *quotaLog, m *quotaModel) {
	t.Helper()
	counts := map[string]int{}
	if err := json.Unmarshal([]byte(l.ask(t, "show=uncounted")), &counts); err != nil {
		t.Fatal(err)
	}
	delete(counts, "last_sequence")
	if !maps.Equal(counts, m.wrong) {
		t.Fatalf("uncounted is %v, the model says %v", counts, m.wrong)
	}
}

func quotaConfigs() []quotaConfig {
	team := map[string]string{"team": "/team"}
	return []quotaConfig{
		{Limits: []quotaLimit{
			{Name: "calls", Type: "use", Window: "hour", Timezone: "Asia/Kolkata", Limit: "6", GroupBy: team},
			{Name: "sum", Type: "use", Aggregation: "sum", Value: "/v", Window: "month", Timezone: "America/Havana", Limit: "60"},
			{Name: "soft", Aggregation: "sum", Value: "/v", Window: "day", Timezone: "Australia/Lord_Howe", Limit: "10.5", Soft: true},
			{
				Name: "users", Type: "use", Aggregation: "unique", Value: "/user", Window: "week", Timezone: "Europe/Berlin", Limit: "3",
				GroupBy: team,
			},
		}},
		{Limits: []quotaLimit{
			{Name: "rolling", Type: "use", Window: "hour", Rolling: true, Limit: "5"},
			{Name: "sum", Type: "use", Aggregation: "sum", Value: "/v", Window: "day", Rolling: true, Limit: "20", GroupBy: team},
			{Name: "users", Type: "use", Aggregation: "unique", Value: "/user", Window: "month", Rolling: true, Limit: "4"},
			{Name: "year", Window: "year", Timezone: "Pacific/Apia", Limit: "40", Soft: true},
			{Name: "quarter", Type: "use", Aggregation: "sum", Value: "/v", Window: "quarter", Timezone: "America/Sao_Paulo", Limit: "150"},
		}},
		{Credits: &quotaCredits{Type: "use", Value: "/v", Scope: "/model", Timezone: "Europe/Berlin", Overdraft: "3"}},
		{Credits: &quotaCredits{Type: "use", Value: "/v", GroupBy: team, Timezone: "America/Havana", OverReservation: "cap", TTL: 30}},
		{
			Limits: []quotaLimit{{Name: "sum", Type: "use", Aggregation: "sum", Value: "/v", Window: "day", Timezone: "UTC", Limit: "30"}},
			Credits: &quotaCredits{
				Type: "use", Value: "/v", GroupBy: team, Scope: "/model", Timezone: "Australia/Lord_Howe", OverReservation: "refuse",
				Overdraft: "0.5",
			},
		},
		{Credits: &quotaCredits{Value: "/v", Scope: "/model", Timezone: "UTC", Soft: true, TTL: 7200}},
	}
}

var quotaSeed uint64 = 14

// TestQuotaAgainstModel has random events appended, some against the guard's word, and compares each decision, and what is left.
func TestQuotaAgainstModel(t *testing.T) {
	const events = 1200
	for i, config := range quotaConfigs() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(i), quotaSeed))
			playQuota(t, config, random, events)
		})
	}
}

func playQuota(t *testing.T, config quotaConfig, random *rand.Rand, events int) {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	l, m := newQuotaLog(t, string(text)), newQuotaModel(t, config)
	now := time.Date(2016, 3, 1+random.IntN(200), random.IntN(24), 0, 0, 0, time.UTC) // so that it ends before zones may have changed
	statuses := map[int]int{}
	for n := range events {
		now = now.Add(step(random, n))
		event, always := quotaEvent(random, now), random.IntN(12) == 0
		want := m.append(event, now, always)
		got := l.add(t, now, event, always)
		statuses[got.Status]++
		if difference := compareOutcome(got, want); difference != "" {
			t.Fatalf("event %d at %s, %s: %s\n%s", n, now, event, difference, l.state)
		}
		if n%20 == 0 {
			compareUncounted(t, l, m)
			if m.credits != nil {
				compareBalances(t, l, m, now)
				compareBalances(t, l, m, now.Add(step(random, 0)))
			}
		}
	}
	t.Logf("%v, %d keys", statuses, len(l.state))
}
