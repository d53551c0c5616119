package limits

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// idleAfter is how long a tenant or a key asks for nothing before it is forgotten, if its rates are whole again and it has no stream:
	// nothing is known of it then that would not be so at its next request.
	idleAfter = 5 * time.Minute
	// forgetEvery is how often those are looked for.
	forgetEvery = time.Minute
	// dueEvery is how often tenants are looked for that are to be measured again.
	dueEvery = 5 * time.Second
	// maxTexts bounds the different stored limits that are remembered; when there are more, all are forgotten.
	maxTexts = 10_000
)

// Config configures a Limiter.
type Config struct {
	Defaults Values // of tenants
	// LargestBody and LargestBatch are the largest single request, in bytes and in events. A rate lets that much through at once, so that a
	// request is refused for now, and never for good.
	LargestBody, LargestBatch int64
	Now                       func() time.Time // nil stands for time.Now
	Log                       *slog.Logger
}

// Limiter holds tenants and their keys to their limits. It is safe for concurrent use.
type Limiter struct {
	db     *db.DB
	config Config
	wake   chan struct{} // receives when a tenant is to be measured for the first time

	mu      sync.RWMutex
	tenants map[uuid.UUID]*tenant
	texts   map[string]*Limits // parsed
}

// New returns a limiter that knows of nobody. Run measures what tenants have stored.
func New(d *db.DB, config Config) *Limiter {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Limiter{db: d, config: config, wake: make(chan struct{}, 1), tenants: map[uuid.UUID]*tenant{}, texts: map[string]*Limits{}}
}

// Caller is who asks for something, and the Limits of its own as they are stored: in JSON, nil for none.
type Caller struct {
	Tenant       uuid.UUID
	TenantLimits []byte
	Key          string // "" for none
	KeyLimits    []byte
}

// tenant is what is known of a tenant that has asked of late.
type tenant struct {
	id uuid.UUID

	mu   sync.Mutex
	own  meter
	keys map[string]*meter // those with limits of their own
	// prompt has a token for each refusal that is returned at once: see ExceededError.Hold.
	prompt *rate.Limiter
	usage  usage
}

// Account is what a caller is held to, for the time of one request. The zero Account has no limits.
type Account struct {
	limiter *Limiter
	tenant  *tenant
	key     *meter // nil for a key without limits of its own
}

// Account returns the caller's account. A changed limit holds from the next account on.
func (l *Limiter) Account(c Caller) Account {
	if l == nil {
		return Account{}
	}
	values := l.config.Defaults.with(l.parsed(c.TenantLimits))
	ofKey := Values{}.with(l.parsed(c.KeyLimits))
	if values == (Values{}) && ofKey == (Values{}) {
		return Account{}
	}
	now := l.config.Now()
	t := l.tenant(c.Tenant)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own.prepare(now, values, &l.config)
	if values.counted() && !t.usage.knows(&values) {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	a := Account{limiter: l, tenant: t}
	if c.Key == "" || ofKey == (Values{}) {
		return a
	}
	if a.key = t.keys[c.Key]; a.key == nil {
		a.key = &meter{ofKey: true}
		t.keys[c.Key] = a.key
	}
	a.key.prepare(now, ofKey, &l.config)
	return a
}

// parsed reads stored limits, once for each text. What cannot be read, which nobody stores, is no limit.
func (l *Limiter) parsed(stored []byte) *Limits {
	if len(stored) <= len("{}") {
		return nil
	}
	l.mu.RLock()
	own, known := l.texts[string(stored)]
	l.mu.RUnlock()
	if known {
		return own
	}
	own, err := Parse(stored)
	if err != nil {
		l.config.Log.Error("stored limits cannot be read", slog.Any("error", err))
		own = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.texts) >= maxTexts {
		clear(l.texts)
	}
	l.texts[string(stored)] = own
	return own
}

// tenant returns the tenant's entry, a new one where there is none.
func (l *Limiter) tenant(id uuid.UUID) *tenant {
	l.mu.RLock()
	t := l.tenants[id]
	l.mu.RUnlock()
	if t != nil {
		return t
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t = l.tenants[id]; t == nil {
		t = &tenant{id: id, keys: map[string]*meter{}, prompt: rate.NewLimiter(promptRefusals, promptBurst)}
		t.own.used = l.config.Now()
		l.tenants[id] = t
	}
	return t
}

// meters are the account's, the tenant's first. The tenant's mutex is held.
func (a Account) meters() []*meter {
	if a.key == nil {
		return []*meter{&a.tenant.own}
	}
	return []*meter{&a.tenant.own, a.key}
}

// forget drops what says nothing any more, and so bounds the memory by the tenants and keys that have asked of late.
func (l *Limiter) forget() {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, t := range l.tenants {
		t.mu.Lock()
		for key, m := range t.keys {
			if m.forgettable(now) {
				delete(t.keys, key)
			}
		}
		if len(t.keys) == 0 && t.own.forgettable(now) {
			delete(l.tenants, id)
		}
		t.mu.Unlock()
	}
}

// Run measures what tenants have stored, and forgets those that ask for nothing any more, until ctx ends.
func (l *Limiter) Run(ctx context.Context) {
	forget := time.NewTicker(forgetEvery)
	defer forget.Stop()
	for ctx.Err() == nil {
		wake := l.wake
		rest := time.NewTimer(dueEvery)
		if t := l.due(); t != nil {
			wake = nil // whoever comes waits for the rest to end
			rest.Reset(l.measureNext(ctx, t))
		}
		for resting := true; resting; {
			select {
			case <-ctx.Done():
				resting = false
			case <-forget.C:
				l.forget()
			case <-rest.C:
				resting = false
			case <-wake:
				resting = false
			}
		}
		rest.Stop()
	}
}
