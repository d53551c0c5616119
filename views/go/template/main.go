// Command template is a view for Tallystick: the tokens of each model in each UTC month, exactly.
//
//	Fields    /model, /tokens_in, /tokens_out
//	State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
//	Question  month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
//	          none            {"2025-03":{"gpt-4":{...}},...}
package main

import (
	"errors"

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

// fold adds the event's tokens to the totals of its month and model. A field that is not a number counts 0 beside one that
// is; without either, or without a month and a model that make a key, the event is ignored.
func fold(e *tally.Event) error {
	in, hasIn := e.Field(tokensIn).Decimal()
	out, hasOut := e.Field(tokensOut).Decimal()
	name, hasName := e.Field(model).Label()
	month, hasMonth := e.Time.Month()
	key, hasKey := tally.Key(month, name)
	if !hasIn && !hasOut || !hasName || !hasMonth || !hasKey {
		return tally.Ignored
	}
	return totals.Add(key, in, out)
}

const (
	monthBytes  = len("2025-03")
	answerBytes = 4096 // of an ordinary answer; a longer one grows
)

// query answers for one month, or for all.
func query(q tally.Query) ([]byte, error) {
	month := ""
	for name, value := range q.All() {
		if name != "month" {
			return nil, errors.New("unknown parameter " + tally.Shown(name) + ": this view knows month=2025-03")
		}
		if !isMonth(value) {
			return nil, errors.New("month is " + tally.Shown(value) + ", which is not a year and a month like 2025-03")
		}
		month = value
	}
	return answer(month)
}

// isMonth tells whether text is a month from 0000-01 to 9999-12.
func isMonth(text string) bool {
	_, ok := tally.ParseTime(text + "-01T00:00:00Z")
	return ok && len(text) == monthBytes
}

var errTooLong = errors.New("the answer passes 1 MiB: ask for one month, or for one name where the view takes one, " +
	"or read the view's state page by page")

// answer gives {"gpt-4":{…},…} for a month, {"2025-03":{"gpt-4":{…},…},…} for all.
func answer(asked string) ([]byte, error) {
	prefix := ""
	if asked != "" {
		prefix = asked + "/"
	}
	b := append(tally.Room(answerBytes), '{')
	month := asked
	for key, value := range tally.Scan(prefix) {
		if asked == "" && key[:monthBytes] != month {
			if month != "" {
				b = append(b, '}', ',')
			}
			month = key[:monthBytes]
			b = append(tally.AppendString(b, month), ':', '{')
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(tally.AppendString(b, key[monthBytes+1:]), ':')
		b = append(b, value...)
		if len(b) > tally.MaxAnswerBytes-2 { // two braces to come
			return nil, errTooLong
		}
	}
	if asked == "" && month != "" {
		b = append(b, '}')
	}
	return append(b, '}'), nil
}
