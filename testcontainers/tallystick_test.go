package tallystick_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/testcontainers/testcontainers-go"

	"github.com/tallystick/tallystick/testcontainers"
)

const (
	image  = "tallystick/dev"
	totals = "../views/dist/monthly_totals.wasm"
	event  = `{"type":"api.call","time":"2025-03-02T08:00:00Z","model":"gpt-4","tokens_in":150,"tokens_out":420}`
	total  = `{"gpt-4":{"tokens_in":150,"tokens_out":420}}`
)

// run starts a container that is removed when the test ends.
func run(t *testing.T, opts ...testcontainers.ContainerCustomizer) *tallystick.Container {
	t.Helper()
	c, err := tallystick.Run(t.Context(), image, opts...)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// call returns the answer's status and body.
func call(t *testing.T, c *tallystick.Container, method, path, body, key string) (int, string) {
	t.Helper()
	base, err := c.URL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(answer))
}

func want(t *testing.T, c *tallystick.Container, method, path, body, key string, status int, answer string) {
	t.Helper()
	got, text := call(t, c, method, path, body, key)
	if got != status || answer != "" && text != answer {
		t.Errorf("%s %s is answered %d %s, want %d %s", method, path, got, text, status, answer)
	}
}

// TestRun: a log that an option made has the views that options deployed, from its first event on; another log has only those of its name.
func TestRun(t *testing.T) {
	t.Parallel()
	c := run(t,
		tallystick.WithLog("customer-acme", map[string]string{"plan": "pro"}), // before the view: the order of options does not matter
		tallystick.WithView("customer-*", "totals", tallystick.Module(totals, nil)),
		tallystick.WithView("*", "tokens", tallystick.Ready("meter", json.RawMessage(`{"value":"/tokens_in","aggregations":["sum"]}`))),
		tallystick.WithLog("internal", nil),
	)
	want(t, c, "POST", "/logs/customer-acme/append", event, "", http.StatusCreated, `{"sequence":1}`)
	want(t, c, "GET", "/logs/customer-acme/views/totals/query?month=2025-03", "", "", http.StatusOK, total)
	want(t, c, "GET", "/logs/internal/views/totals/query", "", "", http.StatusNotFound, "")
	for log, sum := range map[string]string{"customer-acme": `"sum":"150"`, "internal": `"rows":[]`} {
		status, answer := call(t, c, "GET", "/logs/"+log+"/views/tokens/query", "", "")
		if status != http.StatusOK || !strings.Contains(answer, sum) {
			t.Errorf("the tokens of %s are %d %s, want %s", log, status, answer, sum)
		}
	}
	if _, log := call(t, c, "GET", "/logs/customer-acme", "", ""); !strings.Contains(log, `"labels":{"plan":"pro"}`) {
		t.Errorf("the log is %s", log)
	}
}

// TestKeys: without a key nothing is done; each key may do what its scopes say; the client has the first one.
func TestKeys(t *testing.T) {
	t.Parallel()
	c := run(t, tallystick.WithKey("append", "read"), tallystick.WithKey("query"),
		tallystick.WithView("*", "totals", tallystick.Module(totals, nil)), tallystick.WithLog("acme", nil))
	keys := c.Keys()
	if len(keys) != 2 || keys[0] != c.Key() || keys[0] == keys[1] {
		t.Fatalf("the keys are %q", keys)
	}
	want(t, c, "POST", "/logs/acme/append", event, "", http.StatusUnauthorized, "")
	want(t, c, "POST", "/logs/acme/append", event, keys[1], http.StatusForbidden, "")
	want(t, c, "POST", "/logs/acme/append", event, keys[0], http.StatusCreated, `{"sequence":1}`)
	want(t, c, "GET", "/logs/acme/views/totals/query?month=2025-03", "", keys[0], http.StatusForbidden, "")
	want(t, c, "GET", "/logs/acme/views/totals/query?month=2025-03", "", keys[1], http.StatusOK, total)
	client, err := c.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if log, err := client.GetLog(t.Context(), "acme"); err != nil || log.Name != "acme" {
		t.Errorf("the client reads %+v, %v", log, err)
	}
}

// TestDatabaseURL: the events are in the database that it names.
func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	c := run(t, tallystick.WithLog("acme", nil))
	want(t, c, "POST", "/logs/acme/append", event, "", http.StatusCreated, "")
	address, err := c.DatabaseURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var model string
	if err := conn.QueryRow(t.Context(), "SELECT data->>'model' FROM reporting.events").Scan(&model); err != nil || model != "gpt-4" {
		t.Errorf("the database has the model %q, %v", model, err)
	}
}

