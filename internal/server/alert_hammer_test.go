package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestAlertHammer appends to many logs by three servers that are killed and lose their connections, while an alert watches all of them.
// Each log crosses the threshold once, and is told of once: there is one crossing, and one delivery of it, whose id is what the receiver
// gets, which takes every second request only.
func TestAlertHammer(t *testing.T) {
	const logs, clients, events, threshold = 30, 6, 8, 5
	d := testdb.New(t)
	f := startFleet(t, d.DSN(), 3)
	var mu sync.Mutex
	told := map[string]map[string]bool{} // ids by log
	requests := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var message struct{ ID, Log, Type string }
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if requests++; requests%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if json.Unmarshal(body, &message) != nil || message.ID != r.Header.Get("webhook-id") || message.Type != "alert.fired" {
			t.Errorf("told %s", body)
		}
		if told[message.Log] == nil {
			told[message.Log] = map[string]bool{}
		}
		told[message.Log][message.ID] = true
	}))
	defer receiver.Close()
	f.ask(http.MethodPost, "/webhooks", fmt.Sprintf(`{"url":%q,"types":["alert.fired"]}`, receiver.URL))
	module := fmt.Sprintf("%x", sha256.Sum256(testrig.Guarded()))
	f.ask(http.MethodPut, "/modules/"+module, string(testrig.Guarded()))
	f.ask(http.MethodPost, "/views/n?logs=watched-*", `{"module":"`+module+`"}`)
	f.ask(http.MethodPut, "/alerts/five", fmt.Sprintf(
		`{"logs":"watched-*","view":"n","value":"/used","thresholds":["%d"]}`, threshold))
	for i := range logs {
		f.ask(http.MethodPut, fmt.Sprintf("/logs/watched-%d", i), `{}`)
	}

	stop := f.disturb(rand.New(rand.NewPCG(14, 4)))
	var wg sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(uint64(client), 4))
		wg.Go(func() {
			for n := client; (n < logs*events || f.faults.Load() < faultKinds) && !t.Failed(); n += clients {
				f.append(random, fmt.Sprintf("/logs/watched-%d/append", n%logs), fmt.Sprint(n))
			}
		})
	}
	wg.Wait()
	stop()

	await(t, "each log is told of", func() bool {
		mu.Lock()
		heard := len(told)
		mu.Unlock()
		return heard > 0 && f.count("SELECT count(*) FROM alert_crossings WHERE kind = 'fired'") >= logs &&
			f.count("SELECT count(*) FROM webhook_deliveries") >= logs
	})
	<-time.After(2 * time.Second) // what is told too often may come later
	f.stop()
	mu.Lock()
	defer mu.Unlock()
	for what, query := range map[string]string{
		"crossings": "SELECT count(*) FROM alert_crossings WHERE kind = 'fired'",
		"logs":      "SELECT count(DISTINCT log_id) FROM alert_crossings",
		"messages":  "SELECT count(DISTINCT message_id) FROM webhook_deliveries",
		"delivered": "SELECT count(*) FROM webhook_deliveries",
	} {
		if n := f.count(query); n != logs {
			t.Errorf("%s: %d, want %d", what, n, logs)
		}
	}
	for log, ids := range told {
		if len(ids) != 1 {
			t.Errorf("of log %s the receiver was told %d times: %v", log, len(ids), ids)
		}
	}
	if len(told) == 0 {
		t.Error("the receiver was told nothing")
	}
	testrig.Check(t, d.DSN())
}

// ask makes a call that must succeed, with no fault about.
func (f *fleet) ask(method, path, body string) {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), method, *f.urls[0].Load()+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if !strings.HasPrefix(body, "{") {
		request.Header.Set("Content-Type", "application/wasm")
	}
	response, err := f.http.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // nothing is lost
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode/100 != 2 {
		f.t.Fatalf("%s %s: %d %s, %v", method, path, response.StatusCode, answer, err)
	}
}

// append appends one event, whatever happens.
func (f *fleet) append(random *rand.Rand, path, key string) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		if status, _ := f.attempt(random, path, key, `{}`); status/100 == 2 {
			f.answered()
			return
		}
	}
	f.t.Errorf("%s has no answer within %v", key, patience)
}

// count asks the database itself.
func (f *fleet) count(query string) (n int) {
	ctx := context.WithoutCancel(f.t.Context())
	conn, err := pgx.Connect(ctx, f.dsn)
	if err != nil {
		f.t.Error(err)
		return 0
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost
	if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
		f.t.Error(err)
	}
	return n
}
