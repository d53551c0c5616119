package views_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

// smallQueryGas is the gas of a query here, so that the states that pass it are no larger than they must be.
const smallQueryGas = wasm.DefaultQueryGas / 10

// largeQuestion is a query that passes what one may read, of a state that was made for it.
type largeQuery struct {
	name, config, query string
	state               *sortedState
}

func largeQueries() []largeQuery {
	const all = `"value":"/v","aggregations":["count","sum","min","max","average","latest","p50","p99"]`
	hour := func(i int) string { return firstHour.Add(time.Duration(i) * time.Hour).Format(time.RFC3339) }
	most := strings.Repeat("9", 80) + "." + strings.Repeat("9", 54)
	long := `{"count":1,"values":1,"sum":` + most + `,"min":` + most + `,"max":` + most + `,"latest":` + most +
		`,"latest_time":1,"latest_sequence":1}`
	short := `{"count":1,"values":1,"sum":1,"min":1,"max":1,"latest":1,"latest_time":1,"latest_sequence":1}`
	var buckets strings.Builder
	for i := range 117 {
		fmt.Fprintf(&buckets, `,"%d":1000000`, i)
	}
	full := "{" + buckets.String()[1:] + "}"
	grouped := `,"group_by":{"a":"/a","b":"/b"},"resolution":"hour"`
	of := func(n int, entry func(i int) (key, value string)) *sortedState { return newSortedState(n, entry) }
	sum := func(n int, key func(i int) string) *sortedState {
		return of(n, func(i int) (string, string) { return "total/" + key(i), `{"count":2,"values":2,"sum":3.5}` })
	}
	sums := `{"value":"/v","aggregations":["sum"]` + grouped + `}`
	ab := func(i int) string { return fmt.Sprintf("a%07d/b%d/%s", i/3, i%3, hour(i%5)) }
	return []largeQuery{
		{"parts", sums, "", sum(40_000, func(i int) string { return fmt.Sprintf("a/b%03d/%s", i/1000, hour(i%1000)) })},
		{"hours", sums, "window=hour", sum(30_000, func(i int) string { return "a/b/" + hour(i) })},
		{
			"hours of groups", sums, "window=hour&group_by=b",
			sum(30_000, func(i int) string { return fmt.Sprintf("a%d/b%d/%s", i%7, i%11, hour(i)) }),
		},
		{
			"rolling", sums, "window=hour&rolling=366&from=2024-01-01&to=2050-01-01",
			sum(10_000, func(i int) string { return "a/b/" + hour(i) }),
		},
		{"other groups", sums, "group_by=b", sum(30_000, func(i int) string { return fmt.Sprintf("a/b%d/%s", i, hour(i)) })},
		{
			"other groups, unsorted", sums, "group_by=b",
			sum(30_000, func(i int) string { return fmt.Sprintf("a%d/b%d/%s", i, i*7919%30_000, hour(i)) }),
		},
		{"left out by a filter", sums, "b=none", sum(30_000, ab)},
		{"left out by time", sums, "from=2030-01-01", sum(30_000, ab)},
		{"before the time", sums, "from=2024-01-01T04:00:00Z", sum(30_000, ab)},
		{
			"long decimals", "{" + all + grouped + "}", "aggregation=sum",
			of(15_000, func(i int) (string, string) { return "total/" + ab(i), long }),
		},
		{
			"long decimals by group", "{" + all + grouped + "}", "group_by=b&aggregation=sum,average",
			of(15_000, func(i int) (string, string) { return "total/" + ab(i), long }),
		},
		{"percentiles", "{" + all + grouped + "}", "aggregation=p50", of(15_000, func(i int) (string, string) {
			if i%2 == 0 {
				return "total/" + ab(i), short
			}
			return "sketch/" + ab(i-1) + "/+5" + fmt.Sprint(i/2%10), full
		})},
		{"small sketches", "{" + all + grouped + "}", "aggregation=p50&window=hour&group_by=b", of(30_000, func(i int) (string, string) {
			if i%2 == 0 {
				return "total/" + ab(i), short
			}
			return "sketch/" + ab(i-1) + "/+5" + fmt.Sprint(i/2%10), `{"5":1}`
		})},
		{"unique values", `{"unique":"/u","aggregations":["unique"]` + grouped + `}`, "", of(60_000, func(i int) (string, string) {
			return fmt.Sprintf("unique/a/b/%s/=user-%d", hour(0), i), "1"
		})},
		{"long unique values", `{"unique":"/u","aggregations":["unique"]` + grouped + `}`, "", of(15_000, func(i int) (string, string) {
			return fmt.Sprintf("unique/a/b/%s/=%0900d", hour(0), i%5_000), "1"
		})},
		{"uncounted", sums, "", of(40_000, func(i int) (string, string) {
			return "uncounted/" + ab(i), `{"value_null":1,"value_not_a_number":1}`
		})},
		{"ungrouped", sums, "", of(40_000, func(i int) (string, string) { return "ungrouped/" + hour(i), `{"group_not_text":1}` })},
	}
}

// TestMeterRefusesWhatIsTooLarge asks what no query may read: each is refused in the meter's own words, within the gas
// of a query.
func TestMeterRefusesWhatIsTooLarge(t *testing.T) {
	for _, q := range largeQueries() {
		t.Run(q.name, func(t *testing.T) {
			config := fmt.Sprintf(`%s,"query_gas":%d}`, strings.TrimSuffix(q.config, "}"), smallQueryGas)
			v, err := viewtest.Deploy(t.Context(), compile(t, "meter"), wasm.Settings{Config: []byte(config), QueryGas: smallQueryGas})
			if err != nil {
				t.Fatal(err)
			}
			d := &deployed{v}
			session := d.start(t, q.state)
			defer session.Close()
			answer, err := session.Query(q.query)
			used := session.GasUsed() * 100 / smallQueryGas
			t.Logf("%d %% of the gas of a query, %d keys read", used, q.state.scanned)
			if err == nil {
				t.Errorf("answered %.300s", answer)
			} else if got := refusal(t, err); !strings.HasPrefix(got, "the question needs more memory or gas than one may take") {
				t.Errorf("refused with %q", got)
			}
		})
	}
}
