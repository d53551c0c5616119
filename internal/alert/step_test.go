package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func must(t *testing.T, definition string) *Alert {
	t.Helper()
	a, err := Parse([]byte(definition))
	if err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	return a
}

// TestWindows follows readings through windows, also over a month's end on which clocks change, and one that ends without an event.
func TestWindows(t *testing.T) {
	byAnswer := must(t, `{"logs": "a", "view": "v", "value": "/n", "window": "/resets_at", "thresholds": [10, "20.0"]}`)
	byMonth := must(t, `{"logs": "a", "view": "v", "value": "/n", "window": "month", "timezone": "Europe/Berlin", "thresholds": [10]}`)
	for name, steps := range map[string][]struct {
		alert    *Alert
		at, body string
		want     string // what happens
		due      string
	}{
		"by the answer": {
			{byAnswer, "2025-03-20T00:00:00Z", `{"n": "12", "resets_at": "2025-03-31T22:00:00Z"}`, "fired 10 1", "2025-03-31T22:00:00Z"},
			{byAnswer, "2025-03-21T00:00:00Z", `{"n": "20", "resets_at": "2025-03-31T22:00:00Z"}`, "fired 20 1", "2025-03-31T22:00:00Z"},
			{
				byAnswer, "2025-03-31T22:00:00Z", `{"n": "20", "resets_at": "2025-03-31T22:00:00Z"}`,
				"resolved 10 1 window, resolved 20 1 window", "",
			},
			{byAnswer, "2025-03-31T22:00:01Z", `{"n": "21", "resets_at": "2025-03-31T22:00:00Z"}`, "", ""}, // once in each window
			{byAnswer, "2025-04-01T00:00:00Z", `{"n": "11", "resets_at": "2025-04-30T22:00:00Z"}`, "fired 10 1", "2025-04-30T22:00:00Z"},
			{
				byAnswer, "2025-05-01T00:00:00Z", `{"n": "30", "resets_at": "2025-05-31T22:00:00Z"}`,
				"resolved 10 1 window, fired 10 1, fired 20 1", "2025-05-31T22:00:00Z",
			},
		},
		"late": { // nobody looked before the window was over
			{byAnswer, "2025-03-20T00:00:00Z", `{"n": 1, "resets_at": "2025-03-31T22:00:00Z"}`, "", ""},
			{byAnswer, "2025-03-31T23:00:00Z", `{"n": 12, "resets_at": "2025-03-31T22:00:00Z"}`, "fired 10 1, resolved 10 1 window", ""},
		},
		"by the month": {
			{byMonth, "2025-03-31T21:59:59.999999Z", `{"n": 10}`, "fired 10 1", "2025-03-31T22:00:00Z"},
			{byMonth, "2025-03-31T22:00:00Z", `{"n": 10}`, "resolved 10 1 window, fired 10 1", "2025-04-30T22:00:00Z"},
			{byMonth, "2025-04-30T21:59:59Z", `{"n": 9.99}`, "resolved 10 1 value", ""},
			{byMonth, "2025-04-30T21:59:59.5Z", `{"n": 1e1}`, "fired 10 2", "2025-04-30T22:00:00Z"},
			{byMonth, "2025-10-31T22:59:59Z", `{"n": 0}`, "resolved 10 2 window", ""},
			{byMonth, "2025-10-31T23:00:00Z", `{"n": 11}`, "fired 10 1", "2025-11-30T23:00:00Z"},
		},
	} {
		now := fresh()
		for i, step := range steps {
			moment := at(t, step.alert, step.at)
			var crossings []crossing
			now, crossings = step.alert.next(now, step.alert.read(answer{body: []byte(step.body), sequence: int64(i)}, moment))
			var got []string
			for _, c := range crossings {
				text := fmt.Sprintf("%s %s %d", c.kind, c.threshold, c.round)
				if c.kind == Resolved {
					text += " " + c.reason
				}
				got = append(got, text)
			}
			due := ""
			if !now.due.IsZero() {
				due = now.due.Format(time.RFC3339)
			}
			if text := strings.Join(got, ", "); text != step.want || due != step.due || now.err != "" {
				t.Errorf("%s, step %d: %q, due %s %s; want %q, %s", name, i+1, text, due, now.err, step.want, step.due)
			}
		}
	}
}

func at(t *testing.T, a *Alert, text string) moment {
	t.Helper()
	now, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	m := moment{now: now}
	if a.calendar != "" {
		m.from, m.to = a.calendar.at(now, a.zone)
	}
	return m
}