// TestStopAndStart: what was acknowledged is there after a stop and a start, under the address that URL returns then.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	c := run(t, tallystick.WithKey("append", "query"), tallystick.WithView("*", "totals", tallystick.Module(totals, nil)),
		tallystick.WithLog("acme", nil))
	want(t, c, "POST", "/logs/acme/append", event, c.Key(), http.StatusCreated, `{"sequence":1}`)
	patience := time.Minute
	if err := c.Stop(t.Context(), &patience); err != nil {
		t.Fatal(err)
	}
	state, err := c.State(t.Context())
	if err != nil || state.ExitCode != 0 {
		t.Errorf("stopped, the state is %+v, %v", state, err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, c, "GET", "/logs/acme/views/totals/query?month=2025-03", "", c.Key(), http.StatusOK, total)
	want(t, c, "POST", "/logs/acme/append", event, c.Key(), http.StatusCreated, `{"sequence":2}`)
}

// TestSideBySide: containers know nothing of each other.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	const containers = 4
	var all [containers]*tallystick.Container
	var started sync.WaitGroup
	for i := range all {
		started.Go(func() {
			c, err := tallystick.Run(t.Context(), image, tallystick.WithLog("acme", nil))
			testcontainers.CleanupContainer(t, c)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = c
		})
	}
	if started.Wait(); t.Failed() {
		return
	}
	for i, c := range all {
		for n := range i + 1 {
			want(t, c, "POST", "/logs/acme/append", event, "", http.StatusCreated, `{"sequence":`+strconv.Itoa(n+1)+`}`)
		}
	}
}

// TestBadOptions: the error says what is wrong, in the server's own words where it refused, and the container comes with it.
func TestBadOptions(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.wasm")
	if err := os.WriteFile(broken, []byte("\x00asm\x01\x00\x00\x00 and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(v tallystick.View) tallystick.Option { return tallystick.WithView("*", "v", v) }
	for name, test := range map[string]struct {
		option tallystick.Option
		words  []string
		starts bool
	}{
		"no such file":      {with(tallystick.Module(broken+"x", nil)), []string{"view v", broken + "x"}, false},
		"no configuration":  {with(tallystick.Ready("meter", func() {})), []string{"view v", "configuration"}, false},
		"no scopes":         {tallystick.WithKey(), []string{"needs scopes"}, false},
		"not a module":      {with(tallystick.Module(broken, nil)), []string{"deploy the view v", "invalid_module"}, true},
		"bad configuration": {with(tallystick.Ready("meter", []int{1})), []string{"deploy the view v", "config"}, true},
		"no such view":      {with(tallystick.Ready("metre", nil)), []string{"deploy the view v", "metre"}, true},
		"bad name":          {tallystick.WithLog("no/slash", nil), []string{"make the log no/slash", "invalid_name"}, true},
		"unknown scope":     {tallystick.WithKey("append", "everything"), []string{"make a key", "everything"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := tallystick.Run(t.Context(), image, test.option)
			testcontainers.CleanupContainer(t, c)
			if (c != nil) != test.starts {
				t.Errorf("there is a container: %t, want %t", c != nil, test.starts)
			}
			for _, word := range test.words {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("the error is %v, want one that says %q", err, word)
				}
			}
		})
	}
}

// TestNoSuchImage: no container, and an error that names the image.
func TestNoSuchImage(t *testing.T) {
	t.Parallel()
	const missing = "localhost:1/tallystick/dev:none"
	c, err := tallystick.Run(t.Context(), missing)
	testcontainers.CleanupContainer(t, c)
	if err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("the error is %v, want one that names the image", err)
	}
}

// TestOtherOptions: those of testcontainers-go work beside ours, and may change what Run sets.
func TestOtherOptions(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := run(t, testcontainers.WithEnv(map[string]string{"TALLY_LOG_REQUESTS": "true"}), tallystick.WithLog("acme", nil),
		testcontainers.WithLabels(map[string]string{"suite": "billing"}))
	reader, err := c.Logs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	if _, err := log.ReadFrom(reader); err != nil || !strings.Contains(log.String(), "/logs") {
		t.Errorf("the log of requests is %v: %s", err, log.String())
	}
}
