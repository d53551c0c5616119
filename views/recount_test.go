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
	"unicode/utf8"

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
		count  func(books, usage) (applied bool)
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
			want := books{}
			var wantIgnored []int64
			for i := range events {
				events[i] = randomEvent(random)
				if !counter.count(want, readUsage(t, events[i])) {
					wantIgnored = append(wantIgnored, int64(i+1))
				}
			}
			folded := d.foldAll(t, events)
			if !slices.Equal(folded.Ignored, wantIgnored) {
				t.Errorf("the view ignored %d events, the recount %d", len(folded.Ignored), len(wantIgnored))
			}
			compare(t, want, folded.State)
		})
	}
}

// compare checks that the state holds exactly the recounted totals, each in its one written form.
func compare(t *testing.T, want books, state memoryState) {
	t.Helper()
	if len(state) != len(want) {
		t.Errorf("the state has %d keys, the recount %d", len(state), len(want))
	}
	for key, totals := range want {
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

// books are the totals by key and name.
type books map[string]map[string]*big.Rat

func (b books) add(key, name string, amount *big.Rat) {
	if b[key] == nil {
		b[key] = map[string]*big.Rat{}
	}
	if b[key][name] == nil {
		b[key][name] = new(big.Rat)
	}
	b[key][name].Add(b[key][name], amount)
}

// usage is what the recount makes of an event.
type usage struct {
	time          time.Time
	model, team   any
	in, out       *big.Rat // zero where they cannot be counted
	hasIn, hasOut bool
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
	u.in, u.hasIn = amount(event["tokens_in"])
	u.out, u.hasOut = amount(event["tokens_out"])
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

// name is what a model or team is kept under.
func name(value any) (string, bool) {
	text := ""
	switch value := value.(type) {
	case nil:
	case string:
		text = value
	case json.Number:
		text = value.String()
	case bool:
		text = fmt.Sprint(value)
	default:
		return "", false
	}
	return text, len(text) <= 1024-len("2025-03/") && !strings.ContainsRune(text, 0) && utf8.ValidString(text)
}

func countMonth(b books, u usage) bool {
	model, ok := name(u.model)
	if !ok || (!u.hasIn && !u.hasOut) {
		return false
	}
	key := u.time.Format("2006-01/") + model
	b.add(key, "tokens_in", u.in)
	b.add(key, "tokens_out", u.out)
	return true
}

func countMinute(b books, u usage) bool {
	key := u.time.Format("2006-01-02T15:04")
	b.add(key, "requests", big.NewRat(1, 1))
	b.add(key, "tokens", new(big.Rat).Add(u.in, u.out))
	return true
}

func countCost(b books, u usage) bool {
	team, ok := name(u.team)
	if !ok || (!u.hasIn && !u.hasOut) {
		return false
	}
	priceIn, priceOut := "0", "7"
	switch u.model {
	case "gpt-4":
		priceIn, priceOut = "0.00003", "0.00006"
	case "größe":
		priceIn, priceOut = "-1.5", "999999999999999999.000000000000000000000000001"
	}
	key := u.time.Format("2006-01/") + team
	b.add(key, "requests", big.NewRat(1, 1))
	b.add(key, "tokens_in", u.in)
	b.add(key, "tokens_out", u.out)
	b.add(key, "unpriced", new(big.Rat))
	for _, part := range []struct {
		price  string
		amount *big.Rat
	}{{priceIn, u.in}, {priceOut, u.out}} {
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
		`"` + strings.Repeat("x", 1016) + `"`, `"` + strings.Repeat("x", 1017) + `"`, `"` + strings.Repeat("é", 508) + `"`,
	}
	if random.IntN(8) > 0 {
		return common[random.IntN(len(common))]
	}
	return odd[random.IntN(len(odd))]
}

func randomAmount(random *rand.Rand) string {
	odd := []string{
		`null`, `true`, `[]`, `{}`, `""`, `"12a"`, `" 1"`, `"1"`, `-0`, `-0.0`, `0e5`, `1e18`, `-1e18`, `1e17`, `1e44`, `-1e45`, `1e-27`, `1e-28`, `"0.5e1"`,
		`999999999999999999.999999999999999999999999999`, `"` + strings.Repeat("9", 45) + "." + strings.Repeat("9", 27) + `"`, "1" + strings.Repeat("0", 45), `1e400`, `1e-400`, `10000000000000000000e-2`, `"01"`, `"1."`, `"-"`,
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
