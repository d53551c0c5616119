package views_test

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

// decide judges an event by the credits, and returns how it is counted where it comes into the log.
func (c *creditsModel) decide(event map[string]any, sequence int, now time.Time, out *expected) (count func()) {
	kind, _ := event["type"].(string)
	control := slices.Contains(creditEvents, kind)
	if !control && c.Type != nil && event["type"] != c.Type {
		return func() {}
	}
	place := ""
	for _, pointer := range c.GroupBy {
		value, _ := member(event, pointer)
		of, fault := encoded(value)
		if fault != "" {
			out.bad("group_" + fault)
			return func() {}
		}
		place += of + "/"
	}
	a := c.accounts[place]
	if a == nil {
		a = newAccountModel(c)
	}
	trial := a.clone()
	trial.advance(now)
	write := trial.decide(kind, event, sequence, now, out)
	return func() {
		if write {
			trial.forget(now)
			c.accounts[place] = trial
		}
	}
}

func newAccountModel(c *creditsModel) *accountModel {
	return &accountModel{
		credits: c, reservations: map[string]*reservationModel{}, overdrawn: new(big.Rat), held: new(big.Rat), uncharged: new(big.Rat),
	}
}

func copyRat(r *big.Rat) *big.Rat { return new(big.Rat).Set(r) }

func (a *accountModel) clone() *accountModel {
	b := newAccountModel(a.credits)
	b.overdrawn, b.held, b.uncharged, b.over = copyRat(a.overdrawn), copyRat(a.held), copyRat(a.uncharged), a.over
	grants := map[*grantModel]*grantModel{}
	for _, g := range a.grants {
		made := *g
		made.left, made.held, made.used, made.lapsed = copyRat(g.left), copyRat(g.held), copyRat(g.used), copyRat(g.lapsed)
		grants[g] = &made
		b.grants = append(b.grants, &made)
	}
	for name, r := range a.reservations {
		made := *r
		made.holds = slices.Clone(r.holds)
		for i := range made.holds {
			made.holds[i].grant = grants[made.holds[i].grant]
		}
		b.reservations[name] = &made
	}
	return b
}

// forget drops the names of closed reservations a week after the next event of the account, by the hour.
func (a *accountModel) forget(now time.Time) {
	for name, r := range a.reservations {
		if r.closed == "" {
			continue
		}
		if r.forgotten.IsZero() {
			r.forgotten = now.Add(7 * 24 * time.Hour).Truncate(time.Hour).Add(time.Hour)
		}
		if !r.forgotten.After(now) {
			delete(a.reservations, name)
		}
	}
}

// decide says whether anything of the account is to be kept.
func (a *accountModel) decide(kind string, event map[string]any, sequence int, now time.Time, out *expected) bool {
	switch kind {
	case "grant":
		return a.grant(event, sequence, now, out)
	case "revoke":
		return a.revoke(event, now, out)
	case "reserve":
		return a.reserve(event, now, out)
	case "settle":
		return a.settleEvent(event, now, out)
	case "release":
		return a.release(event, now, out)
	}
	value, _ := member(event, a.credits.Value)
	n, why := amountOf(value, "value")
	if why != "" {
		out.bad(why)
		return false
	}
	if n.Sign() == 0 {
		return false // nothing is used
	}
	scope, ok := a.scope(event, out)
	if !ok {
		return false
	}
	if a.judge(scope, n, now, false, out) {
		a.over++
	}
	a.burn(scope, n, now)
	return true
}

func (a *accountModel) scope(event map[string]any, out *expected) (string, bool) {
	if a.credits.Scope == "" {
		return none, true
	}
	value, _ := member(event, a.credits.Scope)
	of, fault := encoded(value)
	if fault != "" || len(of) > 128 {
		out.bad("scope_invalid")
		return "", false
	}
	return of, true
}

