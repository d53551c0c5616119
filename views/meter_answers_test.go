package views_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// folded deploys the meter and folds events, one per line.
func folded(t *testing.T, config, events string) (*deployed, memoryState) {
	t.Helper()
	d := mustDeploy(t, "meter", config)
	return d, d.foldAll(t, lines(strings.TrimSpace(events))).State
}

// rowsOf is what an answer has from its rows on.
func rowsOf(answer string) string {
	_, rows, _ := strings.Cut(answer, `"rows":`)
	return strings.ReplaceAll(rows, `"from":null,"to":null,`, "")
}

// TestMeterTellsValuesApartByOneRule: groups, unique values and filters hold equal what conditions do.
func TestMeterTellsValuesApartByOneRule(t *testing.T) {
	d, state := folded(t, `{"unique":"/g","aggregations":["count","unique"],"group_by":{"g":"/g"}}`, `
		{"g":12}
		{"g":12.0}
		{"g":1.2e1}
		{"g":"12"}
		{"g":"12.0"}
		{"g":true}
		{"g":"true"}
		{"g":0}
		{"g":-0.0}
		{"g":null}
		{}
		{"g":"~"}
		{"g":1e400}
		{"g":10e399}
		{"g":12345678901234567890}
		{"g":1e9999999999999999999}`)
	want := `[{"group":{"g":"12.0"},"count":1,"unique":1},{"group":{"g":"12"},"count":1,"unique":1},` +
		`{"group":{"g":"true"},"count":1,"unique":1},` +
		`{"group":{"g":null},"count":2,"unique":0},{"group":{"g":"~"},"count":1,"unique":1},{"group":{"g":0},"count":2,"unique":1},` +
		`{"group":{"g":12},"count":3,"unique":1},{"group":{"g":{"number":"12345678901234567890"}},"count":1,"unique":1},` +
		`{"group":{"g":{"number":"1e400"}},"count":2,"unique":1},{"group":{"g":true},"count":1,"unique":1}]}`
	if got := rowsOf(d.ask(t, state, "group_by=g")); got != want {
		t.Errorf("the rows are\n%s\nnot\n%s", got, want)
	}
	for query, want := range map[string]string{
		"":            `[{"count":15,"unique":9}]}`,
		"g=12":        `[{"count":4,"unique":2}]}`, // the string and the number
		"g=12.00":     `[{"count":3,"unique":1}]}`,
		"g=1e400":     `[{"count":2,"unique":1}]}`,
		"g=true":      `[{"count":2,"unique":2}]}`,
		"g=12&g=true": `[{"count":6,"unique":4}]}`,
		"g=-0":        `[{"count":2,"unique":1}]}`,
		"missing=g":   `[{"count":2,"unique":0}]}`,
		"g=~n12":      `[{"count":0,"unique":0}]}`,
	} {
		if got := rowsOf(d.ask(t, state, query)); got != want {
			t.Errorf("?%s is answered %s, not %s", query, got, want)
		}
	}
	if got := d.ask(t, state, "uncounted"); !strings.HasPrefix(got, `{"count":{"unique_missing":2,"group_exponent_too_long":1}`) {
		t.Errorf("uncounted is %s", got)
	}
}

