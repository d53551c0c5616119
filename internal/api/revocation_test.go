package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
)

// second returns another server on the database.
func (d *frontDoor) second() *frontDoor {
	d.t.Helper()
	other := *d.service
	other.url = d.serve(d.db.Config().ConnString(), withKeys(d.operator))
	return &frontDoor{service: &other, operator: d.operator, owner: d.owner, rival: d.rival, alone: d.alone}
}

// control measures how late this machine wakes up whoever sleeps: what a test finds of times says nothing where that is much.
type control struct {
	worst atomic.Int64
	stop  chan struct{}
	done  sync.WaitGroup
}

func startControl() *control {
	c := &control{stop: make(chan struct{})}
	c.done.Go(func() {
		const every = 10 * time.Millisecond
		tick := time.NewTicker(every)
		defer tick.Stop()
		for last := time.Now(); ; {
			select {
			case <-tick.C:
				now := time.Now()
				c.worst.Store(max(c.worst.Load(), int64(now.Sub(last)-every)))
				last = now
			case <-c.stop:
				return
			}
		}
	})
	return c
}

func (c *control) end() time.Duration {
	close(c.stop)
	c.done.Wait()
	return time.Duration(c.worst.Load())
}

// TestRevocationHoldsOnEveryServer: what one server revokes, another refuses within a second, while it is busy. The time is counted from
// the answer of the one to the last request that the other lets in.
func TestRevocationHoldsOnEveryServer(t *testing.T) {
	d := openDoor(t)
	other := d.second()
	machine := startControl()
	var load sync.WaitGroup
	stop := make(chan struct{})
	for _, at := range []*frontDoor{d, other} {
		for range 2 {
			load.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					r, err := at.try("POST", "/logs/in-1/append", strings.NewReader(`{"model":"m","tokens_in":1}`), "X-Api-Key: "+d.owner)
					if err != nil || r.status != http.StatusCreated {
						t.Errorf("another key's append: %v %d %s", err, r.status, r.body)
						return
					}
				}
			})
		}
	}
	const revocations = 20
	var longest, sum time.Duration
	for i := range revocations {
		id, key := d.keyIn("acme", fmt.Sprint("brief-", i), "in-*", "read")
		token := d.token(key, "read", "in-1", 600, "")
		credential := []string{key, token}[i%2]
		if r := other.as(credential, "GET", "/logs/in-1", ""); r.status != http.StatusOK {
			t.Fatalf("before: %d %s", r.status, r.body)
		}
		d.want(http.StatusOK, d.as(d.owner, "DELETE", "/keys/"+id, ""))
		revoked, lastGood := time.Now(), time.Duration(0)
		other.await("the key is refused", func() bool {
			asked := time.Since(revoked)
			r := other.as(credential, "GET", "/logs/in-1", "")
			if r.status == http.StatusOK {
				lastGood = asked
			}
			return r.status == http.StatusUnauthorized
		})
		longest, sum = max(longest, lastGood), sum+lastGood
		for range 3 {
			for _, at := range []*frontDoor{d, other} {
				at.wantProblem(http.StatusUnauthorized, "unauthorized", at.as(credential, "GET", "/logs/in-1", ""))
			}
		}
	}
	close(stop)
	load.Wait()
	late := machine.end()
	t.Logf("the other server let a revoked key in for %v at the longest and %v on average, over %d; "+
		"the machine woke a sleeper %v late at the worst", longest, sum/revocations, revocations, late)
	if longest >= time.Second && late < 100*time.Millisecond {
		t.Errorf("a revoked key was let in for %v", longest)
	}
}