func timeOf(value any, otherwise time.Time) (time.Time, bool) {
	if value == nil {
		return otherwise, true
	}
	text, ok := value.(string)
	if !ok {
		return otherwise, false
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}

func scopesOf(value any) ([]string, bool) {
	list, isList := value.([]any)
	if value == nil {
		return nil, true
	}
	if !isList {
		list = []any{value}
	}
	var scopes []string
	for _, one := range list {
		id, ok := idOf(one)
		if !ok {
			return nil, false
		}
		scopes = append(scopes, id)
	}
	return scopes, len(scopes) > 0
}

func (a *accountModel) findGrant(name string) *grantModel {
	for _, g := range a.grants {
		if g.name == name {
			return g
		}
	}
	return nil
}

func (a *accountModel) grant(event map[string]any, sequence int, now time.Time, out *expected) bool {
	n, why := amountOf(event["amount"], "amount")
	if why != "" {
		out.bad(why)
		return false
	}
	g := &grantModel{
		sequence: sequence, amount: n, left: copyRat(n), held: new(big.Rat), used: new(big.Rat), lapsed: new(big.Rat),
	}
	var ok bool
	if g.name = fmt.Sprintf("~n%d", sequence); event["grant"] != nil {
		if g.name, ok = idOf(event["grant"]); !ok {
			out.bad("grant_invalid")
			return false
		}
	}
	priority, ok := wholeOf(event["priority"], 0, 1000, 100)
	if g.priority = int(priority); !ok {
		out.bad("priority_invalid")
		return false
	}
	if g.effective, ok = timeOf(event["effective"], now); !ok {
		out.bad("effective_invalid")
		return false
	}
	if g.expires, ok = timeOf(event["expires"], time.Time{}); !ok || !isNever(g.expires) && !g.expires.After(g.effective) {
		out.bad("expires_invalid")
		return false
	}
	if g.scope, ok = scopesOf(event["scope"]); !ok {
		out.bad("scope_invalid")
		return false
	}
	if recurring := event["recurring"]; recurring != nil {
		g.recurring, _ = recurring.(string)
		if !slices.Contains([]string{"day", "week", "month", "quarter", "year"}, g.recurring) {
			out.bad("recurring_invalid")
			return false
		}
	}
	if a.findGrant(g.name) != nil {
		out.bad("grant_exists")
		return false
	}
	a.grants = append(a.grants, g)
	if g.until = g.periodEnd(a.credits.zone, g.effective); !g.effective.After(now) {
		a.happen(g, now)
		if !isNever(g.until) && !g.until.After(now) {
			a.happen(g, g.until)
		}
	}
	a.pay(now)
	return true
}

// closed says that nothing can become of a grant any more.
func (g *grantModel) closed(now time.Time) bool {
	ended := g.revoked || !isNever(g.expires) && !g.expires.After(now)
	return g.held.Sign() == 0 && (ended || g.recurring == "" && g.left.Sign() == 0 || g.amount.Sign() == 0)
}

func (a *accountModel) revoke(event map[string]any, now time.Time, out *expected) bool {
	name, ok := idOf(event["grant"])
	if !ok {
		out.bad("grant_invalid")
		return false
	}
	switch g := a.findGrant(name); {
	case g == nil:
		out.bad("grant_unknown")
	case g.revoked || g.closed(now):
		out.bad("grant_closed")
	default:
		g.revoked = true
		g.lapsed.Add(g.lapsed, g.left)
		g.left.SetInt64(0)
		return true
	}
	return false
}

func (a *accountModel) reserve(event map[string]any, now time.Time, out *expected) bool {
	name, ok := idOf(event["reservation"])
	if !ok {
		out.bad("reservation_invalid")
		return false
	}
	n, why := amountOf(event["amount"], "amount")
	if why != "" {
		out.bad(why)
		return false
	}
	scope, ok := a.scope(event, out)
	if !ok {
		return false
	}
	seconds, ok := wholeOf(event["ttl"], 1, 31622400, int64(a.credits.TTL))
	if !ok {
		out.bad("ttl_invalid")
		return false
	}
	if a.reservations[name] != nil {
		out.bad("reservation_exists")
		return false
	}
	if a.judge(scope, n, now, false, out) {
		a.over++
	}
	r := &reservationModel{name: name, lapses: now.Add(time.Duration(seconds) * time.Second), scope: scope, amount: n}
	r.overdrawn = a.take(scope, n, now, func(g *grantModel, n *big.Rat) { r.holds = append(r.holds, holdModel{g, g.until, n}) })
	a.held.Add(a.held, r.overdrawn)
	a.reservations[name] = r
	return true
}

func (a *accountModel) settleEvent(event map[string]any, now time.Time, out *expected) bool {
	name, ok := idOf(event["reservation"])
	if !ok {
		out.bad("reservation_invalid")
		return false
	}
	n, why := amountOf(event["amount"], "amount")
	if why != "" {
		out.bad(why)
		return false
	}
	r := a.reservations[name]
	if r == nil || r.closed != "" {
		reason := "reservation_unknown"
		if r != nil {
			reason = "reservation_closed"
		}
		out.refuse(409, reason, nil)
		if n.Sign() == 0 {
			return false
		}
		scope, ok := a.scope(event, out)
		if !ok {
			return false
		}
		if a.judge(scope, n, now, true, out) {
			a.over++
		}
		a.burn(scope, n, now)
		return true
	}
	a.settle(r, lesserRat(n, r.amount), now)
	a.pay(now)
	r.closed = "settled"
	above := new(big.Rat).Sub(n, r.amount)
	if above.Sign() <= 0 {
		return true
	}
	switch a.credits.OverReservation {
	case "cap":
		a.uncharged.Add(a.uncharged, above)
		return true
	case "refuse":
		out.refuse(409, "over_reservation", nil)
	}
	if a.judge(r.scope, above, now, true, out) {
		a.over++
	}
	a.burn(r.scope, above, now)
	return true
}

func (a *accountModel) release(event map[string]any, now time.Time, out *expected) bool {
	name, ok := idOf(event["reservation"])
	if !ok {
		out.bad("reservation_invalid")
		return false
	}
	switch r := a.reservations[name]; {
	case r == nil:
		out.bad("reservation_unknown")
		return false
	case r.closed != "":
		out.bad("reservation_closed")
		return false
	default:
		a.settle(r, new(big.Rat), now)
		a.pay(now)
		r.closed = "released"
		return true
	}
}
