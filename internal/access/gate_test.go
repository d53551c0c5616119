package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// patience turns a hang into a failure.
const patience = time.Minute

// rig is a database with a registry, and the gates of servers.
type rig struct {
	*Registry

	t        *testing.T
	database *testdb.Database
	db       *db.DB
}

func newRig(t *testing.T) *rig {
	t.Helper()
	database := testdb.New(t)
	d, err := db.Open(t.Context(), db.Config{URL: database.DSN(), ReadConns: 2, AppendConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return &rig{NewRegistry(d), t, database, d}
}

// gate is another server's.
func (r *rig) gate() *Gate {
	r.t.Helper()
	d, err := db.Open(r.t.Context(), db.Config{URL: r.database.DSN(), ReadConns: 1, AppendConns: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	g := NewGate(d, slog.New(slog.NewTextHandler(r.t.Output(), nil)))
	g.Start()
	r.t.Cleanup(func() {
		if err := g.Stop(context.WithoutCancel(r.t.Context())); err != nil {
			r.t.Error(err)
		}
		d.Close()
	})
	r.await("the gate has asked", g.confirmed)
	return g
}

func (r *rig) await(what string, holds func() bool) {
	r.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); !holds(); <-tick.C {
		if time.Since(began) > patience {
			r.t.Fatalf("waited too long until %s", what)
		}
	}
}

// seen waits until a gate knows of all changes so far.
func (r *rig) seen(g *Gate) {
	r.t.Helper()
	version, err := r.db.AccessVersion(r.t.Context(), r.db.Read)
	if err != nil {
		r.t.Fatal(err)
	}
	r.await("the gate has seen the last change", func() bool {
		g.mu.RLock()
		defer g.mu.RUnlock()
		return g.version == version
	})
}

var made atomic.Int64

func (r *rig) key(scopes Scopes) (Key, string) {
	r.t.Helper()
	key, text, err := r.CreateKey(r.t.Context(), Actor{Name: "test"}, db.DefaultTenant,
		KeyRequest{Name: fmt.Sprint("key-", made.Add(1)), Scopes: scopes})
	if err != nil {
		r.t.Fatal(err)
	}
	return key, text
}

var admin = &Caller{Tenant: db.DefaultTenant, Scopes: AllScopes, Logs: "*"}

func (r *rig) token(key, text string, lifetime time.Duration) string {
	r.t.Helper()
	token, _, err := r.MakeToken(r.t.Context(), &Caller{Tenant: db.DefaultTenant, KeyID: key}, Actor{Name: "test", KeyID: key}, text,
		TokenRequest{Scopes: Query, Logs: []string{"a"}, Lifetime: lifetime})
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// admits reports whether a gate lets a credential in. Any error but ErrUnauthorized ends the test.
func (r *rig) admits(g *Gate, credential string) bool {
	r.t.Helper()
	caller, err := g.Authenticate(r.t.Context(), credential)
	if err != nil && !errors.Is(err, ErrUnauthorized) {
		r.t.Fatal(err)
	}
	if (err == nil) != (caller != nil) {
		r.t.Fatalf("%+v with %v", caller, err)
	}
	return err == nil
}

// TestMalformedAsksNoDatabase: what cannot be a key costs no query.
func TestMalformedAsksNoDatabase(t *testing.T) {
	r := newRig(t)
	g := r.gate()
	_, text := r.key(Read)
	i := newIssuer(AllScopes)
	for _, credential := range []string{
		"", "x", text[:len(text)-1], text + "0", "tally_", "eyJ", "eyJ.eyJ.x", text[:checkedLength] + "000000",
		i.sign(`{"alg":"EdDSA"}`, i.claims()), i.sign(`{"alg":"EdDSA","kid":"000000000000000\u0000"}`, i.claims()),
	} {
		if r.admits(g, credential) {
			t.Errorf("%q is let in", credential)
		}
	}
	if n := g.Stats.Lookups.Load(); n != 0 {
		t.Errorf("%d queries", n)
	}
	if checks, refused := g.Stats.Checks.Load(), g.Stats.Refused.Load(); checks != 10 || refused != 10 {
		t.Errorf("%d checks, %d refused, want 10", checks, refused)
	}
	// One that is well-formed and unknown costs one query, whoever repeats it.
	unknown := GenerateKey()
	for range 20 {
		if r.admits(g, unknown) {
			t.Error("an unknown key is let in")
		}
	}
	if n := g.Stats.Lookups.Load(); n > 3 { // more than one only where the machine stood still for believedFor
		t.Errorf("%d queries for one key", n)
	}
	if !r.admits(g, text) {
		t.Error("a good key is refused")
	}
}

// TestRotation: the former secret is good until its time and not after; its tokens too, also those that were checked before; and a further
// rotation ends it at once.
func TestRotation(t *testing.T) {
	r := newRig(t)
	g := r.gate()
	key, first := r.key(AllScopes)
	token := r.token(key.ID, first, time.Hour)
	rotate := func(formerValid time.Duration) string {
		t.Helper()
		_, text, err := r.RotateKey(t.Context(), admin, Actor{Name: "test"}, key.ID, formerValid)
		if err != nil {
			t.Fatal(err)
		}
		r.await("the new secret is good", func() bool { return r.admits(g, text) })
		return text
	}
	second := rotate(time.Hour)
	if !r.admits(g, first) || !r.admits(g, token) || !r.admits(g, second) {
		t.Fatal("the former secret, its token or the new secret is refused")
	}
	third := rotate(time.Hour)
	if r.admits(g, first) || r.admits(g, token) {
		t.Error("the secret from before the last rotation is good, or its token")
	}
	if !r.admits(g, second) {
		t.Fatal("the former secret is refused")
	}
	secondToken := r.token(key.ID, second, time.Hour)
	thirdToken := r.token(key.ID, third, time.Hour)
	if !r.admits(g, secondToken) || !r.admits(g, thirdToken) {
		t.Fatal("a token of the former or present secret is refused")
	}
	// The former secret's time passes, without any change that a gate could notice.
	g.mu.Lock()
	g.keys[key.ID].formerUntil = time.Now().Add(-time.Millisecond)
	g.tokens[sha256.Sum256([]byte(secondToken))].caller.Expires = g.keys[key.ID].formerUntil
	g.mu.Unlock()
	if r.admits(g, second) || r.admits(g, secondToken) {
		t.Error("the former secret or its token is good after its time")
	}
	if !r.admits(g, third) || !r.admits(g, thirdToken) {
		t.Error("the present secret or its token is refused")
	}
	fourth := rotate(0)
	if r.admits(g, third) || r.admits(g, thirdToken) || !r.admits(g, fourth) {
		t.Error("a rotation without a time left the former secret good")
	}
}

// TestFormerSecretEndsByItself is the end of TestRotation by the clock alone.
func TestFormerSecretEndsByItself(t *testing.T) {
	r := newRig(t)
	g := r.gate()
	key, former := r.key(AllScopes)
	token := r.token(key.ID, former, time.Hour)
	rotated, present, err := r.RotateKey(t.Context(), admin, Actor{Name: "test"}, key.ID, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, credential := range []string{former, token} {
		caller, err := g.Authenticate(t.Context(), credential)
		if err != nil || caller.Expires.After(rotated.FormerUntil) { // streams go by it
			t.Fatalf("its holder expires at %v, not by %v: %v", caller.Expires, rotated.FormerUntil, err)
		}
	}
	for _, credential := range []string{former, token} {
		for r.admits(g, credential) {
			if time.Since(rotated.FormerUntil) > time.Second {
				t.Fatal("what the former secret made is good a second after its time")
			}
		}
	}
	if !r.admits(g, present) {
		t.Error("the present secret is refused")
	}
}

// TestExpiry: keys and tokens end by the clock, without a query.
func TestExpiry(t *testing.T) {
	r := newRig(t)
	g := r.gate()
	expires := time.Now().Add(1500 * time.Millisecond)
	key, text, err := r.CreateKey(t.Context(), Actor{Name: "test"}, db.DefaultTenant,
		KeyRequest{Name: "brief", Scopes: Query, ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	lasting, lastingText := r.key(Query)
	outlives, brief := r.token(key.ID, text, time.Hour), r.token(lasting.ID, lastingText, time.Second)
	for _, credential := range []string{brief, outlives, text} {
		for r.admits(g, credential) {
			if time.Since(expires) > time.Second {
				t.Fatalf("%.12s… is good a second after its end", credential)
			}
		}
	}
	if time.Now().Before(expires) {
		t.Error("the key ended before its time")
	}
	if !r.admits(g, lastingText) {
		t.Error("the key that does not expire is refused")
	}
}

// TestRevocation: what a revoked key and its tokens could do ends on all gates, and stays so; other keys notice nothing.
func TestRevocation(t *testing.T) {
	r := newRig(t)
	gates := []*Gate{r.gate(), r.gate()}
	_, other := r.key(Read)
	for range 5 {
		key, text := r.key(AllScopes)
		token := r.token(key.ID, text, time.Hour)
		for _, g := range gates {
			if !r.admits(g, text) || !r.admits(g, token) {
				t.Fatal("a good key is refused")
			}
		}
		if _, err := r.RevokeKey(t.Context(), admin, Actor{Name: "test"}, key.ID); err != nil {
			t.Fatal(err)
		}
		for _, g := range gates {
			r.await("the key is refused", func() bool { return !r.admits(g, text) })
			for range 50 {
				if r.admits(g, text) || r.admits(g, token) || !r.admits(g, other) {
					t.Fatal("a revoked key or its token is let in again, or another is refused")
				}
			}
		}
		if _, _, err := r.RotateKey(t.Context(), admin, Actor{Name: "test"}, key.ID, 0); !errors.Is(err, ErrKeyRevoked) {
			t.Errorf("rotating a revoked key: %v", err)
		}
	}
}

// TestRestoredDatabase: after the database went back to an earlier state, even if it came to the same number of changes since, nothing is
// believed of the history that is gone.
func TestRestoredDatabase(t *testing.T) {
	r := newRig(t)
	g := r.gate()
	_, kept := r.key(Read)
	var number int64
	if err := r.db.Read.QueryRow(t.Context(), "SELECT number FROM access_version").Scan(&number); err != nil {
		t.Fatal(err)
	}
	for round := range int64(3) { // fewer changes than before, as many, more
		lost, text := r.key(Read)
		r.seen(g) // a restore takes longer than a gate takes to ask
		if !r.admits(g, text) || !r.admits(g, kept) {
			t.Fatal("a good key is refused")
		}
		r.database.Exec(t, "DELETE FROM access_keys WHERE key_id = $1", lost.ID) // as the backup does not have it
		r.database.Exec(t, "UPDATE access_version SET number = $1, nonce = $2", number+round, uuid.New())
		r.await("the key that is gone is refused", func() bool { return !r.admits(g, text) })
		if !r.admits(g, kept) {
			t.Error("a key from before is refused")
		}
	}
}

// TestUnknownKeysDriveOutNoKeys: whoever invents keys makes a gate forget nothing but what it knows of invented ones.
func TestUnknownKeysDriveOutNoKeys(t *testing.T) {
	r := newRig(t)
	g := r.gate()
	_, text := r.key(Read)
	r.seen(g)
	if !r.admits(g, text) {
		t.Fatal("a good key is refused")
	}
	g.mu.Lock()
	for i := range maxKnown {
		g.absent[fmt.Sprintf("%016d", i)] = &known{}
	}
	g.mu.Unlock()
	for range 10 {
		if r.admits(g, GenerateKey()) {
			t.Fatal("an unknown key is let in")
		}
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	id, _ := parseKey(text)
	if g.keys[id] == nil || len(g.absent) > 10 || len(g.keys) > 1 {
		t.Errorf("%d keys and %d ids without one are remembered", len(g.keys), len(g.absent))
	}
}
