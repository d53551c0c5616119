package views_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The model of meter is a second, independent implementation: it keeps every event and answers each query from them, with
// math/big for decimals and package time for zones.

// meterConfig is a configuration of meter; its JSON is what is deployed.
type meterConfig struct {
	Type         any               `json:"type,omitempty"` // a string or a list of them
	Value        string            `json:"value,omitempty"`
	Unique       string            `json:"unique,omitempty"`
	GroupBy      map[string]string `json:"group_by,omitempty"`
	Aggregations []string          `json:"aggregations,omitempty"`
	Resolution   string            `json:"resolution,omitempty"`
	Timezone     string            `json:"timezone,omitempty"`
}

// meterQuestion is a query to meter, in Go's terms.
type meterQuery struct {
	window   string // none: the whole stretch
	zone     *time.Location
	from, to time.Time // zero: open
	rolling  int
	groupBy  []string
	filters  map[string][]string
	picks    []string
}

// counted is an event as the model keeps it.
type counted struct {
	sequence int
	time     time.Time
	groups   map[string]string // as in keys
	value    *big.Rat          // nil: not countable
	unique   string            // as in keys; "": none
}

// missed is an event that was not counted, or not in full.
type missed struct {
	time   time.Time
	groups map[string]string // nil: none
}

// model keeps what a configuration makes of events; wrong counts the reasons for which events were not counted, or not in full.
type model struct {
	config meterConfig
	events []counted
	out    []missed
	wrong  map[string]int
}

// member reads a top-level member of an event; the model's configurations name no others.
func member(event map[string]any, pointer string) (any, bool) {
	v, ok := event[strings.TrimPrefix(pointer, "/")]
	return v, ok
}

// none is a value that is missing or null, as in keys.
const none = "~"

// encoded is what a value is grouped or told apart by, as it stands in keys; why says where there is no such thing.
func encoded(value any) (text, why string) {
	switch value := value.(type) {
	case nil:
		return none, ""
	case string:
		return strings.NewReplacer("~", "~0", "/", "~1", "\x00", "~2").Replace(value), ""
	case json.Number:
		text, ok := canonical(value.String())
		if !ok {
			return "", "exponent_too_long"
		}
		return "~n" + text, ""
	case bool:
		return "~" + strconv.FormatBool(value)[:1], ""
	case map[string]any: // of an answer
		if number, ok := value["number"].(string); ok {
			return "~n" + number, ""
		}
	}
	return "", "not_text"
}

