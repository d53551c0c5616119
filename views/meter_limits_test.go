package views_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/wasm"
)

// sortedState is a large state to ask: scans find their place quickly and are counted.
type sortedState struct {
	entries []wasm.Entry
	scanned int // entries handed out
}

func newSortedState(n int, entry func(i int) (key, value string)) *sortedState {
	s := &sortedState{entries: make([]wasm.Entry, n)}
	for i := range n {
		key, value := entry(i)
		s.entries[i] = wasm.Entry{Key: []byte(key), Value: []byte(value)}
	}
	slices.SortFunc(s.entries, func(a, b wasm.Entry) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return s
}

func (s *sortedState) Get(key []byte) ([]byte, bool, error) {
	i := sort.Search(len(s.entries), func(i int) bool { return string(s.entries[i].Key) >= string(key) })
	if i < len(s.entries) && string(s.entries[i].Key) == string(key) {
		return s.entries[i].Value, true, nil
	}
	return nil, false, nil
}

func (s *sortedState) Set([]byte, []byte) error { panic("a query must not write") }

func (s *sortedState) Delete([]byte) error { panic("a query must not write") }

func (s *sortedState) Scan(prefix, after []byte, limit int) ([]wasm.Entry, error) {
	start := sort.Search(len(s.entries), func(i int) bool {
		key := string(s.entries[i].Key)
		return key >= string(prefix) && key > string(after)
	})
	end := start
	for end < len(s.entries) && end-start < limit && strings.HasPrefix(string(s.entries[end].Key), string(prefix)) {
		end++
	}
	s.scanned += end - start
	return s.entries[start:end], nil
}

// askLarge asks a query of a large state, and tells the gas it took.
func askLarge(tb testing.TB, d *deployed, s *sortedState, query string) (answer string, gas int64) {
	tb.Helper()
	session := d.start(tb, s)
	defer session.Close()
	text, err := session.Query(query)
	if err != nil {
		return "refused: " + refusal(tb, err), session.GasUsed()
	}
	return string(text), session.GasUsed()
}

var firstHour = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// hours is a state of so many groups with so many hours each.
func hours(groups, hours int) *sortedState {
	return newSortedState(groups*hours, func(i int) (key, value string) {
		at := firstHour.Add(time.Duration(i%hours) * time.Hour)
		return fmt.Sprintf("total/group-%04d/%s", i/hours, at.Format(time.RFC3339)), `{"count":2,"values":2,"sum":3.5}`
	})
}

const sumByGroup = `{"value":"/v","aggregations":["sum"],"group_by":{"group":"/group"},"resolution":"hour"}`

// TestMeterReadsALargeState adds up as many parts as the documentation says that a query can, within the gas of one.
func TestMeterReadsALargeState(t *testing.T) {
	const groups, each = 72, 2500 // 180,000
	d, state := mustDeploy(t, "meter", sumByGroup), hours(groups, each)
	answer, gas := askLarge(t, d, state, "")
	if want := fmt.Sprintf(`"sum":"%d"`, groups*each*7/2); !strings.Contains(answer, want) {
		t.Errorf("answered %.200s; %s is wanted", answer, want)
	}
	t.Logf("%d gas for each of %d parts", gas/(groups*each), groups*each)
}

// TestMeterReadsWhatIsAsked counts the keys that are read for one day of many: those of the day, and at each group's edges
// no more than a page.
func TestMeterReadsWhatItNeeds(t *testing.T) {
	const groups, each, page = 50, 4000, 64
	d, state := mustDeploy(t, "meter", sumByGroup), hours(groups, each)
	day := "from=2024-03-01&to=2024-03-02"
	if answer, _ := askLarge(t, d, state, day); !strings.Contains(answer, fmt.Sprintf(`"sum":"%d"`, groups*24*7/2)) {
		t.Errorf("answered %.200s", answer)
	}
	if most := groups * 3 * page; state.scanned > most {
		t.Errorf("%d keys are read for %d that count; at most %d are wanted", state.scanned, groups*24, most)
	}
	state.scanned = 0
	if answer, _ := askLarge(t, d, state, day+"&group=group-0049"); !strings.Contains(answer, `"sum":"84"`) {
		t.Errorf("answered %.200s", answer)
	}
	if most := groups * 2 * page; state.scanned > most {
		t.Errorf("%d keys are read for 24 that count; at most %d are wanted", state.scanned, most)
	}
}

// TestMeterPages reads an answer that passes 1 MiB page by page; as CSV it is refused.
func TestMeterPages(t *testing.T) {
	const groups, each = 10, 2000
	d, state := mustDeploy(t, "meter", sumByGroup), hours(groups, each)
	rows, pages := 0, 0
	for offset := 0; pages == 0 || offset > 0; pages++ {
		text, _ := askLarge(t, d, state, fmt.Sprintf("window=hour&group_by=group&offset=%d", offset))
		if len(text) > wasm.MaxAnswerBytes {
			t.Fatalf("an answer of %d bytes", len(text))
		}
		answer := decodeAnswer(t, text)
		for i, row := range answer.Rows {
			at := firstHour.Add(time.Duration((rows+i)%each) * time.Hour)
			group, _ := row["group"].(map[string]any)
			if row["from"] != at.Format(time.RFC3339) || group["group"] != fmt.Sprintf("group-%04d", (rows+i)/each) {
				t.Fatalf("row %d is %v", rows+i, row)
			}
		}
		rows += len(answer.Rows)
		offset = answer.NextOffset
	}
	if rows != groups*each || pages < 2 {
		t.Errorf("%d rows came in %d pages; there are %d", rows, pages, groups*each)
	}
	answer, _ := askLarge(t, d, state, "window=hour&group_by=group&format=csv")
	if !strings.HasPrefix(answer, "refused: the answer passes 1 MiB") {
		t.Errorf("too long a CSV: %.200s", answer)
	}
	answer, _ = askLarge(t, d, state, "window=hour&group_by=group&format=csv&limit=5000&offset=17500")
	if strings.Count(answer, "\r\n") != 1+2500 {
		t.Errorf("the last page has %d lines", strings.Count(answer, "\r\n"))
	}
}

// TestMeterPagesThroughAMillionGroups reads them all, page by page, whose cost is that of their rows wherever they stand.
func TestMeterPagesThroughAMillionGroups(t *testing.T) {
	const groups, perGroup = 1_000_000, 3 // a page reads the keys of its groups, and at most half as many ahead
	d, state := mustDeploy(t, "meter", sumByGroup), newSortedState(groups, func(i int) (key, value string) {
		return fmt.Sprintf("total/group-%07d/%s", i, firstHour.Format(time.RFC3339)), `{"count":2,"values":2,"sum":3.5}`
	})
	rows := 0
	for after := ""; rows == 0 || after != ""; {
		state.scanned = 0
		text, gas := askLarge(t, d, state, "group_by=group"+after)
		answer := decodeAnswer(t, text)
		for i, row := range answer.Rows {
			if group, _ := row["group"].(map[string]any); group["group"] != fmt.Sprintf("group-%07d", rows+i) || row["sum"] != "3.5" {
				t.Fatalf("row %d is %v", rows+i, row)
			}
		}
		rows += len(answer.Rows)
		if len(answer.Rows) == 0 || state.scanned > perGroup*len(answer.Rows)+1024 || gas > wasm.DefaultQueryGas/2 {
			t.Fatalf("a page of %d rows up to %d: %d keys read, %d gas", len(answer.Rows), rows, state.scanned, gas)
		}
		if after = ""; answer.Next != "" {
			after = "&after=" + answer.Next
		}
	}
	if rows != groups {
		t.Errorf("%d rows came of %d groups", rows, groups)
	}
	// One group of them, and a few, wherever they stand.
	for query, want := range map[string]int{
		"group_by=group&group=group-0999999":            1,
		"group=group-0777777&window=hour":               1,
		"group_by=group&limit=100":                      100,
		"group_by=group&limit=10&offset=60000":          10,
		"group_by=group&limit=3&format=json&window=day": 3,
	} {
		text, _ := askLarge(t, d, state, query)
		if answer := decodeAnswer(t, text); len(answer.Rows) != want {
			t.Errorf("?%s is answered %.200s", query, text)
		}
	}
	answer, _ := askLarge(t, d, state, "group_by=group&limit=10&offset=900000")
	if !strings.HasPrefix(answer, "refused: offset passes over more") {
		t.Errorf("a page far behind by offset: %.200s", answer)
	}
	if answer, _ := askLarge(t, d, state, ""); !strings.HasPrefix(answer, "refused: the question needs more memory or gas") {
		t.Errorf("the sum of all: %.200s", answer)
	}
}

// TestMeterPagesThroughWhatAFilterLeavesOut: a page ends where the effort of passing over groups is spent, with or without
// rows, and the next goes on there.
func TestMeterPagesThroughWhatAFilterLeavesOut(t *testing.T) {
	const groups = 500_000
	config := `{"aggregations":["count"],"group_by":{"a":"/a","b":"/b"},"resolution":"hour"}`
	expected := map[string]bool{"a0000003": true, "a0250000": true, "a0499999": true}
	state := newSortedState(groups, func(i int) (key, value string) {
		a, b, at := fmt.Sprintf("a%07d", i), "other", firstHour
		if expected[a] {
			b, at = "x", at.AddDate(1, 0, 0)
		}
		return "total/" + a + "/" + b + "/" + at.Format(time.RFC3339), `{"count":1}`
	})
	d := mustDeploy(t, "meter", config)
	for _, query := range []string{"group_by=a&b=x", "group_by=a,b&from=2024-06-01", "group_by=a&from=2024-06-01&window=day"} {
		rows, pages := 0, 0
		for after := ""; pages == 0 || after != ""; pages++ {
			text, _ := askLarge(t, d, state, query+after)
			answer := decodeAnswer(t, text)
			for _, row := range answer.Rows {
				if group, _ := row["group"].(map[string]any); !expected[fmt.Sprint(group["a"])] {
					t.Errorf("?%s has the row %v", query, row)
				}
			}
			rows += len(answer.Rows)
			if after = ""; answer.Next != "" {
				after = "&after=" + answer.Next
			}
		}
		if rows != len(expected) || pages < 2 {
			t.Errorf("?%s: %d rows came in %d pages", query, rows, pages)
		}
	}
}

// TestMeterLimits asks for as many rows as the documentation says that a query can have which reads all at once.
func TestMeterLimits(t *testing.T) {
	const rows, withPercentiles = 100_000, 30_000
	d := mustDeploy(t, "meter", `{"value":"/v","aggregations":["sum"],"group_by":{"a":"/a","b":"/b"},"resolution":"hour"}`)
	state := newSortedState(rows, func(i int) (key, value string) {
		return fmt.Sprintf("total/a/b%07d/%s", i, firstHour.Format(time.RFC3339)), `{"count":2,"values":2,"sum":3.5}`
	})
	answer, _ := askLarge(t, d, state, fmt.Sprintf("group_by=b&offset=%d", rows-1))
	if got := decodeAnswer(t, answer); len(got.Rows) != 1 {
		t.Errorf("%d rows: %.200s", rows, answer)
	}
	d = mustDeploy(t, "meter", `{"value":"/v","aggregations":["p50"],"resolution":"hour"}`)
	state = newSortedState(2*withPercentiles, func(i int) (key, value string) {
		part := firstHour.Add(time.Duration(i/2) * time.Hour).Format(time.RFC3339)
		if i%2 == 0 {
			return "total/" + part, `{"count":1,"values":1,"min":2,"max":2}`
		}
		return "sketch/" + part + "/+50", `{"35":1}`
	})
	answer, _ = askLarge(t, d, state, fmt.Sprintf("window=hour&offset=%d", withPercentiles-1))
	if got := decodeAnswer(t, answer); len(got.Rows) != 1 {
		t.Errorf("%d rows with percentiles: %.200s", withPercentiles, answer)
	}
}

// TestMeterCountsManyUniqueValues counts as many as the documentation says that a query can, within the gas of one.
func TestMeterCountsManyUniqueValues(t *testing.T) {
	const values = 300_000
	d := mustDeploy(t, "meter", `{"unique":"/user","aggregations":["unique"],"resolution":"day"}`)
	state := newSortedState(2*values, func(i int) (key, value string) {
		return fmt.Sprintf("unique/%s/=user-%016d", firstHour.AddDate(0, 0, i/values).Format(time.RFC3339), i%values), "1"
	})
	answer, gas := askLarge(t, d, state, "to=2024-01-02")
	if !strings.Contains(answer, fmt.Sprintf(`"unique":%d`, values)) {
		t.Errorf("answered %.200s", answer)
	}
	t.Logf("%d gas for each of %d values", gas/values, values)
}

// TestMeterMemory asks for the percentiles of more hours than there is room for: the query is refused in words, and a
// smaller one answered.
func TestMeterMemory(t *testing.T) {
	const hours = 60_000
	d := mustDeploy(t, "meter", `{"value":"/v","aggregations":["p50"],"resolution":"hour"}`)
	state := newSortedState(2*hours, func(i int) (key, value string) {
		part := firstHour.Add(time.Duration(i/2) * time.Hour).Format(time.RFC3339)
		if i%2 == 0 {
			return "total/" + part, `{"count":1,"values":1,"min":2,"max":2.5}`
		}
		return "sketch/" + part + "/+50", `{"35":1}`
	})
	if answer, _ := askLarge(t, d, state, "window=hour"); !strings.HasPrefix(answer, "refused: the question needs more memory") {
		t.Errorf("too many rows: %.200s", answer)
	}
	if answer, _ := askLarge(t, d, state, "window=hour&to=2025-01-01&offset=8783"); strings.Count(answer, `"p50":"2"`) != 1 {
		t.Errorf("one year: %.2000s", answer)
	}
}
