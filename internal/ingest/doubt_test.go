package ingest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestDoubtIsSettled loses a group on its way to PostgreSQL, and PostgreSQL's reply on its way back: either way the append succeeds, and
// its events, which have no keys, are stored once.
func TestDoubtIsSettled(t *testing.T) {
	for name, lose := range map[string]func(*testrig.Wire){
		"the request": (*testrig.Wire).LoseRequest, "the answer": (*testrig.Wire).LoseAnswer,
	} {
		for _, events := range []int{1, 3, 700} { // the last goes by COPY
			t.Run(fmt.Sprintf("%s of %d", name, events), func(t *testing.T) {
				t.Parallel()
				d := testdb.New(t)
				w := testrig.NewWire(t, d.DSN())
				var told []int64 // sequences, by the one lane; it tells before it answers
				node := testrig.Start(t, w.DSN, testrig.Settings{Lanes: 1, Committed: func(_ uuid.UUID, events []event.Recorded) {
					for i := range events {
						told = append(told, events[i].Sequence)
					}
				}})
				log := node.NewLog(t)
				deployReadyViews(t, node, log)
				node.Append(t, log, keyless(t, 2)...)
				node.Append(t, log, keyless(t, events)...) // every statement has been prepared
				for range 3 {
					lose(w)
					node.Append(t, log, keyless(t, events)...)
					if !w.Done() {
						t.Fatal("nothing was lost")
					}
				}
				if got, want := node.Append(t, log, keyless(t, 1)...)[0], int64(2+4*events+1); got != (ingest.Appended{Sequence: want}) {
					t.Errorf("the last event is at %v, want %d", got, want)
				}
				for i, sequence := range told {
					if sequence != int64(i+1) {
						t.Fatalf("what was committed as event %d is told as event %d", i+1, sequence)
					}
				}
				if want := 2 + 4*events + 1; len(told) != want {
					t.Errorf("%d events were told of, want %d", len(told), want)
				}
				testrig.Check(t, d.DSN())
			})
		}
	}
}

// TestErrorAfterCommit has PostgreSQL commit, and the wire reply to COMMIT with an error, as a proxy can: no SQLSTATE in such a reply
// proves that nothing was stored. Every event, none of which has a key, is stored once.
func TestErrorAfterCommit(t *testing.T) {
	const alone, together = 3, 8
	for _, state := range []string{"XX000", "08006", "22000", "40003", "53100", "57014", "58030"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			d := testdb.New(t)
			w := testrig.NewWire(t, d.DSN())
			node := testrig.Start(t, w.DSN, testrig.Settings{Lanes: 1, NoBuilder: true})
			log := node.NewLog(t)
			deployReadyViews(t, node, log)
			want := 0
			appended := func(events ...event.Event) { node.Append(t, log, events...); want += len(events) }
			appended(keyless(t, 2)...)
			for _, n := range []int{1, alone, 700} { // the last goes by COPY
				w.FailCommit(0, state)
				if appended(keyless(t, n)...); !w.Done() {
					t.Fatal("nothing went wrong")
				}
			}
			release := holdHead(t, d.DSN(), log)
			answers := []<-chan result{appendAsync(node, log, request(keyless(t, 1)...))}
			awaitLockWaiters(t, d.DSN(), 1)
			for range together {
				answers = append(answers, appendAsync(node, log, request(keyless(t, 2)...)))
			}
			awaitWaiting(t, node, log, together)
			w.FailCommit(1, state) // not of the one that waits for the lock, but of the group after it
			release()
			for _, answer := range answers {
				if r := <-answer; r.err != nil {
					t.Error(r.err)
				}
			}
			want += 1 + 2*together
			if !w.Done() {
				t.Error("a group's commit did not go wrong")
			}
			if got := node.Append(t, log, keyless(t, 1)...)[0]; got != (ingest.Appended{Sequence: int64(want + 1)}) {
				t.Errorf("the last event is at %v, want %d", got, want+1)
			}
			if stored := len(testrig.Check(t, d.DSN())[log].Events); stored != want+1 {
				t.Errorf("%d events are stored, want %d", stored, want+1)
			}
		})
	}
}

// TestRefusedCommitIsNotInDoubt: an error that PostgreSQL is known to roll back for is not ErrOutcomeUnknown.
func TestRefusedCommitIsNotInDoubt(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Append(t, log, keyless(t, 1)...)
	exec(t, d.DSN(), `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '23514'; END $$;
		CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON log_heads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if _, err := node.Ingest.Append(log, request(keyless(t, 1)...)); err == nil || errors.Is(err, ingest.ErrOutcomeUnknown) {
		t.Errorf("a commit that a constraint refuses: %v", err)
	}
	exec(t, d.DSN(), "DROP FUNCTION refuse CASCADE")
	if got := node.Append(t, log, keyless(t, 1)...)[0]; got != (ingest.Appended{Sequence: 2}) {
		t.Errorf("the next event is at %v", got)
	}
}

func keyless(t *testing.T, n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = testrig.Parse(t, fmt.Sprintf(`{"model":"m","team":"a","tokens_in":%d}`, i), "")
	}
	return events
}
