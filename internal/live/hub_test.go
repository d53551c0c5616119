package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// never is a poll interval that no test waits for.
const never = time.Hour

func config(poll time.Duration) *live.Config {
	c := live.DefaultConfig()
	c.Poll, c.Coalesce, c.Log = poll, time.Millisecond, slog.New(slog.DiscardHandler)
	return &c
}

// follow reads the events after a sequence until there are count more, and checks that each comes once and in order. Now and then it closes
// its watch and opens another on any of the nodes.
func follow(ctx context.Context, nodes []*testrig.Node, log uuid.UUID, random *rand.Rand, count int64) error {
	after := int64(0)
	for after < count {
		node := nodes[random.IntN(len(nodes))]
		watch, err := node.Live.Watch(log)
		if err != nil {
			return err
		}
		if _, err := watch.Head(ctx); err != nil {
			watch.Close()
			return err
		}
		after, err = followFor(ctx, watch, after, min(count, after+1+random.Int64N(count/2)))
		watch.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func followFor(ctx context.Context, watch *live.Watch, after, until int64) (int64, error) {
	for position := (live.Position{Sequence: after}); ; {
		_, moved := watch.State()
		lines, through, err := watch.Events(ctx, position, nil)
		if err != nil {
			return after, err
		}
		for _, line := range lines {
			var e struct{ Sequence int64 }
			if err := json.Unmarshal(line.JSON, &e); err != nil || line.Sequence != after+1 || e.Sequence != line.Sequence {
				return after, fmt.Errorf("after %d comes %d: %s (%w)", after, line.Sequence, line.JSON, err)
			}
			after = line.Sequence
		}
		if position = through; through.Sequence != after {
			return after, fmt.Errorf("looked through %d, but the last event was %d", through.Sequence, after)
		}
		if after >= until {
			return after, nil
		}
		if len(lines) > 0 {
			continue
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return after, fmt.Errorf("waiting after event %d: %w", after, ctx.Err())
		}
	}
}

// terminate ends the connections whose last statement matches, and returns how many there were.
func terminate(t *testing.T, conn *pgx.Conn, statement string) (cut int) {
	t.Helper()
	err := conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1`, statement).Scan(&cut)
	if err != nil {
		t.Fatal(err)
	}
	return cut
}

// terminateOnce is terminate as soon as there is a connection to end.
func terminateOnce(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for terminate(t, conn, statement) == 0 {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test was ended before there was a connection with %q to cut", statement)
		}
	}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// TestHammer: two servers append to one log while many watchers follow it on both, leave and come back. The connections that carry
// notifications are ended again and again, at least once by half-way. No watcher misses an event or gets one twice.
func TestHammer(t *testing.T) {
	database := testdb.New(t)
	nodes := []*testrig.Node{
		testrig.Start(t, database.DSN(), testrig.Settings{Live: config(50 * time.Millisecond)}),
		testrig.Start(t, database.DSN(), testrig.Settings{Live: config(50 * time.Millisecond)}),
	}
	log := nodes[0].NewLog(t)
	conn := connect(t, database.DSN())
	const appenders, each, followers = 4, 150, 16
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var appending, following sync.WaitGroup
	wasCut := make(chan struct{})
	for i := range followers {
		following.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 2))
			if err := follow(ctx, nodes, log, random, appenders*each); err != nil {
				t.Errorf("follower %d: %v", i, err)
			}
		})
	}
	for i := range appenders {
		appending.Go(func() {
			for n := range each {
				if n == each/2 {
					<-wasCut
				}
				nodes[i%len(nodes)].Append(t, log, testrig.Parse(t, fmt.Sprintf(`{"by":%d,"n":%d}`, i, n), ""))
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		appending.Wait()
		following.Wait()
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	cut := 0
	for running := true; running; {
		before := cut
		if cut += terminate(t, conn, "LISTEN %") + terminate(t, conn, "%pg_notify%"); before == 0 && cut > 0 {
			close(wasCut)
		}
		select {
		case <-done:
			running = false
		case <-tick.C:
		}
	}
}

// TestLostNotifications: polling finds changes without a notification, on this server and on another.
func TestLostNotifications(t *testing.T) {
	database := testdb.New(t)
	silent := testrig.Start(t, database.DSN(), testrig.Settings{Live: config(10 * time.Millisecond), Unheard: true})
	other := testrig.Start(t, database.DSN(), testrig.Settings{Live: config(10 * time.Millisecond)})
	log := silent.NewLog(t)
	for _, node := range []*testrig.Node{silent, other} {
		watch, err := node.Live.Watch(log)
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		placed := silent.Append(t, log, testrig.Parse(t, `{}`, ""))
		if _, err := followFor(t.Context(), watch, 0, placed[0].Sequence); err != nil {
			t.Error(err)
		}
	}
}

// TestReconnect: a server that loses the connection on which it listens learns what it missed once it listens again, and receives later
// notifications, without polling.
func TestReconnect(t *testing.T) {
	database := testdb.New(t)
	here := testrig.Start(t, database.DSN(), testrig.Settings{Live: config(never)})
	there := testrig.Start(t, database.DSN(), testrig.Settings{Live: config(never)})
	log := here.NewLog(t)
	conn := connect(t, database.DSN())
	watch, err := there.Live.Watch(log)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	after := int64(0)
	for _, lost := range []string{"", "LISTEN %", "", "%pg_notify%", "LISTEN %"} {
		if lost != "" {
			terminateOnce(t, conn, lost)
		}
		// This event's notification may be lost with its connection; the next server that reconnects makes up for it.
		here.Append(t, log, testrig.Parse(t, `{}`, ""))
		if lost == "%pg_notify%" {
			terminateOnce(t, conn, "LISTEN %") // a server that listens again reads the heads
		}
		if after, err = followFor(ctx, watch, after, after+1); err != nil {
			t.Fatalf("having lost %q: %v", lost, err)
		}
	}
}

// TestManyLogs: when more logs change at once than a notification names, all watched logs are read.
func TestManyLogs(t *testing.T) {
	database := testdb.New(t)
	slow := config(never)
	slow.Coalesce = 200 * time.Millisecond
	here := testrig.Start(t, database.DSN(), testrig.Settings{Live: slow})
	there := testrig.Start(t, database.DSN(), testrig.Settings{Live: config(never)})
	logs := make([]uuid.UUID, 5)
	for i := range logs {
		logs[i] = here.NewLog(t)
	}
	watches := make([]*live.Watch, len(logs))
	for i, log := range logs {
		var err error
		if watches[i], err = there.Live.Watch(log); err != nil {
			t.Fatal(err)
		}
		defer watches[i].Close()
	}
	for _, log := range logs {
		here.Append(t, log, testrig.Parse(t, `{}`, ""))
	}
	for range 1500 { // more than are named
		here.Live.Committed(uuid.New(), []event.Recorded{{Sequence: 1}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for i, watch := range watches {
		if _, err := followFor(ctx, watch, 0, 1); err != nil {
			t.Errorf("log %d: %v", i, err)
		}
	}
}

// TestWatchers: as many may watch as the configuration allows, and none once the server stops.
func TestWatchers(t *testing.T) {
	few := config(never)
	few.Watchers = 2
	hub := live.New(nil, nil, *few)
	log := uuid.New()
	first, err := hub.Watch(log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Watch(uuid.New()); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Watch(log); !errors.Is(err, live.ErrTooManyWatchers) {
		t.Errorf("a third may watch: %v", err)
	}
	first.Close()
	if first, err = hub.Watch(log); err != nil {
		t.Errorf("the place of one that has gone is not free: %v", err)
	}
	for range 3 { // frees one slot, however often
		first.Close()
	}
	if _, err := hub.Watch(log); err != nil {
		t.Errorf("the place of one that has gone is not free: %v", err)
	}
	if _, err := hub.Watch(log); !errors.Is(err, live.ErrTooManyWatchers) {
		t.Errorf("one that was closed again and again made room for more: %v", err)
	}
	told := make(chan struct{})
	hub.OnEnd(func() { close(told) })
	hub.EndWatches()
	<-hub.Done()
	<-told
	if _, err := hub.Watch(log); !errors.Is(err, live.ErrClosed) {
		t.Errorf("one may watch while the server stops: %v", err)
	}
	hub.EndWatches()
}
