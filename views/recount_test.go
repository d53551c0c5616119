package views_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/viewtest"
)

// The recount is a second, independent implementation of the views: encoding/json, math/big and time do what the C kit
// does by hand.

// recountEvents is how many random events are folded and recounted.
const recountEvents = 20_000

const recountPrices = `{"prices":{"gpt-4":{"tokens_in":"0.00003","tokens_out":6e-5},` +
	`"größe":{"tokens_in":"-1.5","tokens_out":"999999999999999999.000000000000000000000000001"},"*":{"tokens_in":0,"tokens_out":"7"}}}`

func TestRecount(t *testing.T) {
	counters := map[string]struct {
		config string
		count  func(*books, usage) (applied bool)
	}{
		"monthly_totals": {"", countMonth},
		"rate_check":     {"", countMinute},
		"cost_by_team":   {recountPrices, countCost},
	}
	for view, counter := range counters {
		t.Run(view, func(t *testing.T) {
			random := rand.New(rand.NewPCG(20250301, uint64(len(view))))
			d := mustDeploy(t, view, counter.config)
			events := make([][]byte, recountEvents)
			want := newBooks()
			var wantIgnored []int64
			for i := range events {
				events[i] = randomEvent(random)
				u := readUsage(t, events[i])
				u.sequence = int64(i + 1)
				if !counter.count(want, u) {
					wantIgnored = append(wantIgnored, int64(i+1))
				}
			}
			folded := d.foldAll(t, events)
			if !slices.Equal(folded.Ignored, wantIgnored) {
				t.Errorf("the view ignored %d events, the recount %d", len(folded.Ignored), len(wantIgnored))
			}
			compare(t, want, folded.State)
			if len(want.left) < 5 {
				t.Errorf("something is left out under %d keys only", len(want.left))
			}
			if view == "rate_check" {
				compareMinutes(t, d, want, folded.State)
			} else {
				compareMonths(t, d, want, folded.State)
			}
		})
	}
}

// compare checks that the state holds exactly the recounted totals, each in its one written form, and what is left out of them.
func compare(t *testing.T, want *books, state memoryState) {
	t.Helper()
	if len(state) != len(want.totals)+len(want.left) {
		t.Errorf("the state has %d keys, the recount %d and %d of what is left out", len(state), len(want.totals), len(want.left))
	}
	for key, left := range want.left {
		if got := string(state["uncounted/"+key]); got != left.String() {
			t.Errorf("of key %q is left out %s, the recount says %s", key, got, left)
		}
	}
	for key, totals := range want.totals {
		var found map[string]json.RawMessage
		if err := json.Unmarshal(state[key], &found); err != nil {
			t.Errorf("key %q: %v in %q", key, err, state[key])
			continue
		}
		if len(found) != len(totals) {
			t.Errorf("key %q has the totals %s, the recount has %d", key, state[key], len(totals))
		}
		for name, total := range totals {
			if got := strings.Trim(string(found[name]), `"`); got != plain(total) {
				t.Errorf("key %q: %s is %s, the recount says %s", key, name, got, plain(total))
			}
		}
	}
}

// plain writes a number that has at most 54 digits after its point the way the views do.
func plain(r *big.Rat) string {
	text := strings.TrimRight(strings.TrimRight(r.FloatString(54), "0"), ".")
	if r.IsInt() {
		text = r.Num().String()
	}
	return text
}

// books are the totals by key and name, and what is left out of them by key.
type books struct {
	totals map[string]map[string]*big.Rat
	left   map[string]*leftOut
}

func newBooks() *books {
	return &books{map[string]map[string]*big.Rat{}, map[string]*leftOut{}}
}

func (b *books) add(key, name string, amount *big.Rat) {
	if b.totals[key] == nil {
		b.totals[key] = map[string]*big.Rat{}
	}
	if b.totals[key][name] == nil {
		b.totals[key][name] = new(big.Rat)
	}
	b.totals[key][name].Add(b.totals[key][name], amount)
}

