package views_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"
)

// The model of quota is a second, independent implementation, with math/big for decimals and package time for zones. It keeps every event
// that counts towards a limit and adds them up anew for each decision.

// quotaConfig is a configuration of quota; its JSON is what is deployed.
type quotaConfig struct {
	Limits  []quotaLimit  `json:"limits,omitempty"`
	Credits *quotaCredits `json:"credits,omitempty"`
}

type quotaLimit struct {
	Name        string            `json:"name"`
	Type        any               `json:"type,omitempty"`
	Aggregation string            `json:"aggregation,omitempty"`
	Value       string            `json:"value,omitempty"`
	GroupBy     map[string]string `json:"group_by,omitempty"` // at most one, for JSON's members are sorted
	Window      string            `json:"window"`
	Timezone    string            `json:"timezone,omitempty"`
	Rolling     bool              `json:"rolling,omitempty"`
	Limit       string            `json:"limit"`
	Soft        bool              `json:"soft,omitempty"`
}

// limitEvent is an event that counts towards a limit.
type limitEvent struct {
	at     time.Time
	group  string
	amount *big.Rat
	unique string
}

type limitModel struct {
	quotaLimit
	zone    *time.Location
	most    *big.Rat
	credits bool // there are events of credits
	events  []limitEvent
}

// expected is what the model says of an append.
type expected struct {
	status  int
	reason  string
	retry   int               // seconds; 0 where there is none
	figures map[string]string // members of the answer
	marked  []string          // names of soft limits, and "credits"
	// uncounted are the reasons for which the event does not count in full, once it is in the log.
	uncounted []string
}

func (e *expected) refuse(status int, reason string, figures map[string]string) {
	if e.status == 0 {
		e.status, e.reason, e.figures = status, reason, figures
	}
}

func (e *expected) bad(reason string) {
	e.refuse(409, reason, nil)
	if !slices.Contains(e.uncounted, reason) {
		e.uncounted = append(e.uncounted, reason)
	}
}

var rollingParts = map[string][2]time.Duration{
	"minute": {time.Second, time.Minute}, "hour": {time.Minute, time.Hour}, "day": {30 * time.Minute, 24 * time.Hour},
	"week": {3 * time.Hour, 7 * 24 * time.Hour}, "month": {12 * time.Hour, 30 * 24 * time.Hour},
	"quarter": {36 * time.Hour, 90 * 24 * time.Hour}, "year": {6 * 24 * time.Hour, 365 * 24 * time.Hour},
}

// until is when an event of a rolling window counts no more: a window after the end of its part.
func (l *limitModel) until(at time.Time) time.Time {
	of := rollingParts[l.Window]
	part := int64(of[0] / time.Second)
	return time.Unix((at.Unix()/part+1)*part, 0).Add(of[1])
}

// counting are the events of a group that count at a time.
func (l *limitModel) counting(group string, now time.Time) (events []limitEvent) {
	var window span
	if !l.Rolling {
		window = windowOf(l.Window, l.zone, now)
	}
	for _, e := range l.events {
		counts := !e.at.Before(window.from) && e.at.Before(window.to)
		if l.Rolling {
			counts = l.until(e.at).After(now)
		}
		if e.group == group && counts {
			events = append(events, e)
		}
	}
	return events
}

func (l *limitModel) sum(events []limitEvent) *big.Rat {
	sum, seen := new(big.Rat), map[string]bool{}
	for _, e := range events {
		switch {
		case l.Aggregation != "unique":
			sum.Add(sum, e.amount)
		case !seen[e.unique]:
			seen[e.unique] = true
			sum.Add(sum, big.NewRat(1, 1))
		}
	}
	return sum
}

// read is what an event is to the limit; why says that it cannot be counted.
func (l *limitModel) read(event map[string]any, now time.Time) (e limitEvent, why string) {
	e = limitEvent{at: now, amount: big.NewRat(1, 1)}
	for _, pointer := range l.GroupBy {
		value, _ := member(event, pointer)
		of, fault := encoded(value)
		if fault != "" {
			return e, "group_" + fault
		}
		e.group += of + "/"
	}
	switch l.Aggregation {
	case "sum":
		value, _ := member(event, l.Value)
		e.amount, why = amountOf(value, "value")
	case "unique":
		value, _ := member(event, l.Value)
		if value == nil {
			return e, "unique_missing"
		}
		of, fault := encoded(value)
		if fault != "" {
			return e, "unique_" + fault
		}
		e.unique = of
	}
	return e, why
}

// amountOf reads what is to be added, as all amounts are read.
func amountOf(value any, field string) (n *big.Rat, why string) {
	n, ok := amount(value)
	switch {
	case ok && n.Sign() >= 0:
		return n, ""
	case ok:
		return nil, field + "_negative"
	case value == nil:
		return nil, field + "_missing"
	case isNumberText(value):
		return nil, field + "_has_too_many_digits"
	}
	return nil, field + "_not_a_number"
}

// decide judges an event and, where it comes into the log, returns how it is counted.
func (l *limitModel) decide(event map[string]any, now time.Time, out *expected) (count func()) {
	e, why := l.read(event, now)
	if why != "" {
		out.bad(why)
		return func() {}
	}
	before := l.counting(e.group, now)
	used, after := l.sum(before), l.sum(append(slices.Clone(before), e))
	added := new(big.Rat).Sub(after, used)
	if added.Sign() > 0 && after.Cmp(l.most) > 0 {
		figures := map[string]string{"name": l.Name, "used": plain(used), "amount": plain(added), "limit": plain(l.most)}
		switch {
		case l.Soft:
			out.marked = append(out.marked, l.Name)
		case added.Cmp(l.most) > 0:
			out.refuse(403, "over_limit_alone", figures)
		default:
			if out.status == 0 {
				out.retry = int(l.room(before, added, now).Unix() - now.Unix())
			}
			out.refuse(429, "limit_reached", figures)
		}
	}
	return func() { l.events = append(l.events, e) }
}

// room is when an amount fits that does not fit now.
func (l *limitModel) room(before []limitEvent, added *big.Rat, now time.Time) time.Time {
	if !l.Rolling {
		return windowOf(l.Window, l.zone, now).to
	}
	var times []time.Time
	for _, e := range before {
		times = append(times, l.until(e.at))
	}
	slices.SortFunc(times, time.Time.Compare)
	for _, at := range times {
		still := slices.DeleteFunc(slices.Clone(before), func(e limitEvent) bool { return !l.until(e.at).After(at) })
		if new(big.Rat).Add(l.sum(still), added).Cmp(l.most) <= 0 {
			return at
		}
	}
	panic("there is never room")
}

// concerns says whether an event is one that the limit counts.
func (l *limitModel) concerns(event map[string]any) bool {
	kind, _ := event["type"].(string)
	if l.Type == nil {
		return !l.credits || !slices.Contains(creditEvents, kind)
	}
	return event["type"] == l.Type
}

var creditEvents = []string{"grant", "revoke", "reserve", "settle", "release"}

func decodeEvent(data string) map[string]any {
	var event map[string]any
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&event); err != nil {
		panic(err)
	}
	return event
}
