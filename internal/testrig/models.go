package testrig

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
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
	// Fold folds one event. An error halts the view there: the event has changed nothing, and the view's own message contains the error's
	// text.
	Fold(e *Event) error
	// State returns the state of the view, byte for byte.
	State() map[string]string
}

// Modules of the database in internal/view/testdata, which is of an earlier version. They behave like today's if events lack nothing.
var (
	formerTotals   = hashOf("d44394e26471e44b74f1ff934087178228117fbc29e9a098b2d68bc5d071e852")
	formerScripted = hashOf("aa6a1bdedbb13ea5678ab2aa78dec40ecc563c7aeb2b103a6b6969a3773aacbf")
)

func hashOf(text string) [sha256.Size]byte {
	hash, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return [sha256.Size]byte(hash)
}

// ModelOf returns a new model of the view with this module hash and configuration; false if there is none.
func ModelOf(module [sha256.Size]byte, config string) (Model, bool) {
	switch module {
	case sha256.Sum256(views.MonthlyTotals()), formerTotals:
		return newTotals(countMonth, `{"tokens_in":`, `,"tokens_out":`, `}`), true
	case sha256.Sum256(views.RateCheck()):
		return newTotals(countMinute, `{"requests":`, `,"tokens":`, `}`), true
	case sha256.Sum256(views.CostByTeam()):
		return newTotals(countCost(config), `{"requests":`, `,"tokens_in":`, `,"tokens_out":`, `,"cost":"`, `","unpriced":`, `}`), true
	case sha256.Sum256(Scripted()), formerScripted:
		return NewScript(), true
	case sha256.Sum256(ScriptedByDetail()):
		return &Script{details: true}, true
	case sha256.Sum256(Guarded()):
		return &counter{}, true
	}
	return nil, false
}

// totals is a model that adds up numbers by key, and counts what it leaves out.
type totals struct {
	count func(u usage) entry
	frame []string // the texts before, between and after the numbers
	sums  map[string][]*big.Rat
	left  map[string]*leftOut
}

// entry is the effect of an event; none if both keys are empty.
type entry struct {
	key     string // of the totals to add to
	add     []*big.Rat
	leftKey string // of the counts of reasons
	reasons []string
}

func newTotals(count func(u usage) entry, frame ...string) *totals {
	return &totals{count: count, frame: frame, sums: map[string][]*big.Rat{}, left: map[string]*leftOut{}}
}

func (m *totals) Fold(e *Event) error {
	u, err := readUsage(e)
	if err != nil {
		return err
	}
	entry := m.count(u)
	if len(entry.reasons) > 0 {
		if m.left[entry.leftKey] == nil {
			m.left[entry.leftKey] = &leftOut{}
		}
		m.left[entry.leftKey].note(e.Sequence, entry.reasons)
	}
	if entry.key == "" {
		return nil
	}
	sums := m.sums[entry.key]
	if sums == nil {
		sums = make([]*big.Rat, len(entry.add))
		for i := range sums {
			sums[i] = new(big.Rat)
		}
		m.sums[entry.key] = sums
	}
	for i := range entry.add {
		sums[i].Add(sums[i], entry.add[i])
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
	for key, left := range m.left {
		state[key] = left.String()
	}
	return state
}

// leftOut counts, by reason, the events that no total includes.
type leftOut struct {
	reasons []string // in order of first occurrence
	counts  []int64
	last    int64 // the sequence of the last event
}

func (l *leftOut) note(sequence int64, reasons []string) {
	for _, reason := range reasons {
		i := slices.Index(l.reasons, reason)
		if i < 0 {
			i = len(l.reasons)
			l.reasons, l.counts = append(l.reasons, reason), append(l.counts, 0)
		}
		l.counts[i]++
	}
	l.last = sequence
}

func (l *leftOut) String() string {
	var text strings.Builder
	for i, reason := range l.reasons {
		fmt.Fprintf(&text, `,"%s":%d`, reason, l.counts[i])
	}
	return "{" + text.String()[1:] + fmt.Sprintf(`,"last_sequence":%d}`, l.last)
}

// plain formats a number of at most 54 decimal places without an exponent or trailing zeros.
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
	in, out       *big.Rat // 0 unless they are valid amounts
	hasIn, hasOut bool
	given         bool     // the event has at least one of them
	faults        []string // why those that the event has are invalid
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
	for _, field := range []string{"tokens_in", "tokens_out"} {
		value := members[field]
		u.given = u.given || value != nil
		if _, counts := amount(value); value != nil && !counts {
			u.faults = append(u.faults, field+"_"+faultOf(value))
		}
	}
	return u, nil
}

// faultOf returns why a value is not an amount.
func faultOf(value any) string {
	if text, isText := value.(string); isText {
		if !numberOfAnySize.MatchString(text) {
			return "not_a_number"
		}
		return "has_too_many_digits"
	}
	if _, isNumber := value.(json.Number); isNumber {
		return "has_too_many_digits"
	}
	return "not_a_number"
}

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?$`)
	// The exponent of a number that counts is short.
	numberOfAnySize = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

	tenTo45 = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(45), nil))
	tenTo27 = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(27), nil))
)

// amount parses a number, or a string that holds one, below 10^45 and with at most 27 decimal places.
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

// nameOf returns the name of a model or team, or why it cannot be part of a key.
func nameOf(value any) (name, fault string) {
	switch value := value.(type) {
	case nil:
	case string:
		name = value
	case json.Number:
		name = value.String()
	case bool:
		name = fmt.Sprint(value)
	default:
		return "", "not_text"
	}
	if len("2025-03/"+name) > maxKeyBytes {
		return "", "too_long"
	}
	if strings.ContainsRune(name, 0) {
		return "", "has_nul"
	}
	return name, ""
}

const maxKeyBytes = 1024

func fourDigitYear(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// byMonth returns the entry of an event under its month and a name. field is how reasons refer to the name.
func byMonth(u usage, field string, value any, add []*big.Rat) entry {
	if !u.given {
		return entry{}
	}
	name, fault := nameOf(value)
	month := u.time.Format("2006-01/")
	reasons := u.faults
	if !fourDigitYear(u.time) {
		month, reasons, fault = "/", []string{"time_out_of_range"}, "time"
	} else if fault != "" {
		reasons = []string{field + "_" + fault}
	}
	left := "uncounted/" + month + name
	if len(left) > maxKeyBytes {
		left = "uncounted/" + month
	}
	if fault != "" || !u.hasIn && !u.hasOut {
		return entry{leftKey: left, reasons: reasons}
	}
	return entry{key: month + name, add: add, leftKey: left, reasons: reasons}
}

func countMonth(u usage) entry {
	return byMonth(u, "model", u.model, []*big.Rat{u.in, u.out})
}

func countMinute(u usage) entry {
	if !fourDigitYear(u.time) {
		return entry{leftKey: "uncounted/", reasons: []string{"time_out_of_range"}}
	}
	minute := u.time.Format("2006-01-02T15:04")
	return entry{
		key: minute, add: []*big.Rat{big.NewRat(1, 1), new(big.Rat).Add(u.in, u.out)},
		leftKey: "uncounted/" + minute, reasons: u.faults,
	}
}

func countCost(config string) func(u usage) entry {
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
	return func(u usage) entry {
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
		return byMonth(u, "team", u.team, []*big.Rat{big.NewRat(1, 1), u.in, u.out, cost, unpriced})
	}
}