// canonical is a number's one text.
func canonical(text string) (string, bool) {
	digits, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if len(strings.TrimLeft(exponent, "+-0")) > 18 && strings.Trim(digits, "-0.") != "" {
		return "", false
	}
	if r, ok := amount(json.Number(text)); ok {
		return plain(r), true
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	power, ten, sign := 0, big.NewRat(10, 1), ""
	if r.Sign() < 0 {
		sign = "-"
		r.Neg(r)
	}
	for ; r.Cmp(ten) >= 0; power++ {
		r.Quo(r, ten)
	}
	for ; r.Cmp(big.NewRat(1, 1)) < 0; power-- {
		r.Mul(r, ten)
	}
	return fmt.Sprintf("%s%se%d", sign, strings.TrimSuffix(strings.TrimRight(r.FloatString(400), "0"), "."), power), true
}

// add takes an event; it reports whether it is counted at all or of no interest.
func (m *model) add(sequence int, happened time.Time, event map[string]any) (ignored bool) {
	if m.config.Type != nil && event["type"] != m.config.Type {
		return true
	}
	var trouble []string
	c := counted{sequence: sequence, time: happened, groups: map[string]string{}}
	for name, pointer := range m.config.GroupBy {
		value, _ := member(event, pointer)
		of, why := encoded(value)
		if why != "" {
			m.wrong["group_"+why]++
			m.out = append(m.out, missed{time: happened})
			return false
		}
		c.groups[name] = of
	}
	if m.config.Value != "" {
		value, found := member(event, m.config.Value)
		number, ok := amount(value)
		switch {
		case ok:
			c.value = number
		case !found:
			trouble = append(trouble, "value_missing")
		case value == nil:
			trouble = append(trouble, "value_null")
		case isNumberText(value):
			trouble = append(trouble, "value_has_too_many_digits")
		default:
			trouble = append(trouble, "value_not_a_number")
		}
	}
	if m.config.Unique != "" {
		value, _ := member(event, m.config.Unique)
		of, why := encoded(value)
		switch {
		case value == nil:
			trouble = append(trouble, "unique_missing")
		case why != "":
			trouble = append(trouble, "unique_"+why)
		default:
			c.unique = "=" + of
		}
	}
	if len(trouble) > 0 {
		m.wrong[trouble[0]]++
		m.out = append(m.out, missed{happened, c.groups})
	}
	m.events = append(m.events, c)
	return false
}

func isNumberText(value any) bool {
	of, ok := value.(string)
	if number, isNumber := value.(json.Number); isNumber {
		of, ok = number.String(), true
	}
	return ok && jsonNumber.MatchString(of)
}

// meterRow is a row of an answer. A nil text is null.
type meterRow struct {
	from, to time.Time // zero: null
	key      string
	group    []string // as in keys
	results  []*string
	near     []*big.Rat // in place of a result that is only promised to be near
}

// answer answers a query from the events.
func (m *model) answer(q meterQuery) []meterRow {
	var rows []meterRow
	for _, stretch := range m.stretches(q) {
		groups := map[string][]counted{}
		keys := map[string][]string{}
		for _, event := range m.events {
			if event.time.Before(stretch.from) && !stretch.from.IsZero() || !stretch.to.IsZero() && !event.time.Before(stretch.to) ||
				!q.passes(event) {
				continue
			}
			var key strings.Builder
			var values []string
			for _, name := range q.groupBy {
				values = append(values, event.groups[name])
			}
			for _, name := range slices.Sorted(slices.Values(q.groupBy)) { // the order of the configuration
				key.WriteString(event.groups[name] + "/")
			}
			groups[key.String()] = append(groups[key.String()], event)
			keys[key.String()] = values
		}
		for key, events := range groups {
			row := meterRow{from: stretch.from, to: stretch.to, key: key, group: keys[key]}
			if row.aggregate(events, q.picks) {
				rows = append(rows, row)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b meterRow) int { return cmp.Compare(a.key, b.key) })
	if len(rows) == 0 && q.window == "" && len(q.groupBy) == 0 {
		row := meterRow{from: q.from, to: q.to}
		if row.aggregate(nil, q.picks) {
			rows = append(rows, row)
		}
	}
	return rows
}

// uncounted is how many events an answer to the query says were left out.
func (m *model) uncounted(q meterQuery) int {
	from, n := q.from, 0
	for i := 1; i < q.rolling; i++ {
		from = windowOf(q.window, q.zone, from.Add(-time.Second)).from
	}
	for _, event := range m.out {
		if !from.IsZero() && event.time.Before(from) || !q.to.IsZero() && !event.time.Before(q.to) {
			continue
		}
		if event.groups == nil || q.passes(counted{groups: event.groups}) {
			n++
		}
	}
	return n
}

func (q meterQuery) passes(event counted) bool {
	for name, allowed := range q.filters {
		if !slices.ContainsFunc(allowed, func(value string) bool {
			text, _ := encoded(value)
			number, isNumber := canonicalParameter(value)
			return event.groups[name] == text || isNumber && event.groups[name] == "~n"+number ||
				(value == "true" || value == "false") && event.groups[name] == "~"+value[:1]
		}) {
			return false
		}
	}
	return true
}

func canonicalParameter(value string) (string, bool) {
	if !jsonNumber.MatchString(value) {
		return "", false
	}
	return canonical(value)
}

type span struct{ from, to time.Time }

// stretches are what rows may cover, in order; a row is listed where it has something to say.
func (m *model) stretches(q meterQuery) []span {
	if q.window == "" {
		return []span{{q.from, q.to}}
	}
	starts := map[int64]span{}
	if q.rolling > 1 {
		for at := q.from; at.Before(q.to); {
			w := windowOf(q.window, q.zone, at)
			at = w.to
			covered := w
			for range q.rolling - 1 {
				covered.from = windowOf(q.window, q.zone, covered.from.Add(-time.Second)).from
			}
			starts[w.from.Unix()] = covered
		}
	} else {
		for _, event := range m.events {
			if !q.from.IsZero() && event.time.Before(q.from) || !q.to.IsZero() && !event.time.Before(q.to) {
				continue
			}
			w := windowOf(q.window, q.zone, event.time)
			key := w.from.Unix()
			if !q.from.IsZero() && w.from.Before(q.from) {
				w.from = q.from
			}
			if !q.to.IsZero() && w.to.After(q.to) {
				w.to = q.to
			}
			starts[key] = w
		}
	}
	var list []span
	for _, w := range starts {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b span) int { return a.to.Compare(b.to) })
	return list
}

// aggregate fills in the results; false if there is nothing of what was asked for.
func (r *meterRow) aggregate(events []counted, picks []string) bool {
	something := false
	var values []*big.Rat
	var latest counted
	sum, unique := new(big.Rat), map[string]bool{}
	for _, event := range events {
		if event.unique != "" {
			unique[event.unique] = true
		}
		if event.value == nil {
			continue
		}
		values = append(values, event.value)
		sum.Add(sum, event.value)
		if latest.value == nil || event.time.After(latest.time) || event.time.Equal(latest.time) && event.sequence > latest.sequence {
			latest = event
		}
	}
	slices.SortFunc(values, (*big.Rat).Cmp)
	for _, pick := range picks {
		var result string
		var near *big.Rat
		switch {
		case pick == "count":
			result = strconv.Itoa(len(events))
		case pick == "unique":
			result = strconv.Itoa(len(unique))
		case len(values) == 0:
			r.results, r.near = append(r.results, nil), append(r.near, nil)
			continue
		case pick == "sum":
			result = plain(sum)
		case pick == "min":
			result = plain(values[0])
		case pick == "max":
			result = plain(values[len(values)-1])
		case pick == "latest":
			result = plain(latest.value)
		case pick == "average":
			result = plain(roundHalfEven(new(big.Rat).Quo(sum, big.NewRat(int64(len(values)), 1))))
		default:
			near = nearestRank(values, strings.TrimPrefix(pick, "p"))
		}
		something = true
		r.results, r.near = append(r.results, &result), append(r.near, near)
	}
	return something
}

// nearestRank is the smallest value that at least so many percent of the sorted values do not exceed.
func nearestRank(values []*big.Rat, percent string) *big.Rat {
	p, _ := new(big.Rat).SetString(percent)
	p.Mul(p, big.NewRat(int64(len(values)), 100))
	rank := new(big.Int).Div(p.Num(), p.Denom())
	if !p.IsInt() {
		rank.Add(rank, big.NewInt(1))
	}
	return values[max(rank.Int64(), 1)-1]
}

// roundHalfEven rounds to 27 places after the point.
func roundHalfEven(r *big.Rat) *big.Rat {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(27), nil)
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(unit))
	whole, rest := new(big.Int).QuoRem(new(big.Int).Abs(scaled.Num()), scaled.Denom(), new(big.Int))
	if half := new(big.Int).Lsh(rest, 1).Cmp(scaled.Denom()); half > 0 || half == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	if r.Sign() < 0 {
		whole.Neg(whole)
	}
	return new(big.Rat).SetFrac(whole, unit)
}

