package views_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"
)

type quotaCredits struct {
	Type            any               `json:"type,omitempty"`
	Value           string            `json:"value"`
	Scope           string            `json:"scope,omitempty"`
	GroupBy         map[string]string `json:"group_by,omitempty"` // at most one
	Timezone        string            `json:"timezone,omitempty"`
	Overdraft       string            `json:"overdraft,omitempty"`
	Soft            bool              `json:"soft,omitempty"`
	OverReservation string            `json:"over_reservation,omitempty"`
	TTL             int               `json:"ttl,omitempty"`
}

// grantModel is a grant. A zero time is never.
type grantModel struct {
	name               string
	sequence, priority int
	effective, expires time.Time
	scope              []string // nil: everything
	recurring          string
	started, revoked   bool
	until              time.Time // of its period, or its own end

	amount, left, held, used, lapsed *big.Rat
}

type holdModel struct {
	grant  *grantModel
	until  time.Time
	amount *big.Rat
}

type reservationModel struct {
	name      string
	lapses    time.Time
	scope     string
	amount    *big.Rat
	holds     []holdModel
	overdrawn *big.Rat
	closed    string    // how; "" while it is open
	forgotten time.Time // when its name may be used again
}

// accountModel has all grants and reservations that there ever were.
type accountModel struct {
	credits         *creditsModel
	grants          []*grantModel
	reservations    map[string]*reservationModel
	overdrawn, held *big.Rat
	uncharged       *big.Rat
	over            int
}

type creditsModel struct {
	quotaCredits
	zone      *time.Location
	overdraft *big.Rat
	accounts  map[string]*accountModel
}

// quotaModel is all of it.
type quotaModel struct {
	limits   []*limitModel
	credits  *creditsModel
	sequence int
	wrong    map[string]int
}

// append decides on an event; always has it in the log whatever comes of that.
func (m *quotaModel) append(data string, now time.Time, always bool) expected {
	var out expected
	event := decodeEvent(data)
	var count []func()
	for _, l := range m.limits {
		if l.concerns(event) {
			count = append(count, l.decide(event, now, &out))
		}
	}
	if m.credits != nil {
		count = append(count, m.credits.decide(event, m.sequence+1, now, &out))
	}
	if out.status != 0 && !always {
		return out
	}
	m.sequence++
	for _, f := range count {
		f()
	}
	for _, reason := range out.uncounted {
		m.wrong[reason]++
	}
	return out
}

// ---- Time ----

func isNever(t time.Time) bool { return t.IsZero() }

func (g *grantModel) usable(now time.Time) bool {
	return g.started && !g.revoked && (isNever(g.until) || g.until.After(now))
}

func (g *grantModel) covers(scope string) bool {
	return g.scope == nil || slices.Contains(g.scope, scope)
}

func (g *grantModel) periodEnd(zone *time.Location, at time.Time) time.Time {
	if g.recurring == "" {
		return g.expires
	}
	end := windowOf(g.recurring, zone, at).to
	if !isNever(g.expires) && g.expires.Before(end) {
		return g.expires
	}
	return end
}

func (g *grantModel) isLast() bool {
	return g.recurring == "" || !isNever(g.expires) && !g.until.Before(g.expires)
}

// next is when something happens to the grant.
func (g *grantModel) next() time.Time {
	switch {
	case g.revoked:
		return time.Time{}
	case !g.started:
		return g.effective
	case g.isLast() && g.left.Sign() == 0:
		return time.Time{}
	}
	return g.until
}

// happen does what happens to a grant at its time.
func (a *accountModel) happen(g *grantModel, at time.Time) {
	if !g.started {
		g.started, g.until = true, g.periodEnd(a.credits.zone, at)
		return
	}
	g.lapsed.Add(g.lapsed, g.left)
	g.left.SetInt64(0)
	if !g.isLast() {
		g.until = g.periodEnd(a.credits.zone, at)
		g.left.Set(g.amount)
		g.used, g.lapsed = new(big.Rat), new(big.Rat)
	}
}

// advance lets time pass, moment by moment.
func (a *accountModel) advance(now time.Time) {
	for {
		var at time.Time
		earlier := func(t time.Time) {
			if !isNever(t) && !t.After(now) && (isNever(at) || t.Before(at)) {
				at = t
			}
		}
		for _, g := range a.grants {
			earlier(g.next())
		}
		for _, r := range a.reservations {
			if r.closed == "" {
				earlier(r.lapses)
			}
		}
		if isNever(at) {
			return
		}
		for _, g := range a.grants {
			if g.next().Equal(at) {
				a.happen(g, at)
			}
		}
		for _, r := range a.reservations {
			if r.closed == "" && r.lapses.Equal(at) {
				a.settle(r, new(big.Rat), at)
				r.closed = "ran_out"
			}
		}
		a.pay(at)
	}
}

