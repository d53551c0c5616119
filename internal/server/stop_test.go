package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// TestStopKeepsItsDeadline stops a server in the middle of all kinds of work while its database does not reply. Every request is stored
// completely or not at all, and the database is consistent.
func TestStopKeepsItsDeadline(t *testing.T) {
	const (
		shutdown = 200 * time.Millisecond
		hangs    = 25 * time.Second // a stop that waited for an append's group would take half a minute and more
	)
	d := testdb.New(t)
	wire := testrig.NewWire(t, d.DSN())
	defer wire.Resume()
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", wire.DSN, testrig.ModuleCache()
	config.AllowUnsafeDatabase, config.ShutdownTimeout = true, shutdown
	config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) (status int) {
		request, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0
		}
		defer reply.Body.Close() //nolint:errcheck // nothing is lost
		return reply.StatusCode
	}
	for _, log := range []string{"one", "two", "three"} {
		if ask("POST", "/logs", `{"name":"`+log+`"}`) != http.StatusCreated ||
			ask("POST", "/logs/"+log+"/views/months", string(views.MonthlyTotals())) != http.StatusCreated ||
			ask("POST", "/logs/"+log+"/append", `{"id":"first","source":"test"}`) != http.StatusCreated {
			t.Fatal("the server does not work")
		}
	}
	wire.Hang()
	var wg sync.WaitGroup
	begin := func(method, path, body string) { wg.Go(func() { ask(method, path, body) }) }
	begin("POST", "/logs/one/append", `{"id":"second","source":"test"}`)
	begin("POST", "/logs/one/append", `{"id":"first","source":"test"}`) // a retry
	begin("POST", "/logs/two/append_batch", strings.Repeat("{}\n", 1000))
	begin("POST", "/logs/three/views/minutes", string(views.RateCheck()))
	begin("GET", "/logs/three/views/months/query", "")
	begin("GET", "/logs/three/events?stream=true", "")
	begin("GET", "/logs/three/views/months/live", "")
	begin("POST", "/logs", `{"name":"four"}`)
	await(t, "connections hang", func() bool { return wire.Waiting() >= 5 })
	began := time.Now()
	_ = s.Stop(context.Background()) // reports that requests were cut off
	if took := time.Since(began); took > hangs {
		t.Errorf("the server stopped after %v; requests were to have %v", took, shutdown)
	}
	wire.Resume()
	wg.Wait()
	for id, log := range testrig.Check(t, d.DSN()) {
		if n := len(log.Events); n < 1 || n > 1001 {
			t.Errorf("log %v has %d events", id, n)
		}
	}
}

// await returns once a condition holds that no signal announces.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %v until %s", patience, what)
		}
	}
}