// ---- Windows by package time ----

var spanSeconds = map[string]int64{"minute": 60, "quarter_hour": 900, "hour": 3600}

// windowOf is the window that holds t.
func windowOf(window string, zone *time.Location, t time.Time) span {
	if seconds, short := spanSeconds[window]; short {
		return shortWindow(seconds, zone, t)
	}
	local := t.In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	first, next := dates(window, day)
	w := span{startOfDay(zone, first), startOfDay(zone, next)}
	for !t.Before(w.to) { // clocks set back over midnight show a date again
		_, next = dates(window, next)
		w = span{w.to, startOfDay(zone, next)}
	}
	return w
}

// dates are the first day of the window that holds a day, and of the next; days are written as their midnight in UTC.
func dates(window string, day time.Time) (first, next time.Time) {
	switch window {
	case "week":
		first = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return first, first.AddDate(0, 0, 7)
	case "month":
		first = day.AddDate(0, 0, 1-day.Day())
		return first, first.AddDate(0, 1, 0)
	case "quarter":
		first = time.Date(day.Year(), (day.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
		return first, first.AddDate(0, 3, 0)
	case "year":
		first = time.Date(day.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
		return first, first.AddDate(1, 0, 0)
	default:
		return day, day.AddDate(0, 0, 1)
	}
}

type zonedDay struct {
	zone *time.Location
	day  int64
}

var startsOfDays = map[zonedDay]time.Time{}

// startOfDay looks minute by minute for the first one that the clock shows with the date or a later one.
func startOfDay(zone *time.Location, day time.Time) time.Time {
	key := zonedDay{zone, day.Unix()}
	if start, known := startsOfDays[key]; known {
		return start
	}
	date := day.Format(time.DateOnly)
	t := day.Add(-15 * time.Hour) // no clock is further ahead of UTC
	for t.In(zone).Format(time.DateOnly) < date {
		t = t.Add(time.Minute)
	}
	startsOfDays[key] = t
	return t
}

func shortWindow(seconds int64, zone *time.Location, t time.Time) span {
	local := t.In(zone)
	_, offset := local.Zone()
	at := local.Unix() + int64(offset)
	start := local.Unix() - (at%seconds+seconds)%seconds
	w := span{time.Unix(start, 0), time.Unix(start+seconds, 0)}
	began, ends := local.ZoneBounds()
	if !began.IsZero() && w.from.Before(began) {
		if _, before := began.Add(-time.Second).Zone(); (int64(offset)-int64(before))%seconds != 0 {
			w.from = began
		}
	}
	if !ends.IsZero() && w.to.After(ends) {
		if _, after := ends.Zone(); (int64(after)-int64(offset))%seconds != 0 {
			w.to = ends
		}
	}
	return w
}