// inOrder are the usable grants in the order in which they are burnt down.
func (a *accountModel) inOrder(now time.Time) []*grantModel {
	usable := slices.DeleteFunc(slices.Clone(a.grants), func(g *grantModel) bool { return !g.usable(now) })
	slices.SortFunc(usable, func(x, y *grantModel) int {
		ends := x.until.Compare(y.until)
		if isNever(x.until) != isNever(y.until) {
			ends = -ends // never is the last
		}
		return cmp.Or(cmp.Compare(x.priority, y.priority), ends, cmp.Compare(x.sequence, y.sequence))
	})
	return usable
}

func lesserRat(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return new(big.Rat).Set(a)
	}
	return new(big.Rat).Set(b)
}

func (a *accountModel) pay(now time.Time) {
	for _, g := range a.inOrder(now) {
		if g.scope == nil {
			paid := lesserRat(a.overdrawn, g.left)
			a.overdrawn.Sub(a.overdrawn, paid)
			g.left.Sub(g.left, paid)
			g.used.Add(g.used, paid)
		}
	}
}

// ---- Using ----

func (a *accountModel) left(scope string, now time.Time) *big.Rat {
	sum := new(big.Rat)
	for _, g := range a.inOrder(now) {
		if g.covers(scope) {
			sum.Add(sum, g.left)
		}
	}
	return sum
}

func (a *accountModel) figures(scope string, now time.Time) map[string]string {
	balance, free, reserved := new(big.Rat), a.left(scope, now), new(big.Rat).Set(a.held)
	for _, g := range a.grants {
		reserved.Add(reserved, g.held)
		if g.usable(now) {
			balance.Add(balance, g.left)
		}
	}
	balance.Sub(balance, a.overdrawn)
	free.Add(free, a.credits.overdraft).Sub(free, a.overdrawn).Sub(free, a.held)
	return map[string]string{
		"balance": plain(balance), "available": plain(free), "reserved": plain(reserved), "overdrawn": plain(a.overdrawn),
	}
}

// judge refuses or marks an amount beyond what there is; it says whether it is.
func (a *accountModel) judge(scope string, n *big.Rat, now time.Time, forced bool, out *expected) (beyond bool) {
	rest := new(big.Rat).Sub(n, a.left(scope, now))
	if rest.Sign() <= 0 {
		return false
	}
	rest.Add(rest, a.overdrawn).Add(rest, a.held)
	beyond = rest.Cmp(a.credits.overdraft) > 0
	if beyond && !a.credits.Soft && !forced {
		out.refuse(402, "credits_used_up", a.figures(scope, now))
	} else {
		out.marked = append(out.marked, "credits")
	}
	return beyond
}

// take takes an amount of the grants; what is beyond them is returned.
func (a *accountModel) take(scope string, n *big.Rat, now time.Time, hold func(*grantModel, *big.Rat)) *big.Rat {
	rest := new(big.Rat).Set(n)
	for _, g := range a.inOrder(now) {
		taken := lesserRat(rest, g.left)
		if !g.covers(scope) || taken.Sign() == 0 {
			continue
		}
		rest.Sub(rest, taken)
		g.left.Sub(g.left, taken)
		if hold != nil {
			g.held.Add(g.held, taken)
			hold(g, taken)
		} else {
			g.used.Add(g.used, taken)
		}
	}
	return rest
}

func (a *accountModel) burn(scope string, n *big.Rat, now time.Time) {
	a.overdrawn.Add(a.overdrawn, a.take(scope, n, now, nil))
}

func (a *accountModel) settle(r *reservationModel, n *big.Rat, now time.Time) {
	rest := new(big.Rat).Set(n)
	for _, h := range r.holds {
		used := lesserRat(rest, h.amount)
		back := new(big.Rat).Sub(h.amount, used)
		rest.Sub(rest, used)
		g := h.grant
		g.held.Sub(g.held, h.amount)
		same := g.until.Equal(h.until)
		if same {
			g.used.Add(g.used, used)
		}
		if same && g.usable(now) {
			g.left.Add(g.left, back)
		} else if same {
			g.lapsed.Add(g.lapsed, back)
		}
	}
	a.held.Sub(a.held, r.overdrawn)
	a.overdrawn.Add(a.overdrawn, rest)
}

// idOf reads a name; numbers and strings of the same digits differ.
func idOf(value any) (string, bool) {
	of, fault := encoded(value)
	return of, value != nil && fault == "" && of != "" && len(of) <= 128
}

func wholeOf(value any, least, most int64, otherwise int64) (int64, bool) {
	if value == nil {
		return otherwise, true
	}
	text := fmt.Sprint(value)
	switch value.(type) {
	case string, json.Number:
	default:
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= least && n <= most
}
