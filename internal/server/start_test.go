package server_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// lines is a log output whose lines a test waits for.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// await returns once a line that contains the text has been logged.
func (l lines) await(t *testing.T, text string) {
	t.Helper()
	for {
		select {
		case line := <-l:
			if strings.Contains(line, text) {
				return
			}
		case <-time.After(3 * time.Minute):
			t.Fatalf("the log says nothing of %q", text)
		}
	}
}

// startOn runs a server on the database until the test ends.
func startOn(t *testing.T, dsn string) (*server.Server, lines) {
	t.Helper()
	said := make(lines, 100)
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.AllowUnsafeDatabase = "127.0.0.1:0", dsn, true
	config.ModuleCacheDir = testrig.ModuleCache()
	config.Log = slog.New(slog.NewTextHandler(said, nil))
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return s, said
}

func stop(t *testing.T, s *server.Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// warnings returns the warnings in /readyz of a server that is ready.
func warnings(t *testing.T, s *server.Server) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	var body struct {
		Status   string
		Warnings []string
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || response.StatusCode != http.StatusOK || body.Status != "ok" {
		t.Fatalf("status %d, %+v, %v", response.StatusCode, body, err)
	}
	return body.Warnings
}

// TestEventsInTheDefaultPartition: a server starts, and warns until the events have a partition of their own.
func TestEventsInTheDefaultPartition(t *testing.T) {
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	node.Append(t, node.NewLog(t), testrig.Parse(t, `{}`, ""))
	s, said := startOn(t, d.DSN())
	said.await(t, "level=WARN msg=\"the default partition holds events: run tally maintain")
	if list := warnings(t, s); len(list) != 1 || !strings.Contains(list[0], "tally maintain") {
		t.Errorf("the server warns of %q", list)
	}
	stop(t, s)
	m, err := db.NewMaintainer(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if adopted, err := m.AdoptDefault(t.Context()); adopted == "" || err != nil {
		t.Errorf("adopted as %q: %v", adopted, err)
	}
	m.Close(t.Context())
	s, _ = startOn(t, d.DSN())
	if list := warnings(t, s); len(list) > 0 {
		t.Errorf("the server still warns of %q", list)
	}
	stop(t, s)
	testrig.Check(t, d.DSN())
}

// TestPassedMonthsAreFrozenByTheServer: if its login owns the tables; otherwise, the server warns.
func TestPassedMonthsAreFrozenByTheServer(t *testing.T) {
	d := testdb.New(t)
	d.Exec(t, "SELECT ensure_events_partitions('2021-02-01Z', 1)")
	s, said := startOn(t, d.DSN())
	said.await(t, "msg=\"froze a partition\" partition=events_y2021m02")
	stop(t, s)

	d.Exec(t, "SELECT ensure_events_partitions('2021-03-01Z', 1)")
	d.Exec(t, "CREATE ROLE tally_test_stranger LOGIN PASSWORD 'only-for-tests' IN ROLE tally_server")
	s, said = startOn(t, asStranger(t, d.DSN()))
	said.await(t, "partitions=events_y2021m03")
	if list := warnings(t, s); len(list) != 1 || !strings.Contains(list[0], "run tally maintain as the owner") {
		t.Errorf("the server warns of %q", list)
	}
	stop(t, s)
	d.Exec(t, "DROP ROLE tally_test_stranger")
}

// asStranger returns the URL for the other login.
func asStranger(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if query := u.Query(); query.Has("user") {
		query.Set("user", "tally_test_stranger")
		u.RawQuery = query.Encode()
	} else {
		u.User = url.UserPassword("tally_test_stranger", "only-for-tests")
	}
	return u.String()
}
