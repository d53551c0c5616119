package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/source"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// refreshAfter is how long after the last time somebody asks whether sources have changed, and believedFor how long others believe
	// what is known meanwhile: a change holds everywhere within a second. Without requests nothing is asked.
	refreshAfter = 400 * time.Millisecond
	believedFor  = 800 * time.Millisecond
	// believedInOutage is how long what is known holds while the database does not answer. Nothing is stored then, unless only this
	// question fails; a request that gets to its append is answered once the database is back, or 503.
	believedInOutage = 15 * time.Second
	// refreshTimeout bounds one such question, and retryAfter is how long after one that failed the next one waits.
	refreshTimeout = 2 * time.Second
	retryAfter     = 500 * time.Millisecond
	// followFor is how long after the last time the changes since then are asked for one by one, if nothing has failed meanwhile; later,
	// everything is forgotten, since the database may have been set back and have gone on from there.
	followFor = 5 * time.Second
	// maxLookups bounds the queries for sources that are not known at a time: whoever invents names must leave a connection to keys.
	maxLookups = 1
	// maxKnown bounds the sources that are remembered, and the names without one, and maxKnownBytes what sources take up: when there are
	// more, those of the tenant that has most are forgotten, or all names without a source.
	maxKnown      = 10_000
	maxKnownBytes = 64 << 20
	// knownFactor is how much memory a compiled mapping takes, about, for each byte of its text.
	knownFactor = 8
)

// Get returns what a source does: from memory, at most a second after another server has changed it. The error is ErrSourceNotFound,
// ErrNewerMapping or the database's.
func (r *Registry) Get(ctx context.Context, tenant uuid.UUID, name string) (*Source, error) {
	if eventlog.CheckName("", name) != nil {
		return nil, ErrSourceNotFound
	}
	key := sourceKey{tenant, name}
	found, age := r.remembered(key)
	if age >= refreshAfter {
		err := r.confirm(ctx, found != nil)
		// That there is no such source is not believed: it may have been put on another server meanwhile, and 404 is final to gateways.
		if found, age = r.remembered(key); err != nil && (found == nil || found.source == nil || age >= believedInOutage) {
			return nil, err
		}
	}
	if found == nil {
		var err error
		if found, err = r.lookUp(ctx, key); err != nil {
			return nil, err
		}
	}
	return found.source, found.err
}

// remembered returns what is remembered of a source, nil if nothing is, and how long ago the database said that it is true.
func (r *Registry) remembered(key sourceKey) (found *known, age time.Duration) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found = r.known[key]
	if found == nil {
		found = r.absent[key]
	}
	return found, time.Since(r.began) - r.asked
}

// confirm asks the database what has changed, unless somebody else is at it and what is known may be believed meanwhile, or it did not
// answer just now.
func (r *Registry) confirm(ctx context.Context, known bool) error {
	r.mu.RLock()
	now := time.Since(r.began)
	age, failure, failedAgo := now-r.asked, r.failure, now-r.failed
	r.mu.RUnlock()
	if failure != nil && failedAgo < retryAfter {
		return failure
	}
	if known && (age < believedFor || failure != nil && age < believedInOutage) {
		select {
		case r.asking <- struct{}{}:
		default:
			return failure
		}
	} else {
		select {
		case r.asking <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("waiting to ask for changes of sources: %w", ctx.Err())
		}
	}
	defer func() { <-r.asking }()
	r.mu.RLock()
	now = time.Since(r.began)
	age, failure, failedAgo = now-r.asked, r.failure, now-r.failed
	r.mu.RUnlock()
	switch { // somebody else has asked meanwhile
	case age < refreshAfter:
		return nil
	case failure != nil && failedAgo < retryAfter:
		return failure
	}
	return r.refresh(ctx)
}

// refresh forgets what has changed since the last time. One is under way at a time.
func (r *Registry) refresh(ctx context.Context) error {
	r.Stats.Refreshes.Add(1)
	asked := time.Since(r.began)
	err := r.update(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.asked, r.failure = asked, nil
	case ctx.Err() == nil: // else whoever asked has gone, which says nothing of the database
		r.failed, r.failure = time.Since(r.began), err
	}
	return err
}