// TestCalendar compares the windows of zones whose clocks change at midnight, at noon of nothing, and skip a day.
func TestCalendar(t *testing.T) {
	for _, c := range []struct {
		calendar                Calendar
		zone, moment, from, end string
	}{
		{Month, "UTC", "2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		{Month, "America/New_York", "2025-03-09T07:00:00Z", "2025-03-01T05:00:00Z", "2025-04-01T04:00:00Z"},
		{Day, "America/New_York", "2025-03-09T12:00:00Z", "2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z"},
		{Day, "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}, // begins at 01:00
		{Day, "Pacific/Apia", "2011-12-31T00:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},      // Dec 30 is left out
		{Week, "Europe/Berlin", "2025-03-30T12:00:00Z", "2025-03-23T23:00:00Z", "2025-03-30T22:00:00Z"},
		{Hour, "Asia/Kolkata", "2025-01-01T00:15:00Z", "2024-12-31T23:30:00Z", "2025-01-01T00:30:00Z"},
		{Minute, "UTC", "2025-01-01T00:15:59Z", "2025-01-01T00:15:00Z", "2025-01-01T00:16:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		moment, err := time.Parse(time.RFC3339, c.moment)
		if err != nil {
			t.Fatal(err)
		}
		if from, to := c.calendar.at(moment, zone); key(from) != c.from || key(to) != c.end {
			t.Errorf("%s of %s in %s: %s to %s, want %s to %s", c.calendar, c.moment, c.zone, key(from), key(to), c.from, c.end)
		}
	}
}

// TestThresholds compares decimals that no double tells apart.
func TestThresholds(t *testing.T) {
	for _, c := range []struct{ value, of, thresholds, direction, want string }{
		{"9007199254740993", "1", `["9007199254740993", "9007199254740994"]`, "at_least", "9007199254740993"},
		{`"9007199254740992.9"`, "1", `["9007199254740993"]`, "at_least", ""},
		{`"0.3"`, "1", `["0.3", "0.30000000000000000000001"]`, "at_least", "0.3"},
		{`"27021597764222979"`, "9007199254740993", `["300%", "300.00000000000001%"]`, "at_least", "300%"},
		{"1e-30", "1e-28", `["1%", "1.0000000001%"]`, "at_least", "1%"},
		{"-5", "10", `["-50%", "0"]`, "at_least", "-50%"},
		{"0", "0", `["0%", "100%", "0"]`, "at_least", "0"},
		{"1", "0", `["100%"]`, "at_least", "100%"},
		{`"10.0"`, "100", `["10%", "9.99"]`, "at_most", "10%"},
	} {
		a := must(t, fmt.Sprintf(`{"logs":"a","view":"v","value":"/n","of":"/of","thresholds":%s,"direction":%q}`,
			c.thresholds, c.direction))
		now, _ := a.next(fresh(), a.read(answer{body: fmt.Appendf(nil, `{"n":%s,"of":%s}`, c.value, c.of)}, moment{now: time.Now()}))
		if got := strings.Join(now.firing(), " "); got != c.want || now.err != "" {
			t.Errorf("%s of %s, %s: %q is firing, want %q; %s", c.value, c.of, c.thresholds, got, c.want, now.err)
		}
	}
}

// TestReadingFails: what an answer lacks is an error of the alert, which leaves thresholds as they are.
func TestReadingFails(t *testing.T) {
	a := must(t, `{"logs":"a","view":"v","value":"/n","of":"/of","window":"/w","thresholds":["80%"]}`)
	for _, body := range []string{
		`{}`, `{"n":null,"of":1}`, `{"n":true,"of":1}`, `{"n":"1 ","of":1}`, `{"n":"0x10","of":1}`, `{"n":[1],"of":1}`,
		`{"n":1}`, `{"n":1,"of":""}`, `{"n":1e9999,"of":1}`, `{"n":1,"of":1,"w":{}}`, `{"n":1,"of":1,"w":"a\u0000"}`, `[`,
	} {
		was := fresh()
		was.thresholds["80%"] = Standing{Round: 3, Firing: true}
		now, crossings := a.next(was, a.read(answer{body: []byte(body)}, moment{now: time.Now()}))
		if now.err == "" || len(crossings) > 0 || !slices.Equal(now.firing(), []string{"80%"}) || now.due.IsZero() {
			t.Errorf("%s: %+v %v", body, now, crossings)
		}
	}
}

// TestDefinitionsRefused holds definitions that cannot be against the reasons that are given.
func TestDefinitionsRefused(t *testing.T) {
	const start = `{"logs":"a","view":"v","value":"/n",`
	for body, reason := range map[string]string{
		`[]`: "cannot be read", `{`: "no JSON object", `{}`: "logs is missing", start + `"thresholds":[]}`: "1 to 16",
		start + `"thresholds":["80%"]}`: "does not say of what", start + `"thresholds":["1","1.0"]}`: "comes twice",
		start + `"thresholds":["x"]}`: "must be a percentage", start + `"thresholds":[1],"widow":"day"}`: "widow",
		start + `"thresholds":[1],"window":"year"}`:                       "must be minute",
		start + `"thresholds":[1],"timezone":"UTC"}`:                      "windows of the calendar",
		start + `"thresholds":[1],"window":"day","timezone":"Mars/Base"}`: "IANA", start + `"thresholds":[1],"direction":"up"}`: "at_most",
		start + `"thresholds":[1],"of":"half"}`: "JSON Pointer", `{"logs":"a","view":"v","value":"n","thresholds":[1]}`: "must start with",
		`{"logs":"a","view":"v","value":"/n","thresholds":[1e5000]}`:                                 "number",
		start + `"thresholds":[1],"question":{"q":"` + strings.Repeat("x", MaxQuestionBytes) + `"}}`: "query string",
	} {
		if _, err := Parse([]byte(body)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.100s: %v, want %s", body, err, reason)
		}
	}
}

// TestDefinitionsAreShownAsTexts: what says the same is shown the same, and a figure, whether it was put as a number or as a text, is a
// text, so that a client has one type for it.
func TestDefinitionsAreShownAsTexts(t *testing.T) {
	const shown = `{"logs":"a","view":"v","question":{"at":"{now}","id":"7","tag":["x","8"]},"value":"/n","absent":"0",` +
		`"of":"9007199254740993","thresholds":["80%","1e2","0.10"]}`
	for _, put := range []string{
		shown,
		`{"view": "v", "logs": "a", "thresholds": ["80%", 1e2, 0.10], "of": 9007199254740993, "absent": 0, "value": "/n", "window": null,
			"question": {"tag": ["x", 8], "id": 7, "at": ["{now}"]}, "resolve": false}`,
	} {
		a := must(t, put)
		if string(a.Definition) != shown {
			t.Errorf("%s is shown as\n%s\nand not as\n%s", put, a.Definition, shown)
		}
		if got := a.query(moment{}); got != must(t, shown).query(moment{}) {
			t.Errorf("%s asks %s", put, got)
		}
	}
}
