package intake

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
)

// forgetAsking makes a registry believe that it asked that much longer ago.
func forgetAsking(r *Registry, longer time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked -= longer
	r.failed -= longer
}

// TestSourcesInOutage: while the database cannot say what has changed, what is known goes on for a while, then no longer; what is not known
// is an error at once, and none that says that there is no such source.
func TestSourcesInOutage(t *testing.T) {
	r := newRig(t)
	other := r.server()
	r.put("gateway", "log")
	if version(t, other, "gateway") != 1 || version(t, other, "absent") != -1 {
		t.Fatal("the sources are not as they were put")
	}
	r.database.Exec(t, "ALTER TABLE sources_version RENAME TO away")
	forgetAsking(other, believedFor)
	for range 3 {
		if version(t, other, "gateway") != 1 {
			t.Error("what was known is not, while the database does not answer")
		}
		for _, name := range []string{"absent", "unknown"} { // absent may have been put on another server meanwhile
			if _, err := other.Get(t.Context(), db.DefaultTenant, name); err == nil || errors.Is(err, ErrSourceNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	forgetAsking(other, believedInOutage)
	for _, name := range []string{"gateway", "absent"} {
		if got, err := other.Get(t.Context(), db.DefaultTenant, name); err == nil || errors.Is(err, ErrSourceNotFound) {
			t.Errorf("%s is believed for ever: %+v, %v", name, got, err)
		}
	}
	r.database.Exec(t, "ALTER TABLE away RENAME TO sources_version")
	r.put("gateway", "another")
	forgetAsking(other, retryAfter)
	becomes(t, other, "gateway", 2)
}

// TestSourcesOfASilentDatabase: where the database does not answer at all, one request at a time waits for it, and not for long.
func TestSourcesOfASilentDatabase(t *testing.T) {
	r := newRig(t)
	r.put("gateway", "log")
	if version(t, r.Registry, "gateway") != 1 {
		t.Fatal("the source is not as it was put")
	}
	conn, err := pgx.Connect(t.Context(), r.database.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // releases the lock
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE sources_version IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	before := r.Stats.Refreshes.Load()
	forgetAsking(r.Registry, believedFor)
	var asking sync.WaitGroup
	for range 50 {
		asking.Go(func() {
			if got, err := r.Get(t.Context(), db.DefaultTenant, "gateway"); err != nil || got.Version != 1 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	asking.Wait()
	if asked := r.Stats.Refreshes.Load() - before; asked == 0 || asked > 25 {
		t.Errorf("50 requests asked the silent database %d times", asked)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.put("gateway", "another")
	forgetAsking(r.Registry, retryAfter)
	becomes(t, r.Registry, "gateway", 2)
}