// TestMeterSaysWhatItLeftOut: every answer says how many events were left out for the time and the groups asked for.
func TestMeterSaysWhatItLeftOut(t *testing.T) {
	d, state := folded(t, `{"value":"/v","aggregations":["sum","count"],"group_by":{"g":"/g"},"resolution":"day"}`, `
		{"time":"2025-03-01T10:00:00Z","g":"a","v":1}
		{"time":"2025-03-01T10:00:00Z","g":"a","v":"many"}
		{"time":"2025-03-01T10:00:00Z","g":"b","v":null}
		{"time":"2025-03-02T10:00:00Z","g":"b"}
		{"time":"2025-03-02T10:00:00Z","g":[1],"v":1}
		{"time":"2025-03-03T10:00:00Z","g":"a","v":2}`)
	for query, want := range map[string]int{
		"": 4, "window=day": 4, "group_by=g": 4, "g=a": 2, "g=b": 3, "g=none": 1, "from=2025-03-02": 2, "to=2025-03-02": 2,
		"from=2025-03-03": 0, "g=a&from=2025-03-02": 1, "from=2025-03-02&g=b&group_by=g": 2, "aggregation=sum&group_by=g&window=day": 4,
		"window=day&rolling=2&from=2025-03-03&to=2025-03-04": 2, "group_by=g&limit=1": 2, "group_by=g&limit=1&offset=1": 2,
	} {
		if got := decodeAnswer(t, d.ask(t, state, query)); got.Uncounted != want {
			t.Errorf("?%s says that %d are uncounted, not %d", query, got.Uncounted, want)
		}
	}
	csv := map[string]string{
		"format=csv":                            "from,to,sum,count,uncounted\r\n,,3,5,4\r\n",
		"format=csv&group_by=g":                 "from,to,g,sum,count,uncounted\r\n,,a,3,3,\r\n,,b,,2,4\r\n",
		"format=csv&g=none":                     "from,to,sum,count,uncounted\r\n,,,0,1\r\n",
		"format=csv&g=none&window=day":          "from,to,sum,count,uncounted\r\n,,,,1\r\n",
		"format=csv&from=2025-03-04&window=day": "from,to,sum,count,uncounted\r\n",
		"format=csv&group_by=g&limit=1":         "from,to,g,sum,count,uncounted,next\r\n,,a,3,3,2,YS8\r\n",
		"format=csv&group_by=g&after=YS8":       "from,to,g,sum,count,uncounted,next\r\n,,b,,2,2,\r\n",
	}
	for query, want := range csv {
		if got := d.ask(t, state, query); got != want {
			t.Errorf("?%s is answered %q, not %q", query, got, want)
		}
	}
}

// TestMeterStateIsReadable: PostgreSQL reads neither NUL nor half a surrogate pair in JSON, so none comes into a value.
func TestMeterStateIsReadable(t *testing.T) {
	d, state := folded(t, `{"value":"/v","unique":"/g","aggregations":["sum","unique"],"group_by":{"g":"/g"}}`, `
		{"v":"1\u00002","g":"nul\u0000"}
		{"v":"cut \ud83d","g":"\ud83d"}
		{"v":"\udc00 \ud83d\ude00 \ud83d\ud83d","g":"\ufffd"}
		{"v":{"a\u0000":"\ud83d"},"g":"x"}`)
	for key, value := range state {
		escapes := strings.ReplaceAll(string(value), `\\`, "")
		if !json.Valid(value) || strings.Contains(escapes, `\u0000`) || strings.Contains(escapes, `\ud`) {
			t.Errorf("the state has %q: %s", key, value)
		}
	}
	if want := `"found":"1` + "\uFFFD" + `2"`; !strings.Contains(string(state["uncounted"]), want) {
		t.Errorf("uncounted is %s; %s is wanted in it", state["uncounted"], want)
	}
	// What is shown of a group is exact all the same: answers are not stored.
	if got := d.ask(t, state, "group_by=g&aggregation=unique"); !strings.Contains(got, `{"g":"nul\u0000"}`) {
		t.Errorf("answered %s", got)
	}
}

