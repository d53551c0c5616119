// Command template is a view for Tallystick: the tokens of each model in each UTC month, exactly.
//
//	Fields    /model, /tokens_in, /tokens_out
//	State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
//	          "uncounted/2025-03/gpt-4": {"tokens_in_not_a_number":2,"last_sequence":17}
//	Query     month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000,"uncounted":2}}
//	          none            {"2025-03":{"gpt-4":{...}},...}
//	          uncounted       {"2025-03":{"gpt-4":{"tokens_in_not_a_number":2,"last_sequence":17}},...}, with month= too
//
// What cannot be counted is in no total, but is counted by reason: an answer reports how much that is as "uncounted", unless it is 0.
package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/views/go/tally"
)

func init() {
	tally.Register(&tally.View{
		Fields: []string{"/model", "/tokens_in", "/tokens_out"},
		Fold:   fold,
		Query:  query,
	})
}

func main() {}

// The places of the fields in View.Fields.
const (
	model = iota
	tokensIn
	tokensOut
)

var totals = tally.NewTotals("tokens_in", "tokens_out")

// fold adds the event's tokens to the totals of its month and model.
func fold(e *tally.Event) error {
	in, hasIn := e.Field(tokensIn).Decimal()
	out, hasOut := e.Field(tokensOut).Decimal()
	name, hasName := e.Field(model).Label()
	month, hasMonth := e.Time.Month()
	key, hasKey := tally.Key(month, name)
	if !hasIn || !hasOut || !hasName || !hasMonth || !hasKey {
		return foldInPart(e)
	}
	return totals.Add(key, in, out)
}

// foldInPart folds an event of which something cannot be counted, or is not there. Without any tokens it is ignored.
func foldInPart(e *tally.Event) error {
	in, hasIn := e.Field(tokensIn).Decimal()
	out, hasOut := e.Field(tokensOut).Decimal()
	inFault, outFault := e.Field(tokensIn).Uncounted(), e.Field(tokensOut).Uncounted()
	if !hasIn && !hasOut && inFault == "" && outFault == "" {
		return tally.Ignored
	}
	name, _ := e.Field(model).Label()
	month, hasMonth := e.Time.Month()
	if !hasMonth {
		return leaveOut(e, "", name, "time_out_of_range")
	}
	if fault := e.Field(model).LabelFault(month); fault != "" {
		return leaveOut(e, month, "", "model_"+fault)
	}
	if hasIn || hasOut { // one that is not counts 0
		key, _ := tally.Key(month, name)
		if err := totals.Add(key, in, out); err != nil {
			return err
		}
	}
	var reasons []string
	if inFault != "" {
		reasons = append(reasons, "tokens_in_"+inFault)
	}
	if outFault != "" {
		reasons = append(reasons, "tokens_out_"+outFault)
	}
	if len(reasons) == 0 {
		return nil
	}
	return leaveOut(e, month, name, reasons...)
}

// uncounted begins the keys of what is left out: "uncounted/2025-03/gpt-4".
const uncounted = "uncounted/"

// leaveOut counts what of an event is in no total. A name that this key cannot hold counts as "".
func leaveOut(e *tally.Event, month, name string, reasons ...string) error {
	key, ok := tally.Key(uncounted+month, name)
	if !ok {
		key, _ = tally.Key(uncounted+month, "")
	}
	return tally.NoteUncounted(key, e.Sequence, reasons...)
}

// query answers for one month, or for all.
func query(q tally.Query) ([]byte, error) {
	var p parameters
	var seen []string
	for name, value := range q.All() {
		switch {
		case name != "month" && name != "uncounted":
			return nil, errors.New("unknown parameter " + tally.Shown(name) + ": this view knows month=2025-03 and uncounted")
		case slices.Contains(seen, name):
			return nil, errors.New(name + " is given twice: give it once")
		case name == "uncounted":
			p.uncounted = true
		case !isMonth(value):
			return nil, errors.New("month is " + tally.Shown(value) + ", which is not a year and a month like 2025-03")
		default:
			p.month = value
		}
		seen = append(seen, name)
	}
	return p.answer()
}

const (
	monthBytes  = len("2025-03")
	answerBytes = 4096 // of an ordinary answer; a longer one grows
)

// isMonth reports whether text is a month from 0000-01 to 9999-12.
func isMonth(text string) bool {
	_, ok := tally.ParseTime(text + "-01T00:00:00Z")
	return ok && len(text) == monthBytes
}

// parameters select the answer: a month, "" for all, and the totals or what is left out of them.
type parameters struct {
	month     string
	uncounted bool
}

// noTotals are those of a model of which all is left out.
const noTotals = `{"tokens_in":0,"tokens_out":0}`

// answer iterates over the totals and over what is left out of them, side by side.
func (p parameters) answer() ([]byte, error) {
	prefix := ""
	if p.month != "" {
		prefix = p.month + "/"
	}
	a := answer{b: append(tally.Room(answerBytes), '{'), byMonth: p.month == ""}
	counted, left := tally.NewCursor(prefix), tally.NewCursor(uncounted+prefix)
	hasCounted, hasLeft := !p.uncounted && nextCounted(counted), left.Next()
	for hasCounted || hasLeft {
		key, value := counted.Key, counted.Value
		if leftKey := strings.TrimPrefix(left.Key, uncounted); hasLeft && (!hasCounted || leftKey <= key) {
			if !hasCounted || leftKey < key {
				key, value = leftKey, []byte(noTotals)
			}
			n, err := tally.SumUncounted(left.Key, left.Value)
			if err != nil {
				return nil, err
			}
			if value = withUncounted(value, n); p.uncounted {
				value = left.Value
			}
			hasLeft = left.Next()
		}
		if hasCounted && key == counted.Key {
			hasCounted = nextCounted(counted)
		}
		if err := a.put(key, value); err != nil {
			return nil, err
		}
	}
	return a.end(), nil
}

// nextCounted goes to the next totals; what is left out comes after all of them.
func nextCounted(c *tally.Cursor) bool { return c.Next() && !strings.HasPrefix(c.Key, uncounted) }

// withUncounted puts the number of what is left out behind the totals.
func withUncounted(value []byte, n uint64) []byte {
	b := append(append([]byte(nil), value[:len(value)-1]...), `,"uncounted":`...)
	return append(tally.AppendUint(b, n, 1), '}')
}

// answer is one that is being written: {"gpt-4":{…},…} for a month, {"2025-03":{"gpt-4":{…},…},…} for all.
type answer struct {
	b       []byte
	byMonth bool
	begun   bool   // a month, which then is
	month   string // "" for what has no month
}

var errTooLong = errors.New("the answer passes 1 MiB: ask for one month, or for one name where the view takes one, " +
	"or read the view's state page by page")

// put writes what there is of a month and model.
func (a *answer) put(key string, value []byte) error {
	month, model, _ := strings.Cut(key, "/")
	if a.byMonth && (!a.begun || month != a.month) {
		if a.begun {
			a.b = append(a.b, '}', ',')
		}
		a.b = append(tally.AppendString(a.b, month), ':', '{')
		a.begun, a.month = true, month
	}
	if a.b[len(a.b)-1] != '{' {
		a.b = append(a.b, ',')
	}
	a.b = append(tally.AppendString(a.b, model), ':')
	a.b = append(a.b, value...)
	if len(a.b) > tally.MaxAnswerBytes-2 { // two braces to come
		return errTooLong
	}
	return nil
}

func (a *answer) end() []byte {
	if a.begun {
		a.b = append(a.b, '}')
	}
	return append(a.b, '}')
}