// usage is what the recount makes of an event.
type usage struct {
	sequence    int64
	time        time.Time
	model, team any
	in, out     tokens
}

func readUsage(t *testing.T, data []byte) usage {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var event map[string]any
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	happened := viewtest.RecordedAt
	if text, ok := event["time"].(string); ok {
		var err error
		if happened, err = time.Parse(time.RFC3339, text); err != nil {
			t.Fatal(err)
		}
	}
	u := usage{time: happened.UTC(), model: event["model"], team: event["team"]}
	u.in, u.out = readTokens(event["tokens_in"]), readTokens(event["tokens_out"])
	return u
}

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	tooLarge   = new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(10), big.NewInt(45), nil), big.NewInt(1))
	fineness   = new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(10), big.NewInt(27), nil), big.NewInt(1))
)

// amount reads a number or a string that reads as one, of under 10^45 and with at most 27 digits after its point.
func amount(value any) (*big.Rat, bool) {
	text, ok := value.(string)
	if number, isNumber := value.(json.Number); isNumber {
		text, ok = number.String(), true
	}
	if !ok || !jsonNumber.MatchString(text) {
		return new(big.Rat), false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || new(big.Rat).Abs(r).Cmp(tooLarge) >= 0 || !new(big.Rat).Mul(r, fineness).IsInt() {
		return new(big.Rat), false
	}
	return r, true
}

// tokens are what a field of tokens holds.
type tokens struct {
	n       *big.Rat // zero where it is not counted
	present bool     // there is something
	fault   string   // why that is not counted
}

func readTokens(value any) tokens {
	n, ok := amount(value)
	read := tokens{n: n, present: value != nil}
	text, isText := value.(string)
	_, isNumber := value.(json.Number)
	switch {
	case ok || value == nil:
	case isNumber || isText && jsonNumber.MatchString(text):
		read.fault = "has_too_many_digits"
	default:
		read.fault = "not_a_number"
	}
	return read
}

func (r tokens) counts() bool { return r.present && r.fault == "" }

// name is what a model or team is kept under, or why it cannot be.
func name(value any) (text, fault string) {
	switch value := value.(type) {
	case nil:
	case string:
		text = value
	case json.Number:
		text = value.String()
	case bool:
		text = fmt.Sprint(value)
	default:
		return "", "not_text"
	}
	switch {
	case len(text) > 1024-len("2025-03/"):
		return "", "too_long"
	case strings.ContainsRune(text, 0):
		return "", "has_nul"
	}
	return text, ""
}

// countByMonth tells the key of an event's totals; "" where it is in none.
func (b *books) countByMonth(u usage, field string, value any) (key string, applied bool) {
	if !u.in.present && !u.out.present {
		return "", false
	}
	month := u.time.Format("2006-01/")
	text, fault := name(value)
	if fault != "" {
		b.leave(month, u.sequence, field+"_"+fault)
		return "", true
	}
	key = month + text
	left := key
	if len("uncounted/"+left) > 1024 {
		left = month
	}
	b.leaveAmounts(left, u)
	if !u.in.counts() && !u.out.counts() {
		return "", true
	}
	return key, true
}

func countMonth(b *books, u usage) bool {
	key, applied := b.countByMonth(u, "model", u.model)
	if key != "" {
		b.add(key, "tokens_in", u.in.n)
		b.add(key, "tokens_out", u.out.n)
	}
	return applied
}

func countMinute(b *books, u usage) bool {
	key := u.time.Format("2006-01-02T15:04")
	b.add(key, "requests", big.NewRat(1, 1))
	b.add(key, "tokens", new(big.Rat).Add(u.in.n, u.out.n))
	b.leaveAmounts(key, u)
	return true
}

func countCost(b *books, u usage) bool {
	key, applied := b.countByMonth(u, "team", u.team)
	if key == "" {
		return applied
	}
	priceIn, priceOut := "0", "7"
	switch u.model {
	case "gpt-4":
		priceIn, priceOut = "0.00003", "0.00006"
	case "größe":
		priceIn, priceOut = "-1.5", "999999999999999999.000000000000000000000000001"
	}
	b.add(key, "requests", big.NewRat(1, 1))
	b.add(key, "tokens_in", u.in.n)
	b.add(key, "tokens_out", u.out.n)
	b.add(key, "unpriced", new(big.Rat))
	for _, part := range []struct {
		price  string
		amount *big.Rat
	}{{priceIn, u.in.n}, {priceOut, u.out.n}} {
		price, _ := new(big.Rat).SetString(part.price)
		b.add(key, "cost", price.Mul(price, part.amount))
	}
	return true
}

// randomEvent is usually an ordinary event and now and then an odd one.
func randomEvent(random *rand.Rand) []byte {
	var members []string
	put := func(name, value string) { members = append(members, `"`+name+`":`+value) }
	if random.IntN(10) > 0 {
		offset := time.FixedZone("", 60*(random.IntN(2*14*60)-14*60))
		happened := time.Unix(random.Int64N(90*86400)+1_735_000_000, random.Int64N(1e9)).In(offset)
		put("time", `"`+happened.Format(time.RFC3339Nano)+`"`)
	}
	if random.IntN(20) > 0 {
		put("model", randomName(random))
	}
	if random.IntN(20) > 0 {
		put("team", randomName(random))
	}
	if random.IntN(20) > 0 {
		put("tokens_in", randomAmount(random))
	}
	if random.IntN(20) > 0 {
		put("tokens_out", randomAmount(random))
	}
	random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return []byte("{" + strings.Join(members, ",") + "}")
}

func randomName(random *rand.Rand) string {
	common := []string{`"gpt-4"`, `"gr\u00f6\u00dfe"`, `"search"`, `"ads"`}
	odd := []string{
		`null`, `""`, `7`, `-1.50e+2`, `true`, `false`, `[]`, `{"a":[1]}`, `"nul\u0000"`, `"\ud800x"`, `"\ud83d\ude00"`, `"a/b\"\\\n"`,
		`"` + strings.Repeat("y", 1006) + `"`, `"` + strings.Repeat("z", 1007) + `"`, `"` + strings.Repeat("\\u0000", 1017) + `"`,
		`"` + strings.Repeat("x", 1016) + `"`, `"` + strings.Repeat("x", 1017) + `"`, `"` + strings.Repeat("é", 508) + `"`,
	}
	if random.IntN(8) > 0 {
		return common[random.IntN(len(common))]
	}
	return odd[random.IntN(len(odd))]
}

func randomAmount(random *rand.Rand) string {
	odd := []string{
		`null`, `true`, `[]`, `{}`, `""`, `"12a"`, `" 1"`, `"1"`, `-0`, `-0.0`, `0e5`, `1e18`, `-1e18`, `1e17`, `1e44`, `-1e45`, `1e-27`,
		`1e-28`, `"0.5e1"`, `999999999999999999.999999999999999999999999999`,
		`"` + strings.Repeat("9", 45) + "." + strings.Repeat("9", 27) + `"`, "1" + strings.Repeat("0", 45), `1e400`, `1e-400`,
		`10000000000000000000e-2`, `"01"`, `"1."`, `"-"`,
	}
	switch random.IntN(8) {
	case 0:
		return odd[random.IntN(len(odd))]
	case 1: // any digits, point and exponent
		text := fmt.Sprint(random.Int64N(1e18) - 5e17)
		if random.IntN(2) == 0 {
			text += "." + digits(random, 1+random.IntN(30))
		}
		if random.IntN(2) == 0 {
			text += fmt.Sprintf("e%d", random.IntN(50)-30)
		}
		if random.IntN(2) == 0 {
			text = `"` + text + `"`
		}
		return text
	case 2:
		return fmt.Sprint(random.Float64())
	default:
		return fmt.Sprint(random.IntN(100_000))
	}
}

func digits(random *rand.Rand, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('0' + random.IntN(10))
	}
	return string(text)
}
