package turns

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// oneCore are turns of a machine with one core to share.
func oneCore(places int) *Turns {
	ts := New(places, nil)
	ts.cores, ts.slotsEach = ts.cores[:1], max(1, min(slotsEach, places-1))
	return ts
}

// slice is how much a guest computes between two pauses, in the bubble's time.
const slice = time.Millisecond

// compute computes for so long with a core, in slices.
func compute(ctx context.Context, t *Turn, long time.Duration) error {
	for ; long > 0; long -= slice {
		if err := t.Pause(ctx); err != nil {
			return err
		}
		<-time.After(slice)
	}
	return nil
}

// TestKeysShareTheCore has one key do sixteen things at once, and another one thing: each gets half of the core, and no two compute at a
// time.
func TestKeysShareTheCore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(maxSlots)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				turn := ts.Turn(Key{1}, Query)
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
			t.Errorf("a second of one core took %v beside another key; half of the core makes two", took)
		}
		cancel()
		wg.Wait()
		if len(ts.accounts) != 0 || len(ts.cores) != 1 || ts.slots != maxSlots {
			t.Errorf("afterwards there are %d accounts, %d cores, %d places", len(ts.accounts), len(ts.cores), ts.slots)
		}
	})
}

// TestAppendsGoFirst has a key's append come after all of its queries.
func TestAppendsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(maxSlots)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				turn := ts.Turn(Key{1}, Query)
				defer turn.End()
				_ = compute(ctx, &turn, time.Hour)
			})
		}
		synctest.Wait()
		began := time.Now()
		turn := ts.Turn(Key{1}, Append)
		if err := compute(ctx, &turn, Time); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*Time {
			t.Errorf("an append's turn of %v took %v behind queries", Time, took)
		}
		turn.End()
		cancel()
		wg.Wait()
	})
}

// TestNobodyMakesUpForBeingAway has a key come to one that has computed for long: it does not get the core for as long.
func TestNobodyMakesUpForBeingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(maxSlots)
		ctx, cancel := context.WithCancel(t.Context())
		first := ts.Turn(Key{1}, Background)
		if err := compute(ctx, &first, time.Minute); err != nil {
			t.Error(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			turn := ts.Turn(Key{2}, Background)
			defer turn.End()
			_ = compute(ctx, &turn, time.Hour)
		})
		synctest.Wait()
		began := time.Now()
		if err := compute(ctx, &first, time.Second); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second+2*Time {
			t.Errorf("a second of one core took %v beside another key", took)
		}
		first.End()
		cancel()
		wg.Wait()
	})
}

// TestPlaces has one key want all places, while another comes.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(4)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		busy := make(chan error, 2*maxWaitingEach)
		for range 2 * maxWaitingEach {
			wg.Go(func() {
				turn := ts.Turn(Key{1}, Query)
				defer turn.End()
				err := turn.Admit(ctx, true)
				busy <- err
				if err == nil {
					<-ctx.Done()
				}
			})
		}
		synctest.Wait()
		placed, refused := 0, 0
		count := func() {
			for len(busy) > 0 {
				if err := <-busy; err == nil {
					placed++
				} else if errors.Is(err, ErrBusy) {
					refused++
				} else {
					t.Error(err)
				}
			}
		}
		count()
		if placed != slotsEach || refused != maxWaitingEach-slotsEach {
			t.Errorf("of %d queries of one key %d have slots, and %d were refused at once", 2*maxWaitingEach, placed, refused)
		}
		other := ts.Turn(Key{2}, Query)
		if !other.TryAdmit() {
			t.Error("another key finds no place")
		}
		other.End()
		<-time.After(Patience)
		synctest.Wait()
		count()
		if refused != 2*maxWaitingEach-slotsEach {
			t.Errorf("after %v %d were refused", Patience, refused)
		}
		patient := ts.Turn(Key{1}, Watch)
		defer patient.End()
		wg.Go(func() {
			<-time.After(time.Hour)
			cancel()
		})
		if err := patient.Admit(t.Context(), false); err != nil { // once those that have places let go
			t.Errorf("a patient turn: %v", err)
		}
	})
}

// TestRelease has a turn wait for something else: another one computes meanwhile.
func TestRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(1)
		a, b := ts.Turn(Key{1}, Query), ts.Turn(Key{2}, Query)
		if err := a.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.Release()
		if err := compute(t.Context(), &b, time.Second); err != nil {
			t.Fatal(err)
		}
		a.End()
		b.End()
		b.End() // twice is allowed
	})
}

// TestShortQueriesCostNothing: most queries never want anything.
func TestShortQueriesCostNothing(t *testing.T) {
	ts := New(1, nil)
	allocations := testing.AllocsPerRun(100, func() {
		turn := ts.Turn(Key{1}, Query)
		turn.End()
	})
	if allocations != 0 {
		t.Errorf("a turn that wants nothing takes %v allocations", allocations)
	}
}

// TestBusyMachine has the rest of the machine take the core whenever it is offered, for as long as a busy kernel lets it. Two logs that
// take turns still get on.
func TestBusyMachine(t *testing.T) {
	const taken = 50 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		ts := oneCore(maxSlots)
		offers := 0
		ts.offer = func() {
			offers++
			<-time.After(taken)
		}
		began := time.Now()
		var wg sync.WaitGroup
		for key := range byte(2) {
			wg.Go(func() {
				turn := ts.Turn(Key{key}, Background)
				defer turn.End()
				if err := compute(t.Context(), &turn, time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		most := (1 + offerPart) * 2 * time.Second
		if took := time.Since(began); took > most+taken {
			t.Errorf("two seconds of one core took %v, with %d offers; at most %v were to", took, offers, most)
		} else if offers < int(time.Second/taken) {
			t.Errorf("in %v the core was offered %d times", took, offers)
		}
	})
}
