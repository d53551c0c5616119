package live_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// watchedQuery is the query that the tests watch.
var watchedQuery = live.QueryKey{Log: uuid.New(), View: "totals", Query: "month=2025-03"}

// TestSharedQuery: however many watch, a query runs once per state of the log, and answers never go back.
func TestSharedQuery(t *testing.T) {
	var shared live.SharedQueries
	var asked atomic.Int64
	ask := func(sequence int64) func() (*live.Outcome, error) {
		return func() (*live.Outcome, error) {
			asked.Add(1)
			return live.NewAnswer(sequence, nil, nil), nil
		}
	}
	const watchers, states = 50, 20
	var watching sync.WaitGroup
	shared.Join(watchedQuery) // one watcher stays throughout
	for range watchers {
		q := shared.Join(watchedQuery)
		watching.Go(func() {
			defer shared.Leave(watchedQuery)
			for state := range int64(states) { // each is a version
				outcome, err := q.Outcome(t.Context(), live.State{Version: uint64(state)}, ask(state))
				if err != nil || outcome.Sequence < state {
					t.Errorf("at %d the answer is of %+v (%v)", state, outcome, err)
					return
				}
				outcome.Release()
			}
		})
	}
	watching.Wait()
	shared.Leave(watchedQuery)
	if n := asked.Load(); n > states {
		t.Errorf("the query ran %d times for %d states", n, states)
	}
	asked.Store(0)
	if _, err := shared.Join(watchedQuery).Outcome(t.Context(), live.State{}, ask(1)); err != nil || asked.Load() != 1 {
		t.Errorf("a query that nobody watched ran %d times for a new watcher (%v)", asked.Load(), err)
	}
}

// TestSharedQueryGivenUp: the watcher that runs the query for all may fail or leave; the next one runs it.
func TestSharedQueryGivenUp(t *testing.T) {
	var shared live.SharedQueries
	q := shared.Join(watchedQuery)
	defer shared.Leave(watchedQuery)
	failure := errors.New("gone")
	if _, err := q.Outcome(t.Context(), live.State{}, func() (*live.Outcome, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	outcome, err := q.Outcome(t.Context(), live.State{}, func() (*live.Outcome, error) { return live.NewAnswer(0, []byte("1"), nil), nil })
	if err != nil || string(outcome.Body) != "1" {
		t.Errorf("after a failure comes %+v (%v)", outcome, err)
	}
	running, finish := make(chan struct{}), make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		_, err := q.Outcome(t.Context(), live.State{Version: 1}, func() (*live.Outcome, error) {
			close(running)
			<-finish // takes long
			return live.NewAnswer(1, nil, nil), nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-running
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Outcome(gone, live.State{Version: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone waits, and has %v", err)
	}
	close(finish)
	asking.Wait()
}

// TestOutcomesAreBooked: an answer's memory stays booked while it is the latest, or while a watcher sends it.
func TestOutcomesAreBooked(t *testing.T) {
	const size, watchers = 10_000, 20
	book := memory.NewBook(1<<20, 0, 0)
	var shared live.SharedQueries
	q := shared.Join(watchedQuery)
	answer := func(version uint64) *live.Outcome {
		outcome, err := q.Outcome(t.Context(), live.State{Version: version}, func() (*live.Outcome, error) {
			room := book.Hold()
			return live.NewAnswer(int64(version), make([]byte, size), room), room.Grow(t.Context(), size)
		})
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	var sending []*live.Outcome
	for version := range uint64(3) {
		for range watchers {
			sending = append(sending, answer(version))
		}
	}
	if book.Held() != 3*size {
		t.Errorf("%d bytes are booked for three answers that are sent", book.Held())
	}
	var sent sync.WaitGroup
	for _, outcome := range sending {
		sent.Go(outcome.Release)
	}
	sent.Wait()
	if book.Held() != size {
		t.Errorf("%d bytes are booked for the latest answer", book.Held())
	}
	shared.Leave(watchedQuery)
	if book.Held() != 0 {
		t.Errorf("%d bytes stay booked", book.Held())
	}
}

// TestFingerprints: fingerprints are equal if watchers see the same, whatever the sequence.
func TestFingerprints(t *testing.T) {
	one, same := live.NewAnswer(1, []byte("{}"), nil), live.NewAnswer(2, []byte("{}"), nil)
	if one.Fingerprint() != same.Fingerprint() {
		t.Error("an answer that stays the same has another fingerprint")
	}
	for _, other := range []*live.Outcome{live.NewAnswer(1, []byte("[]"), nil), live.NewFailure(fmt.Errorf("halted"), []byte("{}"))} {
		if one.Fingerprint() == other.Fingerprint() {
			t.Errorf("%+v has the fingerprint of %+v", other, one)
		}
	}
}
