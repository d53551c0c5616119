package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/event"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// eventFlags select events of a log.
type eventFlags struct {
	from, after, to                            int64
	timeFrom, timeTo, recordedFrom, recordedTo string
	typ                                        string
}

func (e *eventFlags) add(flags *pflag.FlagSet) {
	flags.Int64Var(&e.from, "from", 0, "first sequence")
	flags.Int64Var(&e.after, "after", 0, "the sequence before the first, instead of --from")
	flags.Int64Var(&e.to, "to", 0, "last sequence; the log's last when not given")
	flags.StringVar(&e.timeFrom, "time-from", "", "events that happened then or later: a time (RFC 3339), a date or a month, in UTC")
	flags.StringVar(&e.timeTo, "time-to", "", "events that happened before that")
	flags.StringVar(&e.recordedFrom, "recorded-from", "", "events that were recorded then or later")
	flags.StringVar(&e.recordedTo, "recorded-to", "", "events that were recorded before that")
	flags.StringVar(&e.typ, "type", "", "events of this type")
}

// events reads the flags.
func (e *eventFlags) events() (tally.EventFilter, error) {
	filter := tally.EventFilter{From: e.from, To: e.to, Type: e.typ}
	for name, sequence := range map[string]int64{"from": e.from, "after": e.after, "to": e.to} {
		if sequence < 0 {
			return filter, usagef("--%s %d is no sequence: the first event's is 1", name, sequence)
		}
	}
	if e.after > 0 {
		if e.from > 0 {
			return filter, usagef("--from and --after both say where to start: give one of them")
		}
		filter.From = e.after + 1
	}
	if filter.To > 0 && filter.From > filter.To {
		return filter, fmt.Errorf("the range starts at %d and ends at %d: did the two get mixed up?", filter.From, filter.To)
	}
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{
		{"time-from", e.timeFrom, &filter.TimeFrom},
		{"time-to", e.timeTo, &filter.TimeTo},
		{"recorded-from", e.recordedFrom, &filter.RecordedFrom},
		{"recorded-to", e.recordedTo, &filter.RecordedTo},
	} {
		if t.text == "" {
			continue
		}
		var err error
		if *t.to, err = readTime(t.text); err != nil {
			return filter, usagef("--%s: %w", t.name, err)
		}
	}
	return filter, nil
}

// timeForms are the accepted formats of a time besides RFC 3339. A time without a zone is in UTC, like the months of views and the times of
// events.
var timeForms = []string{
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999", "2006-01-02T15:04",
	"2006-01-02 15:04:05.999999", "2006-01-02 15:04", time.DateOnly, "2006-01",
}

// readTime parses a time. A date or a month means its first moment.
func readTime(text string) (time.Time, error) {
	if t, ok := event.ParseTime(text); ok {
		return t, nil
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, strings.ToUpper(text)); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: give one such as 2025-03-01T10:05:30Z, a date such as 2025-03-01, "+
		"or a month such as 2025-03, which stand for their first moment in UTC", text)
}
