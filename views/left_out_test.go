package views_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/wasm"
)

// leftOut is what the recount finds that a key's totals leave out.
type leftOut struct {
	reasons []string // each as often as it was met
	last    int64
}

// String is what a view keeps of it.
func (l *leftOut) String() string {
	var members []string
	counts := map[string]int{}
	for _, reason := range l.reasons {
		counts[reason]++
	}
	for _, reason := range l.reasons {
		if n := counts[reason]; n > 0 {
			members = append(members, fmt.Sprintf("%q:%d", reason, n))
			delete(counts, reason)
		}
	}
	return "{" + strings.Join(members, ",") + fmt.Sprintf(`,"last_sequence":%d}`, l.last)
}

func (b *books) leave(key string, sequence int64, reason string) {
	if b.left[key] == nil {
		b.left[key] = &leftOut{}
	}
	b.left[key].reasons = append(b.left[key].reasons, reason)
	b.left[key].last = sequence
}

func (b *books) leaveAmounts(key string, u usage) {
	if u.in.fault != "" {
		b.leave(key, u.sequence, "tokens_in_"+u.in.fault)
	}
	if u.out.fault != "" {
		b.leave(key, u.sequence, "tokens_out_"+u.out.fault)
	}
}

// compareMonths asks for all months, for each, and for each team where the view takes one: every answer says of each name how much
// is left out, and nothing if that is nothing.
func compareMonths(t *testing.T, d *deployed, want *books, state memoryState) {
	t.Helper()
	type answer map[string]map[string]json.RawMessage // by name and total
	expected := map[string]map[string]string{}        // what is to be said, by month and name
	put := func(key, counts string) {
		month, name, _ := strings.Cut(key, "/")
		if expected[month] == nil {
			expected[month] = map[string]string{}
		}
		expected[month][name] = counts
	}
	for key := range want.totals {
		put(key, "")
	}
	for key, left := range want.left {
		put(key, fmt.Sprint(len(left.reasons)))
	}
	check := func(query string, got answer, want map[string]string) {
		reported := map[string]string{}
		for name, totals := range got {
			reported[name] = string(totals["uncounted"])
		}
		if !maps.Equal(reported, want) {
			t.Errorf("?%s reports %.500q as left out, the recount %.500q", query, reported, want)
		}
	}
	var all map[string]answer
	decode(t, d.ask(t, state, ""), &all)
	if len(all) != len(expected) {
		t.Errorf("the answer has the months %v, the recount %v", slices.Collect(maps.Keys(all)), slices.Collect(maps.Keys(expected)))
	}
	var reasons map[string]map[string]json.RawMessage
	decode(t, d.ask(t, state, "uncounted"), &reasons)
	for month, names := range expected {
		var one answer
		decode(t, d.ask(t, state, "month="+month), &one)
		check("", all[month], names)
		check("month="+month, one, names)
		for name := range names {
			got := string(reasons[month][name])
			if left := want.left[month+"/"+name]; left == nil && got != "" || left != nil && got != left.String() {
				t.Errorf("?uncounted says of %q in %s %s, the recount %s", name, month, got, left)
			}
		}
	}
}

// compareMinutes asks for the minutes of every day that something was counted in.
func compareMinutes(t *testing.T, d *deployed, want *books, state memoryState) {
	t.Helper()
	days := map[string]int{}
	for key := range want.totals {
		days[key[:len("2025-03-01")]] += 0
	}
	for key, left := range want.left {
		days[key[:len("2025-03-01")]] += len(left.reasons)
	}
	for day, leftOut := range days {
		var answer struct {
			Uncounted int
			Minutes   []struct {
				Minute    time.Time
				Uncounted int
			}
		}
		decode(t, d.ask(t, state, "minutes=1440&time="+day+"T23:59:59Z"), &answer)
		if answer.Uncounted != leftOut {
			t.Errorf("of %s is left out %d, the recount says %d", day, answer.Uncounted, leftOut)
		}
		for _, listed := range answer.Minutes {
			left, leftOut := want.left[listed.Minute.Format("2006-01-02T15:04")], 0
			if left != nil {
				leftOut = len(left.reasons)
			}
			if listed.Uncounted != leftOut {
				t.Errorf("of %s is left out %d, the recount says %d", listed.Minute, listed.Uncounted, leftOut)
			}
		}
	}
}

// TestForeignUncounted starts from counts that no view writes: whoever has to read them says so.
func TestForeignUncounted(t *testing.T) {
	queries := map[string]string{
		"monthly_totals": "month=2025-03", "cost_by_team": "month=2025-03&team=g",
		"rate_check": "time=2025-03-01T10:05:30Z",
	}
	for _, value := range []string{
		`{}`, `{"a":1}`, `{"last_sequence":1,"a":1}`, `{"a":01,"last_sequence":1}`, `{"a":1000000000000000000,"last_sequence":1}`,
		`{"a":1,"last_sequence":1} `, `{"a":1,"last_sequence":-1}`, `{"A":1,"last_sequence":1}`, `{"a":"1","last_sequence":1}`, `[]`,
		`null`, `{"a":1,"last_sequence":1}}`, `{"":1,"last_sequence":1}`,
	} {
		for view, query := range queries {
			key := "2025-03/g"
			totals := `{"tokens_in":1,"tokens_out":1}`
			switch view {
			case "rate_check":
				key, totals = "2025-03-01T10:05", `{"requests":1,"tokens":1}`
			case "cost_by_team":
				totals = `{"requests":1,"tokens_in":1,"tokens_out":1,"cost":"0","unpriced":1}`
			}
			d := mustDeploy(t, view, "")
			state := memoryState{key: []byte(totals), "uncounted/" + key: []byte(value)}
			want := fmt.Sprintf("the state of key %q is not what this view writes; fold the log again as a new version of the view",
				"uncounted/"+key)
			for _, query := range []string{query, query + "&uncounted"} {
				if got := d.ask(t, state, query); got != "refused: "+want {
					t.Errorf("%s, %s: ?%s is answered %s", view, value, query, got)
				}
			}
			session := d.start(t, state)
			_, err := session.Fold(d.event(t, 1, []byte(`{"time":"2025-03-01T10:05:30Z","model":"g","team":"g","tokens_in":"x"}`)))
			session.Close()
			if err == nil || refusal(t, err) != want {
				t.Errorf("%s, %s: the fold says %v", view, value, err)
			}
		}
	}
}

