// Command guarded is a view for Tallystick that limits the tokens of each team in each UTC day: an event that would bring its team over the
// limit is not appended.
//
//	Fields    /team, /tokens
//	Config    {"limit":1000}, of a team in a day; 100000 unless it is given
//	State     "2025-03-01/search": {"tokens":900}
//	          "uncounted": {"tokens_not_a_number":2,"last_sequence":17}
//	Query     none             {"2025-03-01/search":{"tokens":900},...}
//	          day=2025-03-01   the same of one day
//	Guard     admits           {"remaining":100}
//	          429              {"limit":1000,"used":900,"resets_at":"2025-03-02T00:00:00Z"}, until then
//	          403              {"limit":1000}, for more tokens than that in one event: it never fits
//	          409              {"reason":"tokens_not_a_number"}, for what could not be counted
//
// The day is that of recording: the event's own time is up to who sends it. An event without tokens is ignored, and admitted.
package main

import (
	"errors"

	"github.com/tallystick/tallystick/views/go/tally"
	_ "github.com/tallystick/tallystick/views/go/tally/guard"
)

func init() {
	tally.Register(&tally.View{
		Fields:    []string{"/team", "/tokens"},
		Configure: configure,
		Fold:      fold,
		Guard:     guard,
		Query:     query,
	})
}

func main() {}

// The places of the fields in View.Fields.
const (
	teamField = iota
	tokensField
)

var (
	limit  tally.Decimal // of a team in a day
	totals = tally.NewTotals("tokens")
)

const defaultLimit = 100_000

// configure reads the limit.
func configure(_ *tally.View, config []byte) error {
	limit = tally.NewDecimal(defaultLimit)
	members, _ := tally.Members(string(config))
	for name, value := range members {
		if name != "limit" {
			return errors.New("unknown member " + tally.Shown(name) + ": this view knows limit")
		}
		var ok bool
		if limit, ok = tally.ParseDecimal(value); !ok || limit.Sign() < 0 {
			return errors.New("limit must be a number of tokens, 0 or more")
		}
	}
	return nil
}

// usage is what the view counts of an event.
type usage struct {
	key    string // of the team's day in the state
	tokens tally.Decimal
	given  bool   // the event has tokens
	fault  string // why they cannot be counted; "" if they can
}

const dayBytes = len("2025-03-01")

func read(e *tally.Event) (u usage) {
	u.tokens, u.given = e.Field(tokensField).Decimal()
	if fault := e.Field(tokensField).Uncounted(); fault != "" {
		u.given, u.fault = true, "tokens_"+fault
		return u
	}
	text, _ := e.RecordedAt.AppendRFC3339(tally.Room(64))
	day := tally.NoCopy(text[:dayBytes])
	if fault := e.Field(teamField).LabelFault(day); fault != "" {
		u.fault = "team_" + fault
		return u
	}
	team, _ := e.Field(teamField).Label()
	u.key, _ = tally.Key(day, team)
	return u
}

// fold adds the event's tokens to those of its team and day. It takes every event: no guard was asked about those that the log held before.
func fold(e *tally.Event) error {
	switch u := read(e); {
	case !u.given:
		return tally.Ignored
	case u.fault != "":
		return tally.NoteUncounted("uncounted", e.Sequence, u.fault)
	default:
		return totals.Add(u.key, u.tokens)
	}
}

const answerBytes = 512 // of a guard

// guard decides on an event before it is appended. It sees the state that fold made of all events before it.
func guard(e *tally.Event) (tally.Verdict, error) {
	u := read(e)
	switch {
	case !u.given:
		return tally.Admit, nil
	case u.fault != "":
		answer := tally.AppendString(append(tally.Room(answerBytes), `{"reason":`...), u.fault)
		return tally.Refuse(tally.Conflict, append(answer, '}')), nil
	case u.tokens.Cmp(limit) > 0:
		answer := limit.Append(append(tally.Room(answerBytes), `{"limit":`...))
		return tally.Refuse(tally.Forbidden, append(answer, '}')), nil
	}
	sums, err := totals.Load(u.key)
	if err != nil {
		return tally.Verdict{}, err
	}
	used := sums[0]
	left, fits := limit.Sub(used)
	if fits {
		left, fits = left.Sub(u.tokens)
	}
	if !fits || left.Sign() < 0 {
		return overLimit(e.RecordedAt, used), nil
	}
	answer := left.Append(append(tally.Room(answerBytes), `{"remaining":`...))
	return tally.AdmitWith(append(answer, '}')), nil
}

// overLimit refuses an event until the next day begins.
func overLimit(now tally.Time, used tally.Decimal) tally.Verdict {
	midnight := now.Floor(tally.Day) + tally.Day
	answer := limit.Append(append(tally.Room(answerBytes), `{"limit":`...))
	answer = used.Append(append(answer, `,"used":`...))
	answer, _ = midnight.AppendRFC3339(append(answer, `,"resets_at":"`...))
	seconds := (midnight - now + tally.Second - 1) / tally.Second
	return tally.RefuseFor(int64(seconds), append(answer, `"}`...))
}

// query answers with the totals of one day, or of all.
func query(q tally.Query) ([]byte, error) {
	prefix := ""
	for name, value := range q.All() {
		if name != "day" {
			return nil, errors.New("unknown parameter " + tally.Shown(name) + ": this view knows day=2025-03-01")
		}
		if _, ok := tally.ParseTime(value + "T00:00:00Z"); !ok {
			return nil, errors.New("day is " + tally.Shown(value) + ", which is not a day like 2025-03-01")
		}
		prefix = value + "/"
	}
	answer := []byte{'{'}
	for key, value := range tally.Scan(prefix) {
		if len(answer) > 1 {
			answer = append(answer, ',')
		}
		answer = append(tally.AppendString(answer, key), ':')
		if answer = append(answer, value...); len(answer) >= tally.MaxAnswerBytes {
			return nil, errors.New("the answer passes 1 MiB: ask for one day, or read the view's state page by page")
		}
	}
	return append(answer, '}'), nil
}
