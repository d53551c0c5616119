package views_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/wasm"
)

var quotaStart = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

// admit appends an event that must be admitted.
func (l *quotaLog) admit(tb testing.TB, at time.Time, format string, args ...any) {
	tb.Helper()
	data := fmt.Sprintf(format, args...)
	if o := l.append(tb, at, data); o.Status != 0 {
		tb.Fatalf("%s: %s", data, o)
	}
}

// wantRefused appends an event that must be refused so.
func (l *quotaLog) wantRefused(tb testing.TB, status int, reason string, at time.Time, data string) outcome {
	tb.Helper()
	o := l.append(tb, at, data)
	if o.Status != status || !strings.Contains(o.Answer, `{"reason":"`+reason+`"`) {
		tb.Fatalf("%s: %s; %d %s is wanted", data, o, status, reason)
	}
	return o
}

// member is a member of the answer to a question.
func (l *quotaLog) figure(tb testing.TB, query, member string) string {
	tb.Helper()
	var answer map[string]any
	text := l.ask(tb, query)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
	return fmt.Sprint(answer[member])
}

// keys counts the keys of the state that begin so.
func (l *quotaLog) keys(prefix string) (n int) {
	for key := range l.state {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

// TestQuotaGas: what ordinary events take of the 50,000,000 units of one, with the configuration read already, as it is in all but a
// session's first event.
func TestQuotaGas(t *testing.T) {
	one := newQuotaLog(t, `{"limits":[{"name":"tokens","aggregation":"sum","value":"/tokens","window":"month","limit":1000000}]}`)
	rolling := newQuotaLog(t, `{"limits":[{"name":"a","window":"hour","rolling":true,"limit":1000000}]}`)
	unique := newQuotaLog(t, `{"limits":[{"name":"a","aggregation":"unique","value":"/user","window":"month","limit":1000000}]}`)
	credits := newQuotaLog(t, `{"credits":{"type":"use","value":"/cost","group_by":{"customer":"/customer"}}}`)
	for i := range 3 {
		const grant = `{"type":"grant","customer":"acme","amount":100,"priority":%d,"expires":"2025-0%d-01T00:00:00Z"}`
		credits.admit(t, quotaStart, grant, i, 5+i)
	}
	check := func(name string, l *quotaLog, most int64) {
		t.Helper()
		t.Logf("%s: %d gas to fold", name, l.foldGas)
		if l.foldGas > most {
			t.Errorf("%s takes %d gas; at most %d are wanted", name, l.foldGas, most)
		}
	}
	at := quotaStart
	for i := range 120 {
		at = at.Add(time.Minute)
		one.admit(t, at, `{"tokens":%d}`, i)
		rolling.admit(t, at, `{"n":%d}`, i)
		unique.admit(t, at, `{"user":"u%d"}`, i)
		credits.admit(t, at, `{"type":"use","customer":"acme","cost":"0.0%d"}`, i+1)
	}
	check("a limit on a sum", one, 50_000)
	check("a rolling limit, all of whose parts are used", rolling, 250_000)
	check("a limit on unique values", unique, 100_000)
	check("credits of three grants", credits, 150_000)
	credits.admit(t, at, `{"type":"reserve","customer":"acme","reservation":"r","amount":1}`)
	check("a reservation", credits, 200_000)
	credits.admit(t, at, `{"type":"settle","customer":"acme","reservation":"r","amount":"0.5"}`)
	check("a settlement", credits, 200_000)
}

// TestQuotaHoldsManyReservations opens as many as an account may have; the next one waits, until they all run out at once.
func TestQuotaHoldsManyReservations(t *testing.T) {
	const most, ttl = 1000, 100
	l := newQuotaLog(t, `{"credits":{"type":"use","value":"/cost","history":10}}`)
	l.admit(t, quotaStart, `{"type":"grant","grant":"g","amount":%d}`, most+1)
	for i := range most {
		l.admit(t, quotaStart.Add(time.Duration(i)*time.Millisecond), `{"type":"reserve","reservation":"r%d","amount":1,"ttl":%d}`, i, ttl)
	}
	at := quotaStart.Add(2 * time.Second)
	o := l.wantRefused(t, 429, "reservations_too_many", at, `{"type":"reserve","reservation":"more","amount":"0.5"}`)
	if o.RetryAfter != ttl-2+1 {
		t.Errorf("retry after %d s", o.RetryAfter)
	}
	l.slip(t, at, `{"type":"reserve","reservation":"more","amount":"0.5"}`)
	if got := l.figure(t, "show=uncounted", "reservations_too_many"); got != "1" {
		t.Errorf("%s are uncounted", got)
	}
	l.wantRefused(t, 402, "credits_used_up", at, `{"type":"use","cost":2}`)
	later := quotaStart.Add(ttl*time.Second + time.Second)
	if got := l.figure(t, "at="+later.Format(time.RFC3339), "available"); got != fmt.Sprint(most+1) {
		t.Errorf("%s are available when all have run out", got)
	}
	l.admit(t, later, `{"type":"use","cost":%d}`, most+1)
	t.Logf("%d gas to ask the guard, %d to fold, when %d reservations run out", l.guardGas, l.foldGas, most)
	if l.guardGas > wasm.DefaultFoldGas/2 || l.foldGas > wasm.DefaultFoldGas/2 {
		t.Errorf("%d gas for the guard, %d for the fold", l.guardGas, l.foldGas)
	}
	if got := l.keys("lapse/"); got != 0 {
		t.Errorf("%d reservations are still open", got)
	}
	l.wantRefused(t, 409, "reservation_closed", later, `{"type":"settle","reservation":"r7","amount":1}`)
	// Their names are forgotten, some with each event.
	l.admit(t, later.AddDate(0, 0, 8), `{"type":"grant","amount":100}`)
	for range 20 {
		l.admit(t, later.AddDate(0, 0, 8), `{"type":"use","cost":1}`)
	}
	if forget, names := l.keys("forget/"), l.keys("reservation/"); forget != 0 || names != 0 {
		t.Errorf("%d names of %d are not forgotten", forget, names)
	}
	l.admit(t, later.AddDate(0, 0, 8), `{"type":"reserve","reservation":"r7","amount":1}`)
}

// TestQuotaHoldsManyGrants opens as many grants as an account may have, and burns all down at once.
func TestQuotaHoldsManyGrants(t *testing.T) {
	const most = 64
	l := newQuotaLog(t, `{"credits":{"type":"use","value":"/cost"}}`)
	for i := range most {
		scope := ""
		if i < 4 {
			scope = `,"scope":[` + strings.Repeat(`"`+strings.Repeat("s", 120)+`",`, 15) + `"x"]`
		}
		l.admit(t, quotaStart,
			`{"type":"grant","grant":"%s-%d","amount":"1.000000000000000000000000001","expires":"2026-01-01T00:00:00Z"%s}`,
			strings.Repeat("g", 90), i, scope)
	}
	l.wantRefused(t, 409, "grants_too_many", quotaStart, `{"type":"grant","amount":1}`)
	l.admit(t, quotaStart, `{"type":"use","cost":"60"}`)
	t.Logf("%d gas to ask the guard, %d to fold, with %d grants", l.guardGas, l.foldGas, most)
	if l.guardGas > wasm.DefaultFoldGas/4 || l.foldGas > wasm.DefaultFoldGas/4 {
		t.Errorf("%d gas for the guard, %d for the fold", l.guardGas, l.foldGas)
	}
	if got := l.figure(t, "", "balance"); got != "4.000000000000000000000000064" {
		t.Errorf("the balance is %s", got)
	}
}

// TestQuotaDropsOldValues: unique values that count no more are dropped as others come, so that their keys are about as many as those of a
// window.
func TestQuotaDropsOldValues(t *testing.T) {
	const days, users = 12, 60
	l := newQuotaLog(t, `{"limits":[{"name":"u","aggregation":"unique","value":"/user","window":"day","limit":1000000}]}`)
	for day := range days {
		for user := range users {
			l.admit(t, quotaStart.AddDate(0, 0, day), `{"user":"%x-%d"}`, (user*7919+day*104729)%65536, day)
		}
	}
	if got := l.keys("seen/"); got > 2*users {
		t.Errorf("%d values are kept of %d a day", got, users)
	}
	if got := l.keys("limit/"); got != 1 {
		t.Errorf("%d keys of a limit", got)
	}
}

// TestQuotaFoldsAlikeInAllWays folds random events, of which some would have been refused, one by one, in sessions of many and in batches.
func TestQuotaFoldsAlikeInAllWays(t *testing.T) {
	const events = 300
	for i, config := range quotaConfigs() {
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		view := replayedView(t, string(text))
		random, now := rand.New(rand.NewPCG(uint64(i), 2025)), quotaStart
		sample := replay.Sample{What: "random events"}
		for n := range events {
			now = now.Add(step(random, n))
			sample.Events = append(sample.Events, recorded(t, int64(n+1), now, quotaEvent(random, now)))
		}
		if err := replay.Rehearse(t.Context(), view, []replay.Sample{sample}, func(context.Context) {}); err != nil {
			t.Errorf("configuration %d: %v", i, err)
		}
	}
}

func replayedView(tb testing.TB, config string) replay.View {
	tb.Helper()
	module := compile(tb, "quota")
	names, err := module.Fields(tb.Context(), []byte(config))
	if err != nil {
		tb.Fatal(err)
	}
	var cache replay.FieldCache
	fields, err := cache.Of(names)
	if err != nil {
		tb.Fatal(err)
	}
	return replay.View{Module: module, Settings: wasm.Settings{Config: []byte(config)}, Fields: fields}
}

func recorded(tb testing.TB, sequence int64, at time.Time, data string) event.Recorded {
	tb.Helper()
	e, err := event.Parse([]byte(data))
	if err != nil {
		tb.Fatal(err)
	}
	return event.Recorded{Event: e, Sequence: sequence, RecordedAt: at.UnixMicro()}
}

// TestQuotaTakesAnything has events in the log whose members hold anything, recorded at any time: no guard and no fold fails, and no
// question about what has come of them.
func TestQuotaTakesAnything(t *testing.T) {
	const events = 1500
	random := rand.New(rand.NewPCG(14, 64))
	long := strings.Repeat(`é\u0001/~`, 60)
	values := []string{
		`null`, `true`, `""`, `0`, `-0`, `1`, `"1"`, `1e44`, `999999999999999999999999999999999999999999999`, `1e-27`, `1e-28`,
		`1e45`, `-1`,
		`1e999999999999999999999`, `"NaN"`, `[]`, `{}`, `["a",1,true]`, `[[1]]`, `["` + long + `"]`, `"` + long + `"`,
		`"\u0000"`, `"\ud800"`,
		`"0001-01-01T00:00:00Z"`, `"9998-12-31T23:59:59.999999Z"`, `"9999-12-31T23:59:59Z"`, `"2025-03-01T12:00:00.5+14:00"`,
		`"day"`, `"year"`,
		`31622400`, `"31622401"`, `1000`, `"model"`, `"r"`, `"s"`,
	}
	for i := range 40 {
		values = append(values, fmt.Sprintf(`"%c%s"`, 'a'+i%3, strings.Repeat(`\u0001`, i*3)))
	}
	names := []string{
		"amount", "grant", "priority", "effective", "expires", "scope", "recurring", "reservation", "ttl", "team", "model",
		"tokens_in", "tokens_out",
	}
	l := newQuotaLog(t, quotaOfAll)
	now := quotaStart
	for range events {
		event := `{"type":"` + pick(random, "grant", "grant", "revoke", "reserve", "reserve", "settle", "release", "use") + `"`
		for _, name := range names {
			if random.IntN(3) > 0 {
				event += `,"` + name + `":` + pick(random, values...)
			}
		}
		if random.IntN(2) == 0 { // often enough good in what must be
			event += `,"team":"t","amount":"` + pick(random, "1e44", "1e-27", "3") + `"`
		}
		at := now
		switch random.IntN(60) {
		case 0:
			at = time.Date(pick(random, 1, 1969, 9998, 9999, 12000), 12, 31, 23, 59, 59, 999_999_000, time.UTC)
		case 1:
			now = now.AddDate(0, random.IntN(30), 0)
		}
		l.slip(t, at, event+`}`)
	}
	for _, query := range []string{
		"", "show=limits", "show=uncounted", "team=t", "show=grants&team=t", "show=grants&team=t&closed", "show=reservations&team=t",
		"team=t&at=9998-12-31T23:59:59Z",
	} {
		if answer := l.ask(t, query); !json.Valid([]byte(answer)) {
			t.Errorf("?%s: %.300s", query, answer)
		}
	}
}

// TestQuotaAnswersAreBounded: the longest that a guard may have to say is within what it may, in a refusal and in marks.
func TestQuotaAnswersAreBounded(t *testing.T) {
	const control = `\u0001` // six bytes in an answer for one in a key
	var groups, fields []string
	for i := range 8 {
		name := strings.Repeat(fmt.Sprint(i), 64)
		groups = append(groups, `"`+name+`":"/`+name+`"`)
		fields = append(fields, `"`+name+`":"`+strings.Repeat(control, 30)+`"`)
	}
	by := `"group_by":{` + strings.Join(groups, ",") + `}`
	most := strings.Repeat("9", 45) + "." + strings.Repeat("9", 27)
	limits := make([]string, 16)
	for i := range limits {
		limits[i] = fmt.Sprintf(
			`{"name":"%s","window":"quarter","rolling":true,"limit":"0.%s1","aggregation":"sum","value":"/v","soft":true,%s}`,
			strings.Repeat(string(rune('a'+i)), 64), strings.Repeat("0", 26), by)
	}
	credits := `"credits":{"type":"use","value":"/v","scope":"/s","overdraft":"` + most + `",` + by + `}`
	event := func(kind string) string {
		return `{"type":"` + kind + `","v":"` + most + `","amount":"` + most + `","s":"` + strings.Repeat(control, 128) +
			`","reservation":"` +
			strings.Repeat(control, 128) + `",` + strings.Join(fields, ",") + `}`
	}
	for _, config := range []string{`{"limits":[` + strings.Join(limits, ",") + `],` + credits + `}`, `{` + credits + `}`} {
		l := newQuotaLog(t, config)
		longest := 0
		for _, kind := range []string{"use", "use", "reserve", "reserve", "settle", "settle", "use"} {
			o := l.slip(t, quotaStart, event(kind))
			longest = max(longest, len(o.Answer))
		}
		if longest < wasm.MaxGuardAnswerBytes/2 || longest > wasm.MaxGuardAnswerBytes {
			t.Errorf("the longest answer has %d bytes", longest)
		}
		t.Logf("the longest answer has %d bytes", longest)
	}
}