// TestChangesOfATenantHoldOnEveryServer: suspending, renaming and resuming it.
func TestChangesOfATenantHoldOnEveryServer(t *testing.T) {
	d := openDoor(t)
	other := d.second()
	appends := func() int {
		return other.as(d.owner, "POST", "/logs/in-1/append", `{"model":"m","tokens_in":1}`).status
	}
	there := func(tenant string) int {
		return other.as(d.operator, "GET", "/logs/in-1", "", "Tally-Tenant: "+tenant).status
	}
	patch := func(tenant, body string) { d.want(http.StatusOK, d.as(d.operator, "PATCH", "/tenants/"+tenant, body)) }
	if appends() != http.StatusCreated || there("acme") != http.StatusOK {
		t.Fatal("nothing works")
	}
	patch("acme", `{"suspended":true}`)
	other.await("the tenant is suspended", func() bool { return appends() == http.StatusForbidden })
	if there("acme") != http.StatusOK {
		t.Error("a suspended tenant is not read")
	}
	patch("acme", `{"name":"acme-2"}`)
	other.await("the old name is gone", func() bool { return there("acme") == http.StatusNotFound })
	if got := there("acme-2"); got != http.StatusOK {
		t.Errorf("by its new name: %d", got)
	}
	// A tenant of the old name is another one.
	d.want(http.StatusCreated, d.as(d.operator, "POST", "/tenants", `{"name":"acme"}`))
	other.wantProblem(http.StatusNotFound, "log_not_found", other.as(d.operator, "GET", "/logs/in-1", "", "Tally-Tenant: acme"))
	d.wantProblem(http.StatusConflict, "name_taken", d.as(d.operator, "PATCH", "/tenants/acme-2", `{"name":"rival"}`))
	if got := appends(); got != http.StatusForbidden {
		t.Errorf("renamed, it appends: %d", got)
	}
	patch("acme-2", `{"suspended":false}`)
	other.await("the tenant is resumed", func() bool { return appends() == http.StatusCreated })
}

// TestKeysWhileTheDatabaseIsAway: a key is believed for less than a second, then nobody is let in, and nobody is told that a good key is
// none. What was revoked stays so when the database is back.
func TestKeysWhileTheDatabaseIsAway(t *testing.T) {
	d := openDoor(t)
	id, revoked := d.keyIn("acme", "to-be-revoked", "*", "read")
	d.want(http.StatusOK, d.as(revoked, "GET", "/logs/in-1", ""))
	d.want(http.StatusOK, d.as(d.owner, "DELETE", "/keys/"+id, ""))
	d.await("the key is revoked", func() bool { return d.as(revoked, "GET", "/logs/in-1", "").status == http.StatusUnauthorized })
	d.disconnect()
	away := time.Now()
	for time.Since(away) < 2*time.Second {
		asked := time.Since(away)
		for _, credential := range []string{d.owner, revoked, access.GenerateKey()} {
			// An append of no event reaches no database once the key is believed.
			r := d.as(credential, "POST", "/logs/in-1/append", "no JSON")
			switch {
			case r.status == http.StatusServiceUnavailable: // it cannot be looked up
			case credential == d.owner && r.status == http.StatusBadRequest && asked < time.Second:
			case credential != d.owner && r.status == http.StatusUnauthorized && asked < time.Second:
			default:
				t.Errorf("%v after the database went away: %d %s", asked, r.status, r.body)
			}
		}
	}
	for _, malformed := range []string{"nonsense", d.owner + "x"} { // which need no database
		d.wantProblem(http.StatusUnauthorized, "unauthorized", d.as(malformed, "GET", "/logs/in-1", ""))
	}
	d.administer(`ALTER DATABASE "` + d.name + `" ALLOW_CONNECTIONS true`)
	d.await("the good key is let in", func() bool {
		if r := d.as(revoked, "GET", "/logs/in-1", ""); r.status != http.StatusServiceUnavailable && r.status != http.StatusUnauthorized {
			t.Errorf("a revoked key gets %d", r.status)
		}
		return d.as(d.owner, "GET", "/logs/in-1", "").status == http.StatusOK
	})
	d.wantProblem(http.StatusUnauthorized, "unauthorized", d.as(revoked, "GET", "/logs/in-1", ""))
}

// TestKeysOfARestoredDatabase: after a restore servers go by what it holds: keys made since are gone, keys revoked since are good again.
func TestKeysOfARestoredDatabase(t *testing.T) {
	d := openDoor(t)
	id, ended := d.keyIn("acme", "ended-later", "*", "read")
	d.outages = true
	d.backUp()
	d.want(http.StatusOK, d.until("DELETE", "/keys/"+id, "", "X-Api-Key: "+d.owner))
	_, later := d.keyIn("acme", "made-later", "*", "read")
	token := d.token(later, "read", "in-1", 600, "")
	status := func(credential string) int { return d.as(credential, "GET", "/logs/in-1", "").status }
	d.await("both changes hold", func() bool {
		return status(ended) == http.StatusUnauthorized && status(later) == http.StatusOK
	})
	d.want(http.StatusOK, d.as(token, "GET", "/logs/in-1", ""))
	d.restore()
	d.await("the restored keys are those that count", func() bool {
		return status(ended) == http.StatusOK && status(later) == http.StatusUnauthorized
	})
	d.wantProblem(http.StatusUnauthorized, "unauthorized", d.as(token, "GET", "/logs/in-1", ""))
}
