package views_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones wherever the test runs

	"github.com/tallystick/tallystick/internal/viewtest"
)

// meterZones have what makes zones hard: offsets of half and quarter hours, summer time of half an hour and below zero, changes
// at midnight, a day left out.
var meterZones = []string{
	"UTC", "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Berlin",
	"Europe/Dublin", "America/St_Johns", "America/Sao_Paulo", "Asia/Gaza", "Pacific/Chatham", "America/Havana",
}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

// query writes a query as a query string.
func (q meterQuery) query() string {
	v := url.Values{}
	if q.window != "" {
		v.Set("window", q.window)
	}
	if q.zone != nil {
		v.Set("timezone", q.zone.String())
	}
	if !q.from.IsZero() {
		v.Set("from", q.from.UTC().Format(time.RFC3339))
	}
	if !q.to.IsZero() {
		v.Set("to", q.to.UTC().Format(time.RFC3339))
	}
	if q.rolling > 1 {
		v.Set("rolling", fmt.Sprint(q.rolling))
	}
	if len(q.groupBy) > 0 {
		v.Set("group_by", strings.Join(q.groupBy, ","))
	}
	for name, values := range q.filters {
		v[name] = values
	}
	v.Set("aggregation", strings.Join(q.picks, ","))
	return v.Encode()
}

// meterAnswer is an answer as it is read back.
type meterAnswer struct {
	TZData     string           `json:"tz_data"`
	Uncounted  int              `json:"uncounted"`
	Rows       []map[string]any `json:"rows"`
	NextOffset int              `json:"next_offset"`
	Next       string           `json:"next"`
}