// TestMeterPercentilesLieBetweenMinAndMax: of each group, window and part.
func TestMeterPercentilesLieBetweenMinAndMax(t *testing.T) {
	d, state := folded(t, `{"value":"/v","aggregations":["p50","p99"],"group_by":{"g":"/g"},"resolution":"day"}`, `
		{"time":"2025-03-01T10:00:00Z","g":"a","v":250}
		{"time":"2025-03-02T10:00:00Z","g":"a","v":999}
		{"time":"2025-03-02T10:00:00Z","g":"b","v":-77.7}
		{"time":"2025-03-02T10:00:00Z","g":"b","v":-77.65}
		{"time":"2025-03-02T10:00:00Z","g":"b","v":-77.65}
		{"time":"2025-03-03T10:00:00Z","g":"b","v":0}`)
	for query, want := range map[string]string{
		"aggregation=p50&to=2025-03-02": `[{"from":null,"to":"2025-03-02T00:00:00Z","p50":"250"}]}`,
		"aggregation=p0,p1,p100&g=a":    `[{"p0":"250","p1":"250","p100":"999"}]}`,
		"aggregation=p0,p50,p99&g=b&to=2025-03-03": `[{"from":null,"to":"2025-03-03T00:00:00Z","p0":"-77.7","p50":"-77.7",` +
			`"p99":"-77.65"}]}`,
		"group_by=g&aggregation=p0,p100": `[{"group":{"g":"a"},"p0":"250","p100":"999"},{"group":{"g":"b"},"p0":"-77.7",` +
			`"p100":"0"}]}`,
	} {
		if got := rowsOf(d.ask(t, state, query)); got != want {
			t.Errorf("?%s is answered %s, not %s", query, got, want)
		}
	}
}

// TestMeterRefusesRepeatedParameters: none but a group's name may be given twice.
func TestMeterRefusesRepeatedParameters(t *testing.T) {
	d, state := folded(t, `{"aggregations":["count"],"group_by":{"g":"/g"}}`, `{"g":"a"}`)
	for _, name := range []string{
		"window", "timezone", "from", "to", "group_by", "aggregation", "missing", "format", "csv", "rolling",
		"limit", "offset", "after", "uncounted",
	} {
		if got, want := d.ask(t, state, name+"=day&x&"+name+"=hour"), "refused: "+name+" is given twice"; !strings.HasPrefix(got, want) {
			t.Errorf("%s twice: %s", name, got)
		}
	}
	if got := rowsOf(d.ask(t, state, "g=a&g=b")); got != `[{"count":1}]}` {
		t.Errorf("two values of a group: %s", got)
	}
}

// TestMeterCSVIsNoFormula: what a spreadsheet would execute stands behind an apostrophe, unless machines are to read it.
func TestMeterCSVIsNoFormula(t *testing.T) {
	for value, want := range map[string][2]string{
		`=HYPERLINK("http://evil.example","x")`: {
			`"'=HYPERLINK(""http://evil.example"",""x"")"`,
			`"=HYPERLINK(""http://evil.example"",""x"")"`,
		},
		"+1":       {"'+1", "+1"},
		"-1+1":     {"'-1+1", "-1+1"},
		"@SUM(A1)": {"'@SUM(A1)", "@SUM(A1)"},
		"\t=1":     {"'\t=1", "\t=1"},
		"\r=1":     {"\"'\r=1\"", "\"\r=1\""},
		"-12.5e3":  {`"-12.5e3"`, `"-12.5e3"`}, // a plain number, in quotes because it is a string
		"12":       {`"12"`, `"12"`},
		"true":     {`"true"`, `"true"`},
		"a=b":      {"a=b", "a=b"},
		"'=1":      {"'=1", "'=1"},
	} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		d, state := folded(t, `{"aggregations":["count"],"group_by":{"g":"/g","-n":"/n"}}`, `{"n":-7,"g":`+string(text)+`}`)
		for i, query := range []string{"format=csv&group_by=g,-n", "format=csv&group_by=g,-n&csv=raw"} {
			header := []string{"from,to,g,'-n,count,uncounted", "from,to,g,-n,count,uncounted"}[i]
			if got := d.ask(t, state, query); got != header+"\r\n,,"+want[i]+",-7,1,0\r\n" {
				t.Errorf("?%s of %q is answered %q", query, value, got)
			}
		}
	}
}
