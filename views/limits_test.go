package views_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
)

// overfull is the highest total that a view can keep.
var overfull = strings.Repeat("9", 90)

// TestTotalsNeverWrap starts from state that no log could fill up: a sum that does not fit any more halts the view, and
// so does a value that the view cannot have written.
func TestTotalsNeverWrap(t *testing.T) {
	event := []byte(`{"model":"m","team":"t","tokens_in":1,"tokens_out":1}`)
	cases := []struct{ name, view, key, value, want string }{
		{"full", "monthly_totals", "2025-03/m", `{"tokens_in":1,"tokens_out":` + overfull + `}`, "90 digits"},
		{"full", "rate_check", "2025-03-01T10:05", `{"requests":1,"tokens":` + overfull + `}`, "90 digits"},
		{
			"full", "cost_by_team", "2025-03/t", `{"requests":1,"tokens_in":1,"tokens_out":1,"cost":"` + overfull + `","unpriced":0}`,
			"90 digits",
		},
		{"too full", "monthly_totals", "2025-03/m", `{"tokens_in":1` + overfull + `,"tokens_out":1}`, "not what this view writes"},
		{"foreign", "monthly_totals", "2025-03/m", `{"tokens_in":"1","tokens_out":1}`, "not what this view writes"},
		{"cut", "monthly_totals", "2025-03/m", `{"tokens_in":1`, "not what this view writes"},
		{"empty", "rate_check", "2025-03-01T10:05", ``, "not what this view writes"},
		{"longer", "rate_check", "2025-03-01T10:05", `{"requests":1,"tokens":1,"more":1}`, "not what this view writes"},
		{
			"unquoted", "cost_by_team", "2025-03/t", `{"requests":1,"tokens_in":1,"tokens_out":1,"cost":1,"unpriced":0}`,
			"not what this view writes",
		},
	}
	for _, c := range cases {
		t.Run(c.view+" "+c.name, func(t *testing.T) {
			d := mustDeploy(t, c.view, `{"prices":{"*":{"tokens_in":"1","tokens_out":"1"}}}`)
			state := memoryState{c.key: []byte(c.value)}
			session := d.start(t, state)
			defer session.Close()
			_, err := session.Fold(d.event(t, 1, event))
			if err == nil {
				t.Fatalf("the fold wrote %s", state)
			}
			if got := refusal(t, err); !strings.Contains(got, c.want) || !strings.Contains(got, c.key) {
				t.Errorf("refused with %q; %q and the key are wanted in it", got, c.want)
			}
			if string(state[c.key]) != c.value {
				t.Errorf("the fold wrote %s", state[c.key])
			}
		})
	}
}

// TestAnswersArePaged asks for more keys than a view reads at a time.
func TestAnswersArePaged(t *testing.T) {
	const models = 2500
	d := mustDeploy(t, "monthly_totals", "")
	state := memoryState{}
	for i := range models {
		for month := 1; month <= 2; month++ {
			state[fmt.Sprintf("2025-%02d/model-%d", month, i)] = fmt.Appendf(nil, `{"tokens_in":%d,"tokens_out":%d}`, i, month)
		}
	}
	var one map[string]map[string]int
	var all map[string]map[string]map[string]int
	decode(t, d.ask(t, state, "month=2025-02"), &one)
	decode(t, d.ask(t, state, ""), &all)
	if len(one) != models || len(all["2025-01"]) != models || len(all["2025-02"]) != models || len(all) != 2 {
		t.Errorf("%d models in one month, %d and %d in all; each is to have %d",
			len(one), len(all["2025-01"]), len(all["2025-02"]), models)
	}
	if last := one["model-2499"]; last["tokens_in"] != 2499 || last["tokens_out"] != 2 {
		t.Errorf("model-2499 has %v", last)
	}
}