func decodeAnswer(tb testing.TB, answer string) meterAnswer {
	tb.Helper()
	var a meterAnswer
	decoder := json.NewDecoder(strings.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(&a); err != nil {
		tb.Fatalf("%v in %.300s", err, answer)
	}
	return a
}

// differs says where an answer is not what the model answers.
func differs(answer meterAnswer, want []meterRow, q meterQuery) string {
	if len(answer.Rows) != len(want) {
		return fmt.Sprintf("%d rows came, the model has %d", len(answer.Rows), len(want))
	}
	for i, row := range answer.Rows {
		if !sameTime(row["from"], want[i].from) || !sameTime(row["to"], want[i].to) {
			return fmt.Sprintf("row %d covers %v to %v, the model says %s to %s", i, row["from"], row["to"], want[i].from, want[i].to)
		}
		group, _ := row["group"].(map[string]any)
		for g, name := range q.groupBy {
			got, found := group[name]
			if value, _ := encoded(got); !found || value != want[i].group[g] {
				return fmt.Sprintf("row %d has the group %v", i, group)
			}
		}
		for p, pick := range q.picks {
			if near := want[i].near[p]; near != nil {
				if !isNear(row[pick], near) {
					return fmt.Sprintf("row %d: %s is %v, the model says %s", i, pick, row[pick], plain(near))
				}
			} else if !sameText(row[pick], want[i].results[p]) {
				return fmt.Sprintf("row %d: %s is %v, the model says %s", i, pick, row[pick], show(want[i].results[p]))
			}
		}
	}
	return ""
}

func show(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func sameTime(got any, want time.Time) bool {
	if got == nil {
		return want.IsZero()
	}
	t, err := time.Parse(time.RFC3339, fmt.Sprint(got))
	return err == nil && t.Equal(want)
}

func sameText(got any, want *string) bool {
	if got == nil || want == nil {
		return got == nil && want == nil
	}
	return fmt.Sprint(got) == *want
}

// isNear holds a percentile against the error that is promised: 1 %.
func isNear(got any, want *big.Rat) bool {
	number, ok := new(big.Rat).SetString(fmt.Sprint(got))
	if !ok {
		return false
	}
	off := new(big.Rat).Abs(new(big.Rat).Sub(number, want))
	return off.Cmp(new(big.Rat).Abs(new(big.Rat).Mul(want, big.NewRat(1, 100)))) <= 0
}

var allPicks = []string{"count", "sum", "min", "max", "average", "latest", "unique", "p0", "p37.5", "p50", "p99.9", "p100"}

// modelled is a meter with its model, folded over the same events.
type modelled struct {
	view   *deployed
	model  model
	state  memoryState
	sorted *sortedState // the same, for many queries
}

// ask asks a query of the view.
func (m *modelled) ask(tb testing.TB, query string) string {
	tb.Helper()
	answer, _ := askLarge(tb, m.view, m.sorted, query)
	return answer
}

func newModelled(tb testing.TB, config meterConfig, events [][]byte) *modelled {
	tb.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		tb.Fatal(err)
	}
	m := &modelled{view: mustDeploy(tb, "meter", string(text)), model: model{config: config, wrong: map[string]int{}}}
	folded := m.view.foldAll(tb, events)
	m.state = folded.State
	keys := slices.Collect(maps.Keys(m.state))
	m.sorted = newSortedState(len(keys), func(i int) (key, value string) { return keys[i], string(m.state[keys[i]]) })
	var ignored []int64
	for i, data := range events {
		var event map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		if err := decoder.Decode(&event); err != nil {
			tb.Fatal(err)
		}
		happened := viewtest.RecordedAt
		if sent, found := event["time"].(string); found {
			if happened, err = time.Parse(time.RFC3339, sent); err != nil {
				tb.Fatal(err)
			}
		}
		if m.model.add(i+1, happened, event) {
			ignored = append(ignored, int64(i+1))
		}
	}
	if !slices.Equal(folded.Ignored, ignored) {
		tb.Errorf("the view ignored %v, the model %v", folded.Ignored, ignored)
	}
	return m
}

// check asks a query of both.
func (m *modelled) check(tb testing.TB, q meterQuery) {
	tb.Helper()
	answer := m.ask(tb, q.query())
	if strings.HasPrefix(answer, "refused") {
		tb.Fatalf("?%s %s", q.query(), answer)
	}
	got, want := decodeAnswer(tb, answer), m.model.answer(q)
	if difference := differs(got, want, q); difference != "" {
		tb.Fatalf("?%s: %s\n%.2000s", q.query(), difference, answer)
	}
	if left := m.model.uncounted(q); got.Uncounted != left {
		tb.Fatalf("?%s: %d are uncounted, the model says %d", q.query(), got.Uncounted, left)
	}
	if paged := m.page(tb, q, 1+len(want)/3); paged.Uncounted != got.Uncounted || fmt.Sprint(paged.Rows) != fmt.Sprint(got.Rows) {
		tb.Fatalf("?%s: page by page came %d rows, %d uncounted; at once %d rows, %d uncounted",
			q.query(), len(paged.Rows), paged.Uncounted, len(got.Rows), got.Uncounted)
	}
}

// page asks for so many rows at a time and puts the pages together.
func (m *modelled) page(tb testing.TB, q meterQuery, limit int) meterAnswer {
	tb.Helper()
	var all meterAnswer
	after := ""
	for pages := 0; pages == 0 || after != ""; pages++ {
		answer := decodeAnswer(tb, m.ask(tb, q.query()+fmt.Sprintf("&limit=%d%s", limit, after)))
		all.Rows = append(all.Rows, answer.Rows...)
		all.Uncounted += answer.Uncounted
		if len(answer.Rows) > limit || pages > 10 {
			tb.Fatalf("?%s: page %d has %d rows", q.query(), pages, len(answer.Rows))
		}
		if after = ""; answer.Next != "" {
			after = "&after=" + answer.Next
		}
	}
	return all
}

func meterEvent(random *rand.Rand, start time.Time, stretch time.Duration) []byte {
	event := map[string]any{"type": "use"}
	if random.IntN(12) == 0 {
		event["type"] = "other"
	}
	happened := start.Add(time.Duration(random.Int64N(int64(stretch)))).Truncate(time.Duration(1 + random.IntN(2)*899_999_999_999))
	event["time"] = happened.Format(time.RFC3339Nano)
	for _, name := range []string{"model", "team"} {
		values := []any{
			"gpt-4", "gpt-4-x", "a/b", "~", "", nil, "é", 7, true, "7", "nul\x00", "true", "7.0", "~n7", json.RawMessage("7.0"),
			json.RawMessage("0.7e1"), json.RawMessage("1e50"), json.RawMessage("100e48"), json.RawMessage("-1.25e-60"),
			json.RawMessage("12345678901234567890.5"),
		}
		if random.IntN(6) > 0 {
			event[name] = values[random.IntN(len(values))]
		}
	}
	if random.IntN(8) > 0 {
		event["user"] = fmt.Sprintf("user-%d", random.IntN(40))
		if values := []string{"1", "1.0", `"1"`, "10e-1", "true", `"true"`, "1e60", "10e59", "1e9999999999999999999"}; random.IntN(4) == 0 {
			event["user"] = json.RawMessage(values[random.IntN(len(values))])
		}
	}
	if random.IntN(12) > 0 {
		event["v"] = json.RawMessage(randomAmount(random))
	}
	if random.IntN(40) == 0 {
		event["team"] = []any{[]int{1}, json.RawMessage("-1e1000000000000000000")}[random.IntN(2)]
	}
	data, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return data
}

func randomMeterQuery(tb testing.TB, random *rand.Rand, config meterConfig, start time.Time, stretch time.Duration) meterQuery {
	tb.Helper()
	q := meterQuery{rolling: 1, zone: zone(tb, meterZones[random.IntN(len(meterZones))])}
	windows := []string{"", "minute", "quarter_hour", "hour", "day", "week", "month"}
	switch config.Resolution {
	case "hour", "day":
		q.zone = zone(tb, config.Timezone)
		windows = slices.DeleteFunc(windows, func(w string) bool {
			return w == "minute" || w == "quarter_hour" || config.Resolution == "day" && w == "hour"
		})
	case "quarter_hour":
		windows = slices.DeleteFunc(windows, func(w string) bool { return w == "minute" })
	}
	q.window = windows[random.IntN(len(windows))]
	q.picks = slices.Clone(allPicks)
	random.Shuffle(len(q.picks), func(i, j int) { q.picks[i], q.picks[j] = q.picks[j], q.picks[i] })
	q.picks = q.picks[:1+random.IntN(len(q.picks))]
	for _, name := range []string{"model", "team"} {
		if random.IntN(2) == 0 {
			q.groupBy = append(q.groupBy, name)
		}
		if random.IntN(4) == 0 {
			q.filters = map[string][]string{name: []string{"gpt-4", "7", "true", "1.0e50"}[random.IntN(3):]}
		}
	}
	edge := func() time.Time {
		t := start.Add(time.Duration(random.Int64N(int64(stretch))))
		if q.window != "" && random.IntN(2) == 0 {
			return windowOf(q.window, q.zone, t).from
		}
		part, at := config.Resolution, time.UTC
		if config.Timezone != "" {
			at = zone(tb, config.Timezone)
		}
		return windowOf(part, at, t).from
	}
	if random.IntN(2) == 0 {
		q.from = edge()
	}
	if random.IntN(2) == 0 {
		q.to = edge()
	}
	if q.window != "" && random.IntN(3) == 0 && q.window != "minute" {
		q.from, q.to = windowOf(q.window, q.zone, start).from, windowOf(q.window, q.zone, start.Add(stretch/2)).to
		q.rolling = 2 + random.IntN(8)
	}
	if !q.from.IsZero() && !q.to.IsZero() && !q.from.Before(q.to) {
		q.from, q.to = q.to, q.from
		if q.from.Equal(q.to) {
			q.to = time.Time{}
		}
	}
	return q
}

// TestMeterAgainstModel folds random events and asks random queries, around changes of clocks.
func TestMeterAgainstModel(t *testing.T) {
	const events, questions = 400, 30
	starts := []string{"2025-03-07", "2024-10-25", "2011-12-24", "2023-01-28", "2025-04-03", "2006-10-27"}
	for i, resolution := range []string{"minute", "quarter_hour", "hour", "day", "quarter_hour", "hour"} {
		t.Run(fmt.Sprintf("%s %s", starts[i], resolution), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(i), 2025))
			config := meterConfig{
				Type: "use", Value: "/v", Unique: "/user", GroupBy: map[string]string{"model": "/model", "team": "/team"},
				Aggregations: allPicks, Resolution: resolution,
			}
			if resolution == "hour" || resolution == "day" {
				config.Timezone = []string{"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"}[i%3]
			}
			start, err := time.Parse(time.DateOnly, starts[i])
			if err != nil {
				t.Fatal(err)
			}
			stretch := 12 * 24 * time.Hour
			list := make([][]byte, events)
			for i := range list {
				list[i] = meterEvent(random, start, stretch)
			}
			m := newModelled(t, config, list)
			m.compareUncounted(t)
			for range questions {
				m.check(t, randomMeterQuery(t, random, config, start, stretch))
			}
		})
	}
}

func (m *modelled) compareUncounted(tb testing.TB) {
	tb.Helper()
	var uncounted struct{ Count map[string]int }
	answer := m.view.ask(tb, m.state, "uncounted")
	if err := json.Unmarshal([]byte(answer), &uncounted); err != nil {
		tb.Fatalf("%v in %s", err, answer)
	}
	if got, want := fmt.Sprint(uncounted.Count), fmt.Sprint(m.model.wrong); got != want {
		tb.Errorf("uncounted is %s, the model has %s", got, want)
	}
}
