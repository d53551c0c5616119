package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
)

// recordings are what gateways sent, with their mappings and what becomes of each record: see the README there.
const recordings = "../source/testdata/gateways"

// expected is what a source has after its requests: events by log, in their order, and what each request is answered.
type expected struct {
	events  map[string][]string
	answers map[string]taken
	rejects int
}

// taken is how many lines of a request were stored, and so on.
type taken struct{ Stored, Duplicates, Skipped, Rejected int }

// expect reads a golden file. An event whose identity came before is a duplicate where it is the same, and a reject where it is another.
func expect(t *testing.T, folder string) (first, again expected) {
	t.Helper()
	first = expected{events: map[string][]string{}, answers: map[string]taken{}}
	again = expected{answers: map[string]taken{}}
	known := map[string]string{}
	name := ""
	for line := range strings.Lines(recorded(t, folder+"/golden.txt")) {
		now, then := first.answers[name], again.answers[name]
		what, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch what {
		case "#":
			name = rest
			continue
		case "skipped":
			now.Skipped++
			then.Skipped++
		case "rejected":
			now.Rejected++
			then.Rejected++
			first.rejects++
		default:
			var e struct{ Source, ID string }
			if err := json.Unmarshal([]byte(rest), &e); err != nil {
				t.Fatal(err)
			}
			identity := what + " " + e.Source + " " + e.ID
			switch before, ok := known[identity]; {
			case !ok:
				known[identity] = rest
				first.events[what] = append(first.events[what], rest)
				now.Stored++
				then.Duplicates++
			case before == rest:
				now.Duplicates++
				then.Duplicates++
			default:
				now.Rejected++
				then.Rejected++
				first.rejects++
			}
		}
		first.answers[name], again.answers[name] = now, then
	}
	return first, again
}

func recorded(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// replay sends a recorded request over a connection of its own, with its headers as they were but for the key, to a source. It sends the
// first part of the body, as if that were all.
func (s *service) replay(t *testing.T, file, source, key string, part float64) (endpoint string, r reply) {
	t.Helper()
	line, head, _ := strings.Cut(recorded(t, file+".head"), "\r\n")
	endpoint = regexp.MustCompile(`(/api/v1)?/events|/v1/(logs|traces)`).FindString(line)
	head = strings.ReplaceAll(head, "token-for-tests", key)
	if !regexp.MustCompile(`(?im)^(authorization|x-api-key|x-amz-firehose-access-key):`).MatchString(head) {
		head = "X-Api-Key: " + key + "\r\n" + head // in the place of what its page puts in front
	}
	body := recorded(t, file+".body")
	body = body[:int(float64(len(body))*part)]
	head = regexp.MustCompile(`(?i)(content-length): \d+`).ReplaceAllString(head, fmt.Sprintf("$1: %d", len(body)))
	address, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close() //nolint:errcheck // the response was read
	if err := connection.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		t.Fatal(err)
	}
	var request bytes.Buffer
	fmt.Fprintf(&request, "POST %s HTTP/1.1\r\n%s", path.Join("/sources", source, endpoint), head)
	if strings.Contains(strings.ToLower(head), "transfer-encoding: chunked") {
		chunks := httputil.NewChunkedWriter(&request)
		for half := range slices.Chunk([]byte(body), len(body)/2+1) {
			_, _ = chunks.Write(half)
		}
		_ = chunks.Close()
		request.WriteString("\r\n")
	} else {
		request.WriteString(body)
	}
	if _, err := connection.Write(request.Bytes()); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: http.MethodPost})
	if err != nil {
		t.Fatal(file, ": ", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint, reply{response.StatusCode, response.Header, content}
}

// sourcesOf returns the folders with a mapping.
func sourcesOf(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(recordings + "/*/mapping.json")
	if err != nil || len(found) == 0 {
		t.Fatal("no recordings: ", err)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// tappedDoor is a server whose connections to PostgreSQL, and whose log, are looked at by overheard: no canary of any gateway may be there.
func tappedDoor(t *testing.T) (d *frontDoor, overheard func()) {
	t.Helper()
	tapped, logged := &wire{}, &wire{}
	d = &frontDoor{operator: access.GenerateKey()}
	d.service = startOn(t, testdb.New(t), func(c *server.Config) {
		c.DatabaseURL = tapped.tap(t, c.DatabaseURL)
		c.Keys, c.BootstrapKey = true, d.operator
		c.Log = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.RequestLog = c.Log
	})
	return d, func() {
		t.Helper()
		for where, w := range map[string]*wire{"the connection to PostgreSQL": tapped, "the log": logged} {
			w.mu.Lock()
			if n := w.sent.Len(); n < 10_000 {
				t.Errorf("%s has %d bytes: nothing was looked at", where, n)
			}
			for _, folder := range sourcesOf(t) {
				for _, canary := range canariesOf(t, folder) {
					if bytes.Contains(w.sent.Bytes(), []byte(canary)) {
						at := bytes.Index(w.sent.Bytes(), []byte(canary))
						t.Errorf("%q of %s is in %s: %q", canary, folder, where, w.sent.Bytes()[max(0, at-200):at+50])
					}
				}
			}
			w.mu.Unlock()
		}
	}
}

// canariesOf returns what the requests of a gateway hold and the server must not, but for the address that the tests have as well.
func canariesOf(t *testing.T, folder string) (canaries []string) {
	t.Helper()
	if _, err := os.Stat(folder + "/canaries.json"); err != nil {
		return nil
	}
	if err := json.Unmarshal([]byte(recorded(t, folder+"/canaries.json")), &canaries); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(canaries, func(c string) bool { return strings.HasPrefix(c, "127.0.0.1") })
}

// tenantOf makes a tenant for a gateway: its owner's key, and the gateway's.
func (d *frontDoor) tenantOf(name string) (owner, key string) {
	d.t.Helper()
	d.want(http.StatusCreated, d.as(d.operator, "POST", "/tenants", `{"name":"`+name+`"}`))
	_, owner = d.keyIn(name, "owner", "*", allScopes[:5]...)
	_, key = d.keyIn(name, "gateway", "*", "append")
	return owner, key
}

// in is the same front door for a subtest.
func (d *frontDoor) in(t *testing.T) *frontDoor {
	service := *d.service
	service.t = t
	return &frontDoor{service: &service, operator: d.operator}
}

func requestsOf(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(folder + "/*.head")
	if err != nil || len(found) == 0 {
		t.Fatal("no requests: ", err)
	}
	for i := range found {
		found[i] = strings.TrimSuffix(found[i], ".head")
	}
	return found
}

// dataOf returns the events of a page, as they were stored.
func dataOf(t *testing.T, page string) (all []string) {
	t.Helper()
	for line := range strings.Lines(page) {
		var e struct{ Data json.RawMessage }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, string(e.Data))
	}
	return all
}
