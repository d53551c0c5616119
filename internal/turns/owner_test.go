package turns

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// byFirst has keys belong to the owner that their first byte names.
func byFirst(key Key) Key { return Key{key[0]} }

// TestOwnersShareTheCore has one owner do something for each of sixteen keys, and another one for one: each owner gets half of the core.
func TestOwnersShareTheCore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(maxSlots)
		ts.owned = byFirst
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for n := range byte(16) {
			wg.Go(func() {
				turn := ts.Turn(Key{1, n}, Query)
				defer turn.End()
				_ = compute(ctx, &turn, time.Hour) // until the test has seen enough
			})
		}
		synctest.Wait()
		began := time.Now()
		turn := ts.Turn(Key{2}, Query)
		if err := compute(ctx, &turn, time.Second); err != nil {
			t.Error(err)
		}
		turn.End()
		if took := time.Since(began); took < 2*time.Second-2*Time || took > 2*time.Second+2*Time {
			t.Errorf("a second of one core took %v beside another owner; half of the core makes two", took)
		}
		cancel()
		wg.Wait()
		if len(ts.accounts) != 0 || len(ts.owners) != 0 {
			t.Errorf("afterwards there are %d accounts and %d owners", len(ts.accounts), len(ts.owners))
		}
	})
}

// TestKeysOfAnOwnerShareEqually has an owner's two keys share what it gets, of which one came later.
func TestKeysOfAnOwnerShareEqually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(maxSlots)
		ts.owned = byFirst
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, key := range []Key{{1, 1}, {2, 1}} {
			wg.Go(func() {
				turn := ts.Turn(key, Query)
				defer turn.End()
				_ = compute(ctx, &turn, time.Hour)
			})
		}
		<-time.After(10 * time.Second)
		began := time.Now()
		turn := ts.Turn(Key{1, 2}, Query)
		if err := compute(ctx, &turn, time.Second); err != nil {
			t.Error(err)
		}
		turn.End()
		if took := time.Since(began); took < 4*time.Second-4*Time || took > 4*time.Second+4*Time {
			t.Errorf("a second of one core took %v; half of an owner's half makes four", took)
		}
		cancel()
		wg.Wait()
	})
}

// TestNoOwnerHasAllSlots has one owner want as many slots as there are: another one gets the last.
func TestNoOwnerHasAllSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(4)
		ts.owned = byFirst
		held := make([]Turn, 5)
		for n := range held {
			held[n] = ts.Turn(Key{1, byte(n)}, Query)
			if admitted := held[n].TryAdmit(); admitted != (n < 3) {
				t.Errorf("turn %d of an owner: admitted %v, with 4 slots", n, admitted)
			}
		}
		other := ts.Turn(Key{2}, Query)
		if !other.TryAdmit() {
			t.Error("another owner got no slot")
		}
		other.End()
		for n := range held {
			held[n].End()
		}
		if ts.slots != 4 || len(ts.owners) != 0 {
			t.Errorf("afterwards there are %d slots and %d owners", ts.slots, len(ts.owners))
		}
	})
}