func (r *Registry) update(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	now, err := r.db.SourcesVersion(ctx, r.db.Access)
	if err != nil {
		return fmt.Errorf("reading the version of sources: %w", db.Classify(err))
	}
	r.mu.RLock()
	last, follow := r.version, r.failure == nil && time.Since(r.began)-r.asked < followFor
	r.mu.RUnlock()
	if now == last {
		return nil
	}
	var changed []dbsqlc.ChangedSourcesRow
	if follow && last.Number < now.Number {
		if changed, err = r.db.ChangedSources(ctx, r.db.Access, last.Number); err != nil {
			return fmt.Errorf("reading which sources have changed: %w", db.Classify(err))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version = now
	r.epoch++
	if len(changed) == 0 {
		r.clear()
		clear(r.absent)
	}
	for _, row := range changed {
		r.drop(sourceKey{row.TenantID, row.Name})
	}
	return nil
}

// forget forgets one source, which this server has changed.
func (r *Registry) forget(key sourceKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch++
	r.drop(key)
}

// drop does it with mu held, as clear does for all sources.
func (r *Registry) drop(key sourceKey) {
	if found := r.known[key]; found != nil {
		r.bytes -= found.bytes
		delete(r.known, key)
	}
	delete(r.absent, key)
}

func (r *Registry) clear() {
	clear(r.known)
	r.bytes = 0
}

// forgetLargest forgets the sources of the tenant that take up most: whoever has many drives out nobody else's. mu is held.
func (r *Registry) forgetLargest() {
	taken := map[uuid.UUID]int{}
	for key, found := range r.known {
		taken[key.tenant] += found.bytes
	}
	var largest uuid.UUID
	for tenant, bytes := range taken {
		if bytes > taken[largest] {
			largest = tenant
		}
	}
	for key := range r.known {
		if key.tenant == largest {
			r.drop(key)
		}
	}
}

// lookUp reads a source from the database, and remembers it.
func (r *Registry) lookUp(ctx context.Context, key sourceKey) (*known, error) {
	select {
	case r.lookups <- struct{}{}:
		defer func() { <-r.lookups }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to look up a source: %w", ctx.Err())
	}
	if found, age := r.remembered(key); found != nil && age < believedFor { // somebody else has looked it up meanwhile
		return found, nil
	}
	r.Stats.Lookups.Add(1)
	r.mu.RLock()
	epoch := r.epoch
	r.mu.RUnlock()
	row, err := r.db.GetSource(ctx, r.db.Access, dbsqlc.GetSourceParams{TenantID: key.tenant, Name: key.name})
	if err = db.Classify(err); err != nil && !errors.Is(err, db.ErrNotFound) {
		return nil, fmt.Errorf("looking up a source: %w", err)
	}
	found := r.read(key, row)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epoch == epoch { // else it may have changed after it was read
		r.remember(key, found)
	}
	return found, nil
}

// remember does it with mu held.
func (r *Registry) remember(key sourceKey, found *known) {
	if found.source == nil {
		if len(r.absent) >= maxKnown {
			clear(r.absent)
		}
		r.absent[key] = found
		return
	}
	for len(r.known) >= maxKnown || r.bytes+found.bytes > maxKnownBytes {
		r.forgetLargest()
	}
	r.drop(key)
	r.known[key] = found
	r.bytes += found.bytes
}

// read makes of a row what is known of its source.
func (r *Registry) read(key sourceKey, row dbsqlc.GetSourceRow) *known {
	if row.Resolved == nil {
		if key.name == DefaultSource {
			return &known{source: r.defaultOf(key.tenant), bytes: 1 << 10} // all share the mapping
		}
		return &known{err: ErrSourceNotFound}
	}
	s, err := sourceFromRow(key, row)
	if err != nil {
		return &known{err: err}
	}
	return &known{source: s, bytes: 1<<10 + len(row.Mapping) + knownFactor*len(row.Resolved)}
}

func (r *Registry) defaultOf(tenant uuid.UUID) *Source {
	return &Source{Tenant: tenant, Name: DefaultSource, Mapping: r.standard, Sent: []byte(defaultMapping)}
}

func sourceFromRow(key sourceKey, row dbsqlc.GetSourceRow) (*Source, error) {
	s := &Source{
		Tenant: key.tenant, Name: key.name, Version: row.Version, Sent: row.Mapping, CreatedAt: row.CreatedAt, CreatedBy: row.CreatedBy,
	}
	if row.Resolved == nil {
		return s, nil
	}
	var err error
	if s.Mapping, err = source.Parse(row.Resolved); err != nil {
		// The cause is not wrapped: in the request that meets it nothing is invalid.
		return nil, fmt.Errorf("version %d of the source %s: %w: %s", row.Version, key.name, ErrNewerMapping, err.Error())
	}
	return s, nil
}