// TestLargestAnswer comes close to the 1 MiB that an answer may have, and then passes it.
func TestLargestAnswer(t *testing.T) {
	const long = 1000 // bytes of a name
	d := mustDeploy(t, "monthly_totals", "")
	state := memoryState{}
	for i := range 1000 {
		state[fmt.Sprintf("2025-03/%0*d", long, i)] = []byte(`{"tokens_in":1,"tokens_out":1}`)
	}
	var answer map[string]any
	decode(t, d.ask(t, state, "month=2025-03"), &answer)
	if len(answer) != 1000 {
		t.Errorf("%d models came, 1000 were counted", len(answer))
	}
	for i := range 100 {
		state[fmt.Sprintf("2025-04/%0*d", long, i)] = []byte(`{"tokens_in":1,"tokens_out":1}`)
	}
	if got := d.ask(t, state, ""); !strings.HasPrefix(got, "refused: the answer passes 1 MiB") {
		t.Errorf("too large an answer: %.100s", got)
	}
}

// TestWholeDay asks rate_check for a day in which every minute has requests, among others that it must leave out.
func TestWholeDay(t *testing.T) {
	d := mustDeploy(t, "rate_check", "")
	state := memoryState{}
	first := time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)
	for i := range 3 * 1440 {
		state[first.Add(time.Duration(i)*time.Minute).Format("2006-01-02T15:04")] = []byte(`{"requests":2,"tokens":0.5}`)
	}
	var answer struct {
		From, To time.Time
		Requests int
		Tokens   float64
		Minutes  []struct{ Minute time.Time }
	}
	decode(t, d.ask(t, state, "minutes=1440&time=2024-02-29T18:00:59Z"), &answer)
	from := time.Date(2024, 2, 28, 18, 1, 0, 0, time.UTC)
	if !answer.From.Equal(from) || !answer.To.Equal(from.AddDate(0, 0, 1)) || answer.Requests != 2880 || answer.Tokens != 720 {
		t.Errorf("from %s to %s: %d requests, %v tokens", answer.From, answer.To, answer.Requests, answer.Tokens)
	}
	if len(answer.Minutes) != 1440 {
		t.Fatalf("%d minutes came", len(answer.Minutes))
	}
	for i, listed := range answer.Minutes {
		if want := from.Add(time.Duration(i) * time.Minute); !listed.Minute.Equal(want) {
			t.Fatalf("minute %d is %s, not %s", i, listed.Minute, want)
		}
	}
}

// TestLargestConfig deploys as many prices as a configuration has room for, and prices an event by the last one.
func TestLargestConfig(t *testing.T) {
	var config strings.Builder
	config.WriteString(`{"prices":{`)
	models := 0
	for ; config.Len() < 63<<10; models++ {
		fmt.Fprintf(&config, `"model-%d":{"tokens_in":"0.%d","tokens_out":1},`, models, models+1)
	}
	d := mustDeploy(t, "cost_by_team", strings.TrimSuffix(config.String(), ",")+"}}")
	state := d.foldAll(t, [][]byte{
		[]byte(`{"model":"model-0","tokens_in":10}`), fmt.Appendf(nil, `{"model":"model-%d","tokens_out":3}`, models-1),
	}).State
	want := `{"requests":2,"tokens_in":10,"tokens_out":3,"cost":"4","unpriced":0}`
	if got := string(state["2025-03/"]); got != want {
		t.Errorf("the state is %s, not %s", got, want)
	}
}

// TestDecimals counts the largest numbers that an event and a price may have, and one digit more.
func TestDecimals(t *testing.T) {
	const whole, fraction = 45, 27
	most := strings.Repeat("9", whole) + "." + strings.Repeat("9", fraction)
	unit := "0." + strings.Repeat("0", fraction-1) + "1"
	d := mustDeploy(t, "monthly_totals", "")
	state := d.foldAll(t, [][]byte{
		[]byte(`{"tokens_in":` + most + `,"tokens_out":"1e44"}`),
		[]byte(`{"tokens_in":` + unit + `,"tokens_out":1` + strings.Repeat("0", whole) + `}`),
		[]byte(`{"tokens_in":"-` + most + `","tokens_out":1e-28}`),
		[]byte(`{"tokens_in":1000000000000000000,"tokens_out":0.` + strings.Repeat("0", whole+fraction) + `}`),
	}).State
	want := `{"tokens_in":1000000000000000000.` + strings.Repeat("0", fraction-1) + `1,"tokens_out":1` + strings.Repeat("0", whole-1) + `}`
	if got := string(state["2025-03/"]); got != want {
		t.Errorf("the state is %s, not %s", got, want)
	}
	price := strings.Repeat("9", fraction) + "." + strings.Repeat("9", fraction)
	d = mustDeploy(t, "cost_by_team", `{"prices":{"*":{"tokens_in":"`+price+`","tokens_out":0}}}`)
	state = d.foldAll(t, [][]byte{[]byte(`{"tokens_in":-` + most + `}`)}).State
	cost, _ := new(big.Rat).SetString(most)
	each, _ := new(big.Rat).SetString(price)
	want = `"cost":"-` + plain(cost.Mul(cost, each)) + `"`
	if got := string(state["2025-03/"]); !strings.Contains(got, want) {
		t.Errorf("the state is %s; %s is wanted in it", got, want)
	}
}

