package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// pollEvery is how often a server asks whether keys or tenants have changed, and believedFor how long it believes what it knows since
	// it asked: a revocation holds everywhere within a second.
	pollEvery   = 250 * time.Millisecond
	believedFor = 800 * time.Millisecond
	// pollTimeout bounds one such query: the next one may do better.
	pollTimeout = 2 * time.Second
	// maxLookups bounds the queries for keys that are not known at a time: whoever invents keys must not use up the connections.
	maxLookups = 4
	// maxKnown bounds the keys, the ids without a key and the tenants that are remembered; when there are more of a kind, all
	// of that kind are forgotten.
	maxKnown = 50_000
	// maxTokens bounds the tokens, each of which may name many logs and views.
	maxTokens = 5_000
)

// ErrUnauthorized: what was given is no key or token, or one that is unknown, expired or revoked. It does not say which.
var ErrUnauthorized = errors.New("no valid key")

// Gate checks keys and tokens. What it knows of them it keeps in memory, and believes for less than a second unless the database confirms
// that nothing has changed. It is safe for concurrent use.
type Gate struct {
	db  *db.DB
	log *slog.Logger

	lookups chan struct{}
	checked atomic.Int64 // when the database last confirmed what is known: nanoseconds since began
	began   time.Time
	worker  background.Worker
	Stats   Stats

	mu      sync.RWMutex
	keys    map[string]*known            // by id
	absent  map[string]*known            // by id, where there is no key, or a revoked one; apart, so that inventing ids drives out no keys
	tokens  map[[sha256.Size]byte]*token // by the hash of their text
	tenants map[string]Tenant            // by name, for operators
	version dbsqlc.AccessVersionRow      // that the maps are of
	changed chan struct{}                // closed when something has changed, and replaced: what was read before may be out of date
}

// Stats counts what a gate does.
type Stats struct {
	Checks  atomic.Int64 // of keys and tokens
	Refused atomic.Int64 // of them
	Lookups atomic.Int64 // in the database
}

// Known is how many keys and tokens are remembered, those included that turned out not to be good.
func (g *Gate) Known() (keys, tokens int) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.keys), len(g.tokens)
}

// NewGate returns a gate. It must be started, and stopped.
func NewGate(d *db.DB, log *slog.Logger) *Gate {
	return &Gate{
		db: d, log: log, lookups: make(chan struct{}, maxLookups), began: time.Now(),
		keys: map[string]*known{}, absent: map[string]*known{}, tokens: map[[sha256.Size]byte]*token{}, tenants: map[string]Tenant{},
		changed: make(chan struct{}),
	}
}

// Start begins to follow what other servers change.
func (g *Gate) Start() {
	g.checked.Store(-int64(believedFor)) // nothing is confirmed yet
	g.worker.Go(g.follow)
	g.worker.Go(g.recordUse)
}

// Stop implements background.Part. It records the last uses of keys.
func (g *Gate) Stop(ctx context.Context) error { return g.worker.Stop(ctx) }

// Changed is closed once a key or a tenant may have changed: whoever serves one request for long looks again then whether it may go on.
func (g *Gate) Changed() <-chan struct{} {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.changed
}

// announce closes what Changed returned. mu is held.
func (g *Gate) announce() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// Authenticate returns who has this key or token. The error is ErrUnauthorized or the database's.
func (g *Gate) Authenticate(ctx context.Context, credential string) (*Caller, error) {
	g.Stats.Checks.Add(1)
	caller, err := g.authenticate(ctx, credential)
	if errors.Is(err, ErrUnauthorized) {
		g.Stats.Refused.Add(1)
	}
	return caller, err
}

func (g *Gate) authenticate(ctx context.Context, credential string) (*Caller, error) {
	if LooksLikeToken(credential) {
		return g.authenticateToken(ctx, credential)
	}
	id, ok := parseKey(credential)
	if !ok {
		return nil, ErrUnauthorized
	}
	key, err := g.key(ctx, id)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	caller := key.callerWith(credential, now)
	if caller == nil || !key.good(now) {
		return nil, ErrUnauthorized
	}
	key.used.Store(now.UnixNano())
	return caller, nil
}

func (g *Gate) authenticateToken(ctx context.Context, text string) (*Caller, error) {
	hash := sha256.Sum256([]byte(text))
	g.mu.RLock()
	verified := g.tokens[hash]
	g.mu.RUnlock()
	var id string
	if verified != nil {
		id = verified.keyID
	} else if named, ok := tokenKeyID(text); ok {
		id = named
	} else {
		return nil, ErrUnauthorized
	}
	key, err := g.key(ctx, id)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if key.caller == nil || !key.good(now) {
		return nil, ErrUnauthorized
	}
	if verified == nil || verified.key != key {
		if verified, err = key.verify(text, now); err != nil {
			return nil, ErrUnauthorized
		}
		g.mu.Lock()
		if len(g.tokens) >= maxTokens {
			clear(g.tokens)
		}
		g.tokens[hash] = verified
		g.mu.Unlock()
	}
	if !now.Before(verified.caller.Expires) {
		return nil, ErrUnauthorized
	}
	key.used.Store(now.UnixNano())
	return verified.caller, nil
}

