package limits

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstPart is the part of a second whose worth may be used at once: more would come as a pulse that others feel.
	burstPart = 10
	// leastBurst is how many requests may come at once all the same, where the limit is not lower.
	leastBurst = 100
)

// meter counts what a tenant, or a key, uses of its rates and streams. The tenant's mutex guards it.
type meter struct {
	ofKey   bool
	values  Values
	rates   [rates]*rate.Limiter // nil where there is no limit
	streams int64
	used    time.Time // last
}

// prepare has the meter follow the limits as they are now.
func (m *meter) prepare(now time.Time, values Values, config *Config) {
	m.used = now
	if m.values == values {
		return
	}
	for i, perSecond := range values[:rates] {
		burst := max(perSecond/burstPart, [rates]int64{min(perSecond, leastBurst), config.LargestBatch, config.LargestBody}[i], 1)
		switch limiter := m.rates[i]; {
		case perSecond == 0:
			m.rates[i] = nil
		case limiter == nil:
			m.rates[i] = rate.NewLimiter(rate.Limit(perSecond), int(burst))
		case m.values[i] != perSecond:
			limiter.SetLimitAt(now, rate.Limit(perSecond))
			limiter.SetBurstAt(now, int(burst))
		}
	}
	m.values = values
}

// forgettable reports whether a new meter would be the same as this one, and nobody is about to use it.
func (m *meter) forgettable(now time.Time) bool {
	if m.streams > 0 || now.Sub(m.used) < idleAfter {
		return false
	}
	for _, limiter := range m.rates {
		if limiter != nil && limiter.TokensAt(now) < float64(limiter.Burst()) {
			return false
		}
	}
	return true
}

// Exceeded is a rate that has too little left for a request.
type Exceeded struct {
	Limit     Limit
	OfKey     bool
	PerSecond int64
	Burst     int64         // what may be used at once, after a rest
	Remaining int64         // of the burst
	Wait      time.Duration // until there is enough, if nobody else of the tenant, or with the key, asks for anything
}

// Policy says the same as an amount in whole seconds: what may be used in a time as long as a burst takes to come back, a second at least.
func (e *Exceeded) Policy() (amount, seconds int64) {
	if e.Burst <= e.PerSecond {
		return e.PerSecond, 1
	}
	return e.Burst, (e.Burst + e.PerSecond - 1) / e.PerSecond
}

const (
	// promptRefusals is how many requests of a tenant are refused at once, a second, and promptBurst how many in a row. Who is refused more
	// often does not do as it is told, and is told more slowly: refusing costs a server about as much as many an operation.
	promptRefusals = 20
	promptBurst    = 50
	refusalHold    = time.Second // plus or minus a half
)

// ExceededError: one rate or several have too little left. Nothing was used.
type ExceededError struct {
	Rates []Exceeded
	// Hold is for how long to keep the refusal back, with the connection that it is for.
	Hold time.Duration
}

func (e *ExceededError) Error() string {
	parts := make([]string, len(e.Rates))
	for i := range e.Rates {
		r := &e.Rates[i]
		parts[i] = fmt.Sprintf("%s of the %s, which is %d", r.Limit, holder(r.OfKey), r.PerSecond)
	}
	return "over the limit " + strings.Join(parts, ", and ")
}

// Wait is how long it takes until all of the rates have enough.
func (e *ExceededError) Wait() (wait time.Duration) {
	for _, r := range e.Rates {
		wait = max(wait, r.Wait)
	}
	return wait
}

func holder(ofKey bool) string {
	if ofKey {
		return "key"
	}
	return "tenant"
}

// Request uses one request and the bytes of its body that are known before it is read, or returns an *ExceededError.
func (a Account) Request(bytes int64) error {
	return a.use([rates]int64{Requests: 1, Bytes: max(bytes, 0)})
}

// Bytes uses the next bytes of a body whose length was not known, or returns an *ExceededError.
func (a Account) Bytes(n int64) error { return a.use([rates]int64{Bytes: n}) }

// Events uses events, duplicates included, or returns an *ExceededError.
func (a Account) Events(n int) error { return a.use([rates]int64{Events: int64(n)}) }

// ReturnEvents gives back events that were used and turned out to be nothing new.
func (a Account) ReturnEvents(n int) {
	if a.tenant == nil || n <= 0 {
		return
	}
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	now := a.limiter.config.Now()
	// The limiter takes what is negative as well, and never holds more than a burst.
	a.each([rates]int64{Events: int64(n)}, func(m *meter, limit Limit, n int) { m.rates[limit].AllowN(now, -n) })
}

// use takes all of the amounts from the tenant and from the key, or nothing.
func (a Account) use(amounts [rates]int64) error {
	if a.tenant == nil {
		return nil
	}
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	now := a.limiter.config.Now()
	var exceeded []Exceeded
	a.each(amounts, func(m *meter, limit Limit, n int) {
		limiter := m.rates[limit]
		tokens := limiter.TokensAt(now)
		if missing := float64(n) - tokens; missing > 0 {
			exceeded = append(exceeded, Exceeded{
				Limit: limit, OfKey: m.ofKey, PerSecond: m.values[limit], Burst: int64(limiter.Burst()), Remaining: int64(max(tokens, 0)),
				Wait: time.Duration(missing / float64(m.values[limit]) * float64(time.Second)),
			})
		}
	})
	if exceeded != nil {
		e := &ExceededError{Rates: exceeded}
		if !a.tenant.prompt.AllowN(now, 1) {
			e.Hold = refusalHold/2 + rand.N(refusalHold) //nolint:gosec // so that those who are held do not come back together
		}
		return e
	}
	a.each(amounts, func(m *meter, limit Limit, n int) { m.rates[limit].AllowN(now, n) }) // there is enough, as was just seen
	return nil
}

// each calls do for each rate that has a limit and an amount, which is a burst at most. The tenant's mutex is held.
func (a Account) each(amounts [rates]int64, do func(m *meter, limit Limit, n int)) {
	one := func(m *meter) {
		for i, n := range amounts {
			if limiter := m.rates[i]; limiter != nil && n > 0 {
				do(m, Limit(i), int(min(n, int64(limiter.Burst()))))
			}
		}
	}
	one(&a.tenant.own)
	if a.key != nil {
		one(a.key)
	}
}

// ReachedError: there are as many as there may be.
type ReachedError struct {
	Limit Limit
	OfKey bool
	Value int64
	Used  int64 // as far as this server knows
}

func (e *ReachedError) Error() string {
	return fmt.Sprintf("the %s has %d of %d allowed by its limit %s", holder(e.OfKey), e.Used, e.Value, e.Limit)
}

// OpenStream counts a live stream until closeStream is called, which may be called twice. The error is a *ReachedError.
func (a Account) OpenStream() (closeStream func(), err error) {
	if a.tenant == nil {
		return func() {}, nil
	}
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	for _, m := range a.meters() {
		if most := m.values[Streams]; most > 0 && m.streams >= most {
			return nil, &ReachedError{Limit: Streams, OfKey: m.ofKey, Value: most, Used: m.streams}
		}
	}
	a.countStreams(+1)
	return sync.OnceFunc(func() {
		a.tenant.mu.Lock()
		defer a.tenant.mu.Unlock()
		a.countStreams(-1)
	}), nil
}

// countStreams adds to the number of streams. The tenant's mutex is held.
func (a Account) countStreams(n int64) {
	now := a.limiter.config.Now()
	for _, m := range a.meters() {
		m.streams += n
		m.used = now
	}
}
