package access

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
)

// TestUsesAreRecorded: that a key was used is recorded, and for a minute no use after that, by whichever server.
func TestUsesAreRecorded(t *testing.T) {
	r := newRig(t)
	here, there := r.gate(), r.gate()
	key, text, err := r.CreateKey(t.Context(), Actor{Name: "tester"}, db.DefaultTenant, KeyRequest{Name: "used", Scopes: Read})
	if err != nil {
		t.Fatal(err)
	}
	lastUse := func() time.Time {
		t.Helper()
		found, err := r.Key(t.Context(), db.DefaultTenant, key.ID)
		if err != nil {
			t.Fatal(err)
		}
		return found.LastUsedAt
	}
	use := func(g *Gate) {
		t.Helper()
		if _, err := g.Authenticate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		g.noteUse(t.Context())
	}
	if at := lastUse(); !at.IsZero() {
		t.Errorf("a key that was never used was so at %v", at)
	}
	began := time.Now()
	use(here)
	first := lastUse()
	if first.Before(began.Truncate(time.Microsecond)) || first.After(time.Now()) {
		t.Fatalf("used from %v on, recorded as %v", began, first)
	}
	use(here)
	use(there)
	if at := lastUse(); !at.Equal(first) {
		t.Errorf("used again within a minute of %v, recorded as %v", first, at)
	}
	// As if that had been two minutes ago.
	r.database.Exec(t, "UPDATE access_keys SET last_used_at = last_used_at - interval '2 minutes'")
	there.mu.Lock()
	there.keys[key.ID].recorded -= int64(2 * time.Minute)
	there.mu.Unlock()
	use(there)
	if at := lastUse(); !at.After(first.Add(-time.Second)) {
		t.Errorf("used two minutes after it was recorded, recorded as %v", at)
	}
}