// confirmed reports whether what is known may be believed.
func (g *Gate) confirmed() bool {
	return time.Since(g.began)-time.Duration(g.checked.Load()) < believedFor
}

// remembered returns what is remembered of a key, nil if nothing is, or if it must not be believed; and what is closed once that changes.
func (g *Gate) remembered(id string) (*known, chan struct{}) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	key := g.keys[id]
	if key == nil {
		key = g.absent[id]
	}
	if !g.confirmed() {
		key = nil
	}
	return key, g.changed
}

// key returns what is known of a key, from memory or from the database.
func (g *Gate) key(ctx context.Context, id string) (*known, error) {
	if key, _ := g.remembered(id); key != nil {
		return key, nil
	}
	select {
	case g.lookups <- struct{}{}:
		defer func() { <-g.lookups }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to look up a key: %w", ctx.Err())
	}
	key, changed := g.remembered(id)
	if key != nil { // somebody else has looked it up meanwhile
		return key, nil
	}
	g.Stats.Lookups.Add(1)
	row, err := g.db.KeyAccess(ctx, g.db.Access, id)
	if err = db.Classify(err); err != nil && !errors.Is(err, db.ErrNotFound) {
		return nil, fmt.Errorf("looking up a key: %w", err)
	}
	key = newKnown(row, err == nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed == changed { // else the key may have changed after it was read
		remembered := g.keys
		if key.caller == nil {
			remembered = g.absent
		}
		if len(remembered) >= maxKnown {
			clear(remembered)
		}
		remembered[id] = key
	}
	return key, nil
}

// ActIn returns the caller acting in the tenant of that name, for an operator. The error is ErrTenantNotFound or the database's.
func (g *Gate) ActIn(ctx context.Context, caller *Caller, name string) (*Caller, error) {
	g.mu.RLock()
	tenant, known := g.tenants[name]
	changed := g.changed
	g.mu.RUnlock()
	if eventlog.CheckName("", name) != nil {
		return nil, ErrTenantNotFound
	}
	if !known || !g.confirmed() {
		row, err := g.db.TenantByName(ctx, g.db.Access, name)
		if err = db.Classify(err); errors.Is(err, db.ErrNotFound) {
			return nil, ErrTenantNotFound
		} else if err != nil {
			return nil, fmt.Errorf("finding a tenant: %w", err)
		}
		tenant = tenantFromRow(row)
		g.mu.Lock()
		if g.changed == changed {
			if len(g.tenants) >= maxKnown {
				clear(g.tenants)
			}
			g.tenants[name] = tenant
		}
		g.mu.Unlock()
	}
	return caller.in(tenant), nil
}

// follow asks the database what has changed, again and again.
func (g *Gate) follow(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for failed := false; ; {
		switch err := g.refresh(ctx); {
		case err == nil:
			failed = false
		case ctx.Err() == nil && !failed:
			failed = true
			g.log.LogAttrs(ctx, slog.LevelWarn, "asking for changes of keys failed; each key is looked up until it works again",
				slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Refresh asks the database at once what has changed, so that a server goes by its own changes when it says that they are made. Where that
// fails, it is asked again as ever.
func (g *Gate) Refresh(ctx context.Context) { _ = g.refresh(context.WithoutCancel(ctx)) }

// refresh forgets what has changed since the last time. Several may be under way.
func (g *Gate) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	asked := time.Since(g.began)
	now, err := g.db.AccessVersion(ctx, g.db.Access)
	if err != nil {
		g.forget()
		return fmt.Errorf("reading the version of keys: %w", db.Classify(err))
	}
	g.mu.RLock()
	last := g.version
	g.mu.RUnlock()
	if now != last {
		if err := g.update(ctx, last, now); err != nil {
			g.forget()
			return err
		}
	}
	g.checked.Store(int64(asked))
	return nil
}

// forget forgets everything: while nothing was asked, the database may have been set back, and come to the same numbers again.
func (g *Gate) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clear()
	g.version = dbsqlc.AccessVersionRow{}
	g.announce()
}

func (g *Gate) clear() {
	clear(g.keys)
	clear(g.absent)
	clear(g.tokens)
	clear(g.tenants)
}

func (g *Gate) update(ctx context.Context, last, now dbsqlc.AccessVersionRow) error {
	var keys []string
	var tenants []uuid.UUID
	if last.Number < now.Number && last.Nonce != (uuid.UUID{}) {
		var err error
		if keys, err = g.db.ChangedKeys(ctx, g.db.Access, last.Number); err != nil {
			return fmt.Errorf("reading which keys have changed: %w", db.Classify(err))
		}
		if tenants, err = g.db.ChangedTenants(ctx, g.db.Access, last.Number); err != nil {
			return fmt.Errorf("reading which tenants have changed: %w", db.Classify(err))
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.version = now
	defer g.announce()
	if len(keys) == 0 || len(tenants) > 0 { // everything of a tenant, or a database that was set back
		g.clear()
		return nil
	}
	for _, id := range keys { // tokens are good only with the key that verified them
		delete(g.keys, id)
		delete(g.absent, id)
	}
	return nil
}
