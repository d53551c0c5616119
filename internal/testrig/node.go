// Package testrig is shared by the tests of several packages: servers without HTTP on a test's database, a checker that reads what they
// stored, and independent models of the views that they run.
//
// The checker and the models share no code with what they check: they read the tables and follow the documentation.
package testrig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Node is a server without HTTP. Several may share a database.
type Node struct {
	DB     *db.DB
	Logs   *eventlog.Logs
	Views  *view.Views
	Ingest *ingest.Ingester
	Live   *live.Hub // nil unless Settings.Live is set

	engine *wasm.Engine
	parts  background.Parts
	closed bool
}

// Settings of a node. The zero value suits most tests.
type Settings struct {
	Lanes            int           // 2 unless set
	ReadConns        int           // 6 unless set
	CacheBytes       int           // 64 MiB unless set
	FoldGas          int64         // wasm's default unless set
	MaxLoaded        int           // modules in memory; wasm's default unless set
	MaxWaitingEvents int           // ingest's default unless set
	MaxWaitingBytes  int           // ingest's default unless set
	Room             *memory.Book  // for what views write; unbounded unless set
	Loads            *memory.Book  // for loaded states; unbounded unless set
	LockTimeout      time.Duration // longer than any test holds a log's lock, unless set
	MaxAhead         time.Duration // of an event's time; no limit unless set
	StalledAfter     time.Duration // ingest's default unless set
	NoBuilder        bool
	Live             *live.Config                                 // how the node watches logs; it does not unless set
	Committed        func(log uuid.UUID, events []event.Recorded) // called with what is committed, unless Live is set
	// Appending is ingest's; none unless set.
	Appending func(ctx context.Context, to *db.Pipeline, logs []uuid.UUID) error
	Unheard   bool             // the node does not notify others of its commits
	Now       func() time.Time // time of recording; the clock unless set
}

// testPatience is longer than any test holds a lock.
const testPatience = 10 * time.Minute

// Start runs a node on the database until Stop, or until the test ends.
func Start(t testing.TB, dsn string, s Settings) *Node {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{
		URL: dsn, AppendConns: or(s.Lanes, 2) + ingest.SlowLanes, ReadConns: or(s.ReadConns, 6),
		LockTimeout: cmp.Or(s.LockTimeout, testPatience),
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{DB: d, Logs: eventlog.NewLogs(d)}
	if n.engine, err = wasm.NewEngine(t.Context(), wasm.Config{CacheDir: ModuleCache(), MaxLoaded: s.MaxLoaded}); err != nil {
		t.Fatal(err)
	}
	// Tests check the errors that calls return.
	log := slog.New(slog.DiscardHandler)
	n.Views = view.New(d, n.engine, view.Config{
		LongQueries: int(d.Read.Config().MaxConns) / 2, CacheBytes: or(s.CacheBytes, 64<<20), Loads: s.Loads, FoldGas: s.FoldGas, Log: log,
	})
	config := ingest.DefaultConfig()
	config.Lanes = or(s.Lanes, 2)
	config.MaxWaitingEvents = or(s.MaxWaitingEvents, config.MaxWaitingEvents)
	config.MaxWaitingBytes = or(s.MaxWaitingBytes, config.MaxWaitingBytes)
	config.Room, config.MaxAhead = s.Room, s.MaxAhead
	config.StalledAfter, config.Log = cmp.Or(s.StalledAfter, config.StalledAfter), log
	if s.Now != nil {
		config.Now = s.Now
	}
	config.Committed, config.Appending = s.Committed, s.Appending
	if s.Live != nil {
		n.Live = live.New(d, eventlog.NewReader(d), *s.Live)
		n.Live.Start()
		n.parts = append(n.parts, n.Live)
		if !s.Unheard {
			config.Committed = n.Live.Committed
		}
	}
	n.Ingest = ingest.New(d, n.Views, config)
	n.Ingest.Start()
	if !s.NoBuilder {
		n.Views.Start()
	}
	n.parts = append(n.parts, n.Views, n.Ingest)
	t.Cleanup(func() { n.Stop(t) })
	return n
}

// ModuleCache returns a folder for compiled modules that tests share and that outlasts them, like Go's build cache, because compiling takes
// longer than most tests. It returns "", for a new folder each time, if the user has no cache folder.
func ModuleCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "tallystick", "test-modules")
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// Stop ends the node; a second call does nothing.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	if n.closed {
		return
	}
	n.closed = true
	if err := errors.Join(n.parts.Stop(context.Background()), n.engine.Close(context.Background())); err != nil {
		t.Error(err)
	}
	n.DB.Close()
}

var logNumber atomic.Int64

// NewLog creates an empty log.
func (n *Node) NewLog(t testing.TB) uuid.UUID {
	t.Helper()
	log, err := n.Logs.Create(t.Context(), db.DefaultTenant, fmt.Sprintf("log-%d", logNumber.Add(1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return log.ID
}

// deployPatience is far longer than the build of a view takes in any test.
const deployPatience = time.Minute

// Deploy deploys a new version of a view, waits until it is live, and fails the test if it does not become so.
func (n *Node) Deploy(t testing.TB, log uuid.UUID, name string, code []byte, config string) view.Info {
	t.Helper()
	return n.DeployAs(t, log, name, view.Deployment{Code: code, Config: []byte(config)})
}

// DeployAs is Deploy with more to say.
func (n *Node) DeployAs(t testing.TB, log uuid.UUID, name string, deployment view.Deployment) view.Info {
	t.Helper()
	info, err := n.Views.Deploy(t.Context(), log, name, deployment)
	// A busy machine takes longer than Deploy waits.
	for began := time.Now(); err == nil && info.Status == view.Building && time.Since(began) < deployPatience; {
		info, err = n.Views.Deploy(t.Context(), log, name, deployment)
	}
	if err != nil {
		t.Fatalf("deploying %s: %v", name, err)
	}
	if info.Status != view.Live {
		t.Fatalf("view %s is %s at %d of %d, want live: %s", name, info.Status, info.Applied, info.Head, info.Error)
	}
	return info
}

// Append appends events to the log in one request and returns what became of each.
func (n *Node) Append(t testing.TB, log uuid.UUID, events ...event.Event) []ingest.Appended {
	t.Helper()
	placements, err := n.Ingest.Append(log, ingest.Request{Events: events, Expected: ingest.AnySequence})
	if err != nil {
		t.Fatalf("appending %d events: %v", len(events), err)
	}
	return placements
}

// Ask sends a query to a view and fails the test unless it returns an answer.
func (n *Node) Ask(t testing.TB, log uuid.UUID, name, query string) view.Answer {
	t.Helper()
	answer, err := n.Views.Query(t.Context(), log, name, query, nil)
	if err != nil {
		t.Fatalf("asking %s %q: %v", name, query, err)
	}
	return answer
}

// Parse parses an event, and sets its idempotency key unless key is empty.
func Parse(t testing.TB, data, key string) event.Event {
	t.Helper()
	e, err := event.Parse([]byte(data))
	if err == nil && key != "" {
		err = e.SetKey(key)
	}
	if err != nil {
		t.Fatalf("%s with key %q: %v", data, key, err)
	}
	return e
}
