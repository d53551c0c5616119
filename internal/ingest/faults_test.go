package ingest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestConnectionsAreKilled ends the servers' connections at random moments while clients append and retry until they
// know the outcome, and until enough connections have been ended.
func TestConnectionsAreKilled(t *testing.T) {
	const clients, appends, enough = 8, 40, 20
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	logs := []uuid.UUID{nodes[0].NewLog(t), nodes[0].NewLog(t), nodes[0].NewLog(t)}
	for _, log := range logs {
		deployReadyViews(t, nodes[0], log)
	}
	progress := make(chan int) // of a client; each may cost a server a connection
	var killed atomic.Int64
	var killer, wg sync.WaitGroup
	killer.Go(func() { killConnections(t, d.DSN(), progress, &killed) })
	var told ledger
	for client := range clients {
		random := rand.New(rand.NewPCG(5, uint64(client)))
		wg.Go(func() {
			for i := 0; i < appends || killed.Load() < enough && !t.Failed(); i++ {
				log, events := logs[random.IntN(len(logs))], keyed(t, fmt.Sprintf("c%d-%d", client, i), 1+random.IntN(3))
				for i, p := range appendUntilKnown(t, nodes[random.IntN(2)], log, events) {
					told.add(t, log, p.Sequence, events[i])
				}
				progress <- i
			}
		})
	}
	wg.Wait()
	close(progress)
	killer.Wait()
	for id, log := range testrig.Check(t, d.DSN()) {
		if len(log.Events) != len(told.events[id]) {
			t.Errorf("log %v has %d events, clients were told of %d", id, len(log.Events), len(told.events[id]))
		}
		for sequence, data := range told.events[id] {
			if string(log.Events[sequence-1].Data) != data {
				t.Errorf("log %v: event %d is %s, the client's is %s", id, sequence, log.Events[sequence-1].Data, data)
			}
		}
	}
}

// appendUntilKnown appends as a client should: again after every retryable error.
func appendUntilKnown(t *testing.T, node *testrig.Node, log uuid.UUID, events []event.Event) []ingest.Appended {
	const tries = 200
	for range tries {
		placements, err := node.Ingest.Append(log, request(events...))
		if err == nil {
			return placements
		}
		if !retryable(err) {
			t.Errorf("an error that does not say to try again: %v", err)
			return nil
		}
	}
	t.Errorf("%d tries were not enough", tries)
	return nil
}