// TestUncountedIsPaged asks for more groups than a view reads at a time, of which some have totals, some something left out, and some both.
func TestUncountedIsPaged(t *testing.T) {
	const groups = 3700
	for view, totals := range map[string]string{
		"monthly_totals": `{"tokens_in":1,"tokens_out":2}`,
		"cost_by_team":   `{"requests":3,"tokens_in":1,"tokens_out":2,"cost":"0","unpriced":3}`,
	} {
		d := mustDeploy(t, view, "")
		state := memoryState{}
		want := map[string]string{}
		for i := range groups {
			name := fmt.Sprintf("g%d", i)
			want[name] = fmt.Sprint(i%3 > 0, " ", i%4 > 0)
			if i%3 > 0 {
				state["2025-03/"+name] = []byte(totals)
			}
			if i%4 > 0 {
				state["uncounted/2025-03/"+name] = fmt.Appendf(nil, `{"a":%d,"b":1,"last_sequence":99}`, i)
			}
			if i%12 == 0 {
				delete(want, name)
			}
		}
		for query, answer := range map[string]map[string]map[string]json.RawMessage{"month=2025-03": nil, "": nil} {
			text := d.ask(t, state, query)
			if query == "" {
				text = strings.TrimSuffix(strings.TrimPrefix(text, `{"2025-03":`), "}")
			}
			decode(t, text, &answer)
			if len(answer) != len(want) {
				t.Errorf("%s, ?%s: %d groups came, not %d", view, query, len(answer), len(want))
			}
			for name, totals := range answer {
				var i int
				if _, err := fmt.Sscanf(name, "g%d", &i); err != nil {
					t.Fatal(err)
				}
				got := fmt.Sprint(string(totals["tokens_in"]) == "1", " ", string(totals["uncounted"]) == fmt.Sprint(i+1))
				if got != want[name] || i%4 == 0 && totals["uncounted"] != nil {
					t.Errorf("%s, ?%s: %s has %s", view, query, name, totals)
				}
			}
		}
	}
}

// TestLongestUncounted comes close to the length that an answer may have with groups of which all is left out, and passes it.
func TestLongestUncounted(t *testing.T) {
	d := mustDeploy(t, "monthly_totals", "")
	state := memoryState{}
	for i := range 950 {
		state[fmt.Sprintf("uncounted/2025-03/%01000d", i)] = []byte(`{"tokens_in_not_a_number":1,"last_sequence":1}`)
	}
	for _, query := range []string{"", "month=2025-03", "uncounted", "uncounted&month=2025-03"} {
		if got := d.ask(t, state, query); !json.Valid([]byte(got)) {
			t.Errorf("?%s is answered %.100s", query, got)
		}
	}
	for i := range 100 {
		state[fmt.Sprintf("uncounted/2025-03/%01001d", i)] = []byte(`{"tokens_in_not_a_number":1,"last_sequence":1}`)
	}
	for _, query := range []string{"", "month=2025-03", "uncounted", "uncounted&month=2025-03"} {
		if got := d.ask(t, state, query); !strings.HasPrefix(got, "refused: the answer passes 1 MiB") {
			t.Errorf("?%s is answered %.100s", query, got)
		}
	}
}

// TestNothingLeftOutCostsNothing folds events of which all that there is counts: the view reads and writes one key for each.
func TestNothingLeftOutCostsNothing(t *testing.T) {
	for view, want := range map[string]string{"monthly_totals": "get set", "rate_check": "get set", "cost_by_team": "get set"} {
		d := mustDeploy(t, view, "")
		state := &countingState{State: memoryState{}}
		session := d.start(t, state)
		for _, data := range []string{
			`{"model":"m","team":"t","tokens_in":1,"tokens_out":2}`, `{"tokens_in":1}`,
			`{"tokens_in":null,"tokens_out":"1e18"}`,
		} {
			state.calls = nil
			if _, err := session.Fold(d.event(t, 1, []byte(data))); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(state.calls, " "); got != want {
				t.Errorf("%s calls %s for %s, and is to call %s", view, got, data, want)
			}
		}
		session.Close()
	}
}

// countingState notes what a view asks of it.
type countingState struct {
	wasm.State
	calls []string
}

func (s *countingState) Get(key []byte) ([]byte, bool, error) {
	s.calls = append(s.calls, "get")
	return s.State.Get(key)
}

func (s *countingState) Set(key, value []byte) error {
	s.calls = append(s.calls, "set")
	return s.State.Set(key, value)
}
