package testrig

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/tallystick/tallystick/views"
)

// Event is one row of the events table.
type Event struct {
	Sequence         int64
	Time, RecordedAt time.Time
	Type             string
	Key              *string
	Data             []byte
	Hash             []byte
}

// Model is a view written in Go, for comparison.
type Model interface {
	// Fold takes one event. An error halts the view there: the event has changed nothing, and the view's own message
	// contains the error's.
	Fold(e *Event) error
	// State is what the view keeps, key by key, byte for byte.
	State() map[string]string
}

// ModelOf returns a fresh model of the view with these bytes and this configuration; false when there is none.
func ModelOf(module [sha256.Size]byte, config string) (Model, bool) {
	switch module {
	case sha256.Sum256(views.MonthlyTotals()):
		return newTotals(countMonth, `{"tokens_in":`, `,"tokens_out":`, `}`), true
	case sha256.Sum256(views.RateCheck()):
		return newTotals(countMinute, `{"requests":`, `,"tokens":`, `}`), true
	case sha256.Sum256(views.CostByTeam()):
		return newTotals(countCost(config), `{"requests":`, `,"tokens_in":`, `,"tokens_out":`, `,"cost":"`, `","unpriced":`, `}`), true
	case sha256.Sum256(Scripted()):
		return NewScript(), true
	}
	return nil, false
}

// totals is a model that adds numbers up under keys.
type totals struct {
	count func(u usage) (key string, add []*big.Rat) // "" ignores the event
	frame []string                                   // the texts before, between and after the numbers
	sums  map[string][]*big.Rat
}

func newTotals(count func(u usage) (string, []*big.Rat), frame ...string) *totals {
	return &totals{count: count, frame: frame, sums: map[string][]*big.Rat{}}
}

func (m *totals) Fold(e *Event) error {
	u, err := readUsage(e)
	if err != nil {
		return err
	}
	key, add := m.count(u)
	if key == "" {
		return nil
	}
	sums := m.sums[key]
	if sums == nil {
		sums = make([]*big.Rat, len(add))
		for i := range sums {
			sums[i] = new(big.Rat)
		}
		m.sums[key] = sums
	}
	for i := range add {
		sums[i].Add(sums[i], add[i])
	}
	return nil
}

func (m *totals) State() map[string]string {
	state := make(map[string]string, len(m.sums))
	for key, sums := range m.sums {
		var text strings.Builder
		for i, sum := range sums {
			text.WriteString(m.frame[i] + plain(sum))
		}
		state[key] = text.String() + m.frame[len(sums)]
	}
	return state
}

// plain writes a number of at most 54 digits after its point without an exponent and without needless zeros.
func plain(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(54), "0")
}

// usage is what the ready views read from an event.
type usage struct {
	time          time.Time
	model, team   any
	in, out       *big.Rat // 0 where they are no numbers that count
	hasIn, hasOut bool
}

func readUsage(e *Event) (usage, error) {
	decoder := json.NewDecoder(bytes.NewReader(e.Data))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return usage{}, fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	u := usage{time: e.Time.UTC(), model: members["model"], team: members["team"]}
	u.in, u.hasIn = amount(members["tokens_in"])
	u.out, u.hasOut = amount(members["tokens_out"])
	return u, nil
}

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?$`)
	tenTo45    = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(45), nil))
	tenTo27    = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(27), nil))
)

// amount reads a number, or a string that reads as one, below 10^45 and with at most 27 digits after its point.
func amount(value any) (*big.Rat, bool) {
	text, ok := value.(string)
	if n, isNumber := value.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	if !ok || !jsonNumber.MatchString(text) {
		return new(big.Rat), false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || new(big.Rat).Abs(r).Cmp(tenTo45) >= 0 || !new(big.Rat).Mul(r, tenTo27).IsInt() {
		return new(big.Rat), false
	}
	return r, true
}

// monthKey is the month and a model's or team's name, "" when the name cannot be part of a key.
func monthKey(u usage, name any) string {
	var text string
	switch name := name.(type) {
	case nil:
	case string:
		text = name
	case json.Number:
		text = name.String()
	case bool:
		text = fmt.Sprint(name)
	default:
		return ""
	}
	key := u.time.Format("2006-01/") + text
	if len(key) > 1024 || strings.ContainsRune(key, 0) || !fourDigitYear(u.time) {
		return ""
	}
	return key
}

func fourDigitYear(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

func countMonth(u usage) (string, []*big.Rat) {
	if !u.hasIn && !u.hasOut {
		return "", nil
	}
	return monthKey(u, u.model), []*big.Rat{u.in, u.out}
}

func countMinute(u usage) (string, []*big.Rat) {
	if !fourDigitYear(u.time) {
		return "", nil
	}
	return u.time.Format("2006-01-02T15:04"), []*big.Rat{big.NewRat(1, 1), new(big.Rat).Add(u.in, u.out)}
}

func countCost(config string) func(u usage) (string, []*big.Rat) {
	var parsed struct {
		Prices map[string]struct {
			In  json.RawMessage `json:"tokens_in"`
			Out json.RawMessage `json:"tokens_out"`
		}
	}
	if err := json.Unmarshal([]byte(config), &parsed); err != nil {
		panic(err) // the configuration is the tests' own
	}
	price := func(text json.RawMessage) *big.Rat {
		r, _ := new(big.Rat).SetString(strings.Trim(string(text), `"`))
		return r
	}
	return func(u usage) (string, []*big.Rat) {
		if !u.hasIn && !u.hasOut {
			return "", nil
		}
		model, _ := u.model.(string)
		prices, priced := parsed.Prices[model]
		if !priced {
			prices, priced = parsed.Prices["*"]
		}
		cost, unpriced := new(big.Rat), big.NewRat(1, 1)
		if priced {
			unpriced = new(big.Rat)
			in, out := price(prices.In), price(prices.Out)
			cost.Add(in.Mul(in, u.in), out.Mul(out, u.out))
		}
		return monthKey(u, u.team), []*big.Rat{big.NewRat(1, 1), u.in, u.out, cost, unpriced}
	}
}
