package gateways_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/testdb"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// meterView is the view that counts, on every log.
const meterView = "usage"

// rig is a server with a database of its own, and the front before it.
type rig struct {
	*testing.T

	dir, dsn, key string // a folder; the database's URL; the operator's key
	front         *front
	server        *process
	client        *tally.Client
	gatewayKey    string // may append, and no more
	kills         int
}

// newRig starts a server that meters, on every log, how many events there are, how many different ones, and the sum of value.
func newRig(t *testing.T, value string) *rig {
	t.Helper()
	r := &rig{
		T: t, dir: t.TempDir(), dsn: testdb.New(t, testdb.WithFsync()).DSN(), key: access.GenerateKey(), front: newFront(t),
	}
	r.startServer()
	key, err := r.client.CreateKey(t.Context(), tally.NewKey{Name: "gateway", Scopes: []string{"append"}})
	if err != nil {
		t.Fatal(err)
	}
	r.gatewayKey = key.Secret
	config, err := json.Marshal(map[string]any{
		"value": value, "unique": "/id", "aggregations": []string{"count", "unique", "sum"}, "resolution": "hour",
	})
	if err != nil {
		t.Fatal(err)
	}
	meter := tally.Deployment{Ready: "meter", Config: config}
	if _, err := r.client.DeployViewPattern(t.Context(), meterView, meter, &tally.DeployViewPatternOptions{Logs: "*"}); err != nil {
		t.Fatal(err)
	}
	return r
}

var servesOn = regexp.MustCompile(` on http://(\S+)`)

// startServer starts the server, on a port of its own, behind the front.
func (r *rig) startServer() {
	r.Helper()
	r.server = start(r, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "TALLY_BOOTSTRAP_KEY="+r.key, "TALLY_MODULE_CACHE_DIR="+filepath.Join(r.dir, "modules"))
	}, tallyProgram, "serve", "--listen", "127.0.0.1:0", "--database-url", r.dsn)
	var address string
	until(r, text("tally does not serve"), func() bool {
		if found := servesOn.FindStringSubmatch(r.server.output.String()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	caller, err := tally.New(tally.Options{URL: "http://" + address, Key: r.key, Timeout: patience})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(caller.Close)
	r.client = caller
	r.front.serves(address)
	r.front.set(through)
}

// killServer ends the server as a machine that loses its power does.
func (r *rig) killServer() {
	r.Helper()
	r.server.end(syscall.SIGKILL)
	r.kills++
}

// url is where a gateway finds a source's endpoints.
func (r *rig) url(source string) string { return "http://" + r.front.address + "/sources/" + source }

// putSource tells the server how to read what a gateway sends.
func (r *rig) putSource(name, mapping string) {
	r.Helper()
	if status, body := r.request(http.MethodPut, "/sources/"+name, mapping); status >= http.StatusMultipleChoices {
		r.Fatalf("putting the source %s: %d %s", name, status, body)
	}
}

// logs returns the names of all logs.
func (r *rig) logs() (names []string) {
	r.Helper()
	status, body := r.request(http.MethodGet, "/logs?limit=1000", "")
	var page struct{ Logs []struct{ Name string } }
	if err := json.Unmarshal(body, &page); err != nil || status != http.StatusOK {
		r.Fatalf("listing logs: %d, %v: %s", status, err, body)
	}
	for _, log := range page.Logs {
		names = append(names, log.Name)
	}
	return names
}

func (r *rig) request(method, path, body string) (status int, answer []byte) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+r.front.behind()+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	if answer, err = io.ReadAll(response.Body); err != nil {
		r.Fatal(err)
	}
	return response.StatusCode, answer
}