// TestTimes asks with every form of a time that RFC 3339 has, and some that it has not.
func TestTimes(t *testing.T) {
	d := mustDeploy(t, "rate_check", "")
	for text, minute := range map[string]string{
		"2016-12-31t23:59:59z":        "2016-12-31T23:59",
		"2016-12-31T23:59:60Z":        "2017-01-01T00:00",
		"2016-12-31T23:59:60.999999Z": "2017-01-01T00:00",
		"2016-12-31T18:59:60-05:00":   "2017-01-01T00:00",
		"2017-01-01T05:29:60%2B05:30": "2017-01-01T00:00",
		"1969-12-31T23:59:60Z":        "1970-01-01T00:00",
		"2016-12-31T23:58:60Z":        "",
		"2016-12-31T22:59:60Z":        "",
		"2016-12-31T23:59:60-05:00":   "",
		"2016-12-31T23:59:61Z":        "",
		"2016-12-31T23:60:00Z":        "",
		"2016-12-31T24:00:00Z":        "",
	} {
		got := d.ask(t, nil, "time="+text)
		if want := `{"from":"` + minute + `:00Z"`; minute != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%s is answered %s; %s is wanted", text, got, want)
		}
		if minute == "" && !strings.HasPrefix(got, "refused: time is ") {
			t.Errorf("%s is answered %s", text, got)
		}
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %.200s", err, text)
	}
}

// TestYearsBeyondTheKeys folds times that the server takes from no event: their years have not four digits. They are in no total, and
// counted.
func TestYearsBeyondTheKeys(t *testing.T) {
	for view, want := range map[string]struct{ key, query, answer string }{
		"monthly_totals": {"uncounted//m", "", `{"":{"m":{"tokens_in":0,"tokens_out":0,"uncounted":4}}}`},
		"rate_check":     {"uncounted/", "uncounted", `{"":{"time_out_of_range":4,"last_sequence":1}}`},
		"cost_by_team": {
			"uncounted//t", "team=t",
			`{"":{"t":{"requests":0,"tokens_in":0,"tokens_out":0,"cost":"0","unpriced":0,"uncounted":4}}}`,
		},
	} {
		d := mustDeploy(t, view, "")
		state := memoryState{}
		session := d.start(t, state)
		defer session.Close()
		for _, happened := range []time.Time{
			time.Date(-1, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
			time.UnixMicro(math.MinInt64), time.UnixMicro(math.MaxInt64),
		} {
			event := d.event(t, 1, []byte(`{"model":"m","team":"t","tokens_in":1}`))
			event.Time = happened.UnixMicro()
			if ignored, err := session.Fold(event); ignored || err != nil {
				t.Errorf("%s, %s: ignored is %v, %v", view, happened, ignored, err)
			}
		}
		if got := string(state[want.key]); got != `{"time_out_of_range":4,"last_sequence":1}` || len(state) != 1 {
			t.Errorf("%s: the state is %q", view, state)
		}
		if got := d.ask(t, state, want.query); got != want.answer {
			t.Errorf("%s answers %s, not %s", view, got, want.answer)
		}
		empty := d.event(t, 2, []byte(`{"model":"m"}`))
		empty.Time = math.MaxInt64
		if ignored, err := session.Fold(empty); ignored != (view != "rate_check") || err != nil {
			t.Errorf("%s: an event without tokens is ignored: %v, %v", view, ignored, err)
		}
	}
}