// killConnections ends a connection of a server that is in a transaction, or now and then all of them, after each
// progress until that is closed, and counts them.
func killConnections(t *testing.T, dsn string, progress <-chan int, killed *atomic.Int64) {
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Error(err)
		for range progress { // which nobody else takes
		}
		return
	}
	defer conn.Close(t.Context()) //nolint:errcheck // nothing of value is lost
	for i := range progress {
		limit := 1
		if i%10 == 0 {
			limit = 100
		}
		tag, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'tallystick' AND state <> 'idle' ORDER BY random() LIMIT $1`, limit)
		if err != nil {
			t.Error(err)
		}
		killed.Add(tag.RowsAffected())
	}
}

// TestTooManyWaiting fills a lane whose commits are held up: what does not fit is refused, what was accepted is stored. Another log still
// finds room.
func TestTooManyWaiting(t *testing.T) {
	const most = 20 // of one log; the lane has room for twice as many
	node, d := start(t, testrig.Settings{Lanes: 1, MaxWaitingEvents: 2 * most, MaxWaitingBytes: 7000})
	log, other := node.NewLog(t), node.NewLog(t)
	deployReadyViews(t, node, log)
	release := holdHead(t, d.DSN(), log)
	taken := []<-chan result{appendAsync(node, log, request(keyed(t, "first", 1)...))}
	awaitLockWaiters(t, d.DSN(), 1)

	one := func(name string) ingest.Request { return request(testrig.Parse(t, `{}`, name)) }
	refuse := func(what string, r ingest.Request) {
		t.Helper()
		if placements, err := node.Ingest.Append(log, r); !errors.Is(err, ingest.ErrBusy) {
			t.Errorf("%s: %v, %v; want ErrBusy", what, placements, err)
		}
	}
	taken = append(taken, appendAsync(node, log, request(testrig.Parse(t, `{"x":"`+strings.Repeat("x", 3000)+`"}`, "large"))))
	awaitWaiting(t, node, log, 1)
	refuse("more bytes than fit", request(testrig.Parse(t, `{"x":"`+strings.Repeat("x", 1000)+`"}`, "")))
	for i := range most - 1 {
		taken = append(taken, appendAsync(node, log, one(fmt.Sprint("n", i))))
	}
	awaitWaiting(t, node, log, most)
	if !node.Ingest.IsFull(log) || node.Ingest.IsFull(other) {
		t.Errorf("the log is full: %t; the other one: %t", node.Ingest.IsFull(log), node.Ingest.IsFull(other))
	}
	refuse("one event too many", one("late"))
	refuse("a retry of one that waits", one("n0"))
	for i := range most / 2 { // and half of what is left for a third one
		taken = append(taken, appendAsync(node, other, one(fmt.Sprint("n", i))))
	}
	awaitWaiting(t, node, other, most+most/2)
	release()
	for _, answer := range taken {
		if r := <-answer; r.err != nil {
			t.Errorf("taken, and then: %v", r.err)
		}
	}
	if n := len(testrig.Check(t, d.DSN())[log].Events); n != 1+most {
		t.Errorf("%d events are stored, %d were acknowledged", n, 1+most)
	}
	// There is room again, and a request may be larger than the limits when nothing waits.
	node.Append(t, log, keyed(t, "all", 3*most)...)
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 2})
	logs := []uuid.UUID{node.NewLog(t), node.NewLog(t), node.NewLog(t)}
	release := holdHead(t, d.DSN(), logs[0])
	first := appendAsync(node, logs[0], request(keyed(t, "first", 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	answers := []<-chan result{first}
	for i := range 50 {
		answers = append(answers, appendAsync(node, logs[i%3], request(keyed(t, fmt.Sprint(i), 2)...)))
	}
	closed := make(chan struct{})
	go func() {
		_ = node.Ingest.Stop(t.Context())
		close(closed)
	}()
	release()
	<-closed
	if _, err := node.Ingest.Append(logs[1], request(keyed(t, "late", 1)...)); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("an append after Close: %v, want ErrClosed", err)
	}
	stored := 0
	for _, answer := range answers {
		switch r := <-answer; {
		case r.err == nil:
			stored += len(r.placements)
		case !errors.Is(r.err, ingest.ErrClosed):
			t.Error(r.err)
		}
	}
	found := 0
	for _, log := range testrig.Check(t, d.DSN()) {
		found += len(log.Events)
	}
	if found != stored || stored == 0 {
		t.Errorf("%d events are stored, %d were acknowledged", found, stored)
	}
}

// TestGroupsOfManyLogs lets two servers commit groups over the same logs: their locks overlap in every way.
func TestGroupsOfManyLogs(t *testing.T) {
	const logCount, clients, appends = 24, 24, 30
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 1}), testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 2})}
	logs := make([]uuid.UUID, logCount)
	for i := range logs {
		logs[i] = nodes[0].NewLog(t)
		if i%4 == 0 {
			deployReadyViews(t, nodes[0], logs[i])
		}
	}
	var wg sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(7, uint64(client)))
		wg.Go(func() {
			for i := range appends {
				log := logs[random.IntN(logCount)]
				if _, err := nodes[client%2].Ingest.Append(log, request(keyed(t, fmt.Sprintf("%d-%d", client, i), 2)...)); err != nil {
					t.Errorf("client %d: %v", client, err)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, log := range testrig.Check(t, d.DSN()) {
		total += len(log.Events)
	}
	if total != clients*appends*2 {
		t.Errorf("there are %d events, %d were acknowledged", total, clients*appends*2)
	}
}

func TestUnknownLog(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1})
	log := node.NewLog(t)
	release := holdHead(t, d.DSN(), log)
	first := appendAsync(node, log, request(keyed(t, "first", 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	unknown, known := appendAsync(node, uuid.New(), request(keyed(t, "a", 1)...)), appendAsync(node, log, request(keyed(t, "b", 1)...))
	release()
	if r := <-unknown; !errors.Is(r.err, eventlog.ErrLogNotFound) {
		t.Errorf("a log that is not there: %v, %v", r.placements, r.err)
	}
	for _, answer := range []<-chan result{first, known} {
		if r := <-answer; r.err != nil {
			t.Errorf("beside a log that is not there: %v", r.err)
		}
	}
	testrig.Check(t, d.DSN())
}
