package gatewayclients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// patience turns a hang into a failure.
const patience = 2 * time.Minute

func TestMain(m *testing.M) { testdb.Main(m) }

// key is what clients show to the server: some as X-Api-Key, some as a bearer token.
var (
	key    = access.GenerateKey()
	bearer = "Bearer " + key
)

// rig is a server, reached through a front that causes faults, on a database that is reached through a wire that does.
type rig struct {
	t       *testing.T
	dsn     string
	wire    *testrig.Wire
	front   *front
	server  *server.Server
	stopped bool
}

// newRig starts a server with a source, whose logs have the view "tokens", which counts events and adds up a member of them.
func newRig(t *testing.T, source, ready, member string) *rig {
	t.Helper()
	r := &rig{t: t, dsn: testdb.New(t).DSN()}
	r.wire = testrig.NewWire(t, r.dsn)
	r.start()
	r.front = newFront(t, r.server.URL())
	r.want(http.StatusCreated, "PUT", "/sources/"+source, `{"ready": "`+ready+`"}`)
	config := `{"value": "` + member + `", "aggregations": ["sum", "count"], "resolution": "day"}`
	r.want(http.StatusCreated, "POST", "/views/tokens?logs="+url.QueryEscape("customer-*")+"&config="+url.QueryEscape(config),
		string(views.Meter()))
	return r
}

func (r *rig) start() {
	r.t.Helper()
	config := server.DefaultConfig()
	config.Listen, config.OpsListen, config.DatabaseURL = "127.0.0.1:0", "127.0.0.1:0", r.wire.DSN
	config.Keys, config.BootstrapKey = true, key
	config.AllowUnsafeDatabase, config.ModuleCacheDir, config.ShutdownTimeout = true, testrig.ModuleCache(), patience
	config.Log = slog.New(slog.NewTextHandler(r.t.Output(), nil))
	s, err := server.Start(r.t.Context(), config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.server, r.stopped = s, false
	r.t.Cleanup(func() {
		if r.server == s && !r.stopped {
			r.stop()
		}
	})
}

func (r *rig) stop() {
	r.stopped = true
	http.DefaultClient.CloseIdleConnections()
	if err := r.server.Stop(context.WithoutCancel(r.t.Context())); err != nil {
		r.t.Errorf("stopping the server: %v", err)
	}
}

// ask sends a request to the server itself.
func (r *rig) ask(method, path, body string) (status int, answer []byte) {
	r.t.Helper()
	base := r.server.URL()
	if path == "/metrics" {
		base = r.server.OpsURL()
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", bearer)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	if answer, err = io.ReadAll(response.Body); err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (r *rig) want(status int, method, path, body string) []byte {
	r.t.Helper()
	got, answer := r.ask(method, path, body)
	if got != status {
		r.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, answer)
	}
	return answer
}

// total is what a log's view says.
type total struct {
	Sum   string
	Count int
}

// counted returns what the view of a customer's log has counted; zero while there is no such log.
func (r *rig) counted(customer string) total {
	r.t.Helper()
	status, answer := r.ask("GET", "/logs/customer-"+customer+"/views/tokens/query", "")
	if status == http.StatusNotFound {
		return total{}
	}
	var said struct {
		Uncounted int
		Rows      []total
	}
	if err := json.Unmarshal(answer, &said); err != nil || status != http.StatusOK || len(said.Rows) != 1 || said.Uncounted != 0 {
		r.t.Fatalf("the view of %s answered %d: %s", customer, status, answer)
	}
	return said.Rows[0]
}

// wantOnce checks that each of the events 1 to n, which have their number as tokens, was counted once, and that the log holds no others.
func (r *rig) wantOnce(customer string, n int) {
	r.t.Helper()
	if got, want := r.counted(customer), (total{strconv.Itoa(n * (n + 1) / 2), n}); got != want {
		r.t.Errorf("%s: counted %+v, want %+v", customer, got, want)
	}
	if stored := len(r.events("customer-" + customer)); stored != n {
		r.t.Errorf("%s: %d events are stored, want %d", customer, stored, n)
	}
}

// events returns a log's events; none while there is no such log.
func (r *rig) events(log string) []string {
	r.t.Helper()
	status, answer := r.ask("GET", "/logs/"+log+"/events?stream=true", "")
	if status == http.StatusNotFound {
		return nil
	}
	if status != http.StatusOK {
		r.t.Fatalf("the events of %s: %d, %s", log, status, answer)
	}
	var events []string
	for line := range strings.Lines(string(answer)) {
		if line = strings.TrimRight(line, ",\n"); strings.HasPrefix(line, "{") {
			events = append(events, line)
		}
	}
	return events
}

// verify has the server read a log again, and its views.
func (r *rig) verify(log string) {
	r.t.Helper()
	var report struct{ OK bool }
	answer := r.want(http.StatusOK, "GET", "/logs/"+log+"/verify", "")
	if err := json.Unmarshal(answer, &report); err != nil || !report.OK {
		r.t.Errorf("%s: %s", log, answer)
	}
}

// rejects returns the codes of a source's log of rejects.
func (r *rig) rejects(source string) []string {
	r.t.Helper()
	var codes []string
	for _, line := range r.events("rejects-" + source) {
		var envelope struct {
			Data struct{ Code string }
		}
		if err := json.Unmarshal([]byte(line), &envelope); err != nil {
			r.t.Fatalf("%s: %v", line, err)
		}
		codes = append(codes, envelope.Data.Code)
	}
	return codes
}

// await returns once a condition holds that nothing announces.
func (r *rig) await(what string, holds func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("still not: %s", what)
		}
	}
}

// underWay returns how many requests the server works on.
func (r *rig) underWay() int {
	r.t.Helper()
	for line := range strings.Lines(string(r.want(http.StatusOK, "GET", "/metrics", ""))) {
		var n int
		if _, err := fmt.Sscanf(line, "tally_http_requests_in_flight %d", &n); err == nil {
			return n
		}
	}
	r.t.Fatal("the metrics do not say how many requests are under way")
	return 0
}
