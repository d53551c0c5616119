package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
)

// recordedCall is a request that testdata/upgrade/record.py made to the server of an earlier version.
type recordedCall struct {
	Do       string // "read" or "retry"
	Path     string
	Headers  map[string]string
	Body     string // read: of the response; retry: of the request
	Sequence int64  // retry: of the event, or of a batch's first
}

// TestUpgrade starts this version on databases of earlier versions: every response that was right stays the same, byte for byte, and every
// retry finds its event.
func TestUpgrade(t *testing.T) {
	dumps, err := filepath.Glob("testdata/upgrade/*.sql.gz")
	if err != nil || len(dumps) == 0 {
		t.Fatalf("no recorded databases: %v", err)
	}
	for _, dump := range dumps {
		name := strings.TrimSuffix(filepath.Base(dump), ".sql.gz")
		t.Run(name, func(t *testing.T) {
			testdb.New(t) // migrates a template first: the dump grants to roles that migrations make
			database := testdb.New(t, testdb.Empty())
			database.Exec(t, unzip(t, dump))
			s, _ := startOn(t, database.DSN())
			defer stop(t, s)
			calls := recordedCalls(t, filepath.Join("testdata/upgrade", name+".answers.ndjson"))
			logs := map[string]bool{}
			for i := range calls {
				replay(t, s, &calls[i])
				log, _, _ := strings.Cut(strings.TrimPrefix(calls[i].Path, "/logs/"), "/")
				logs[log] = true
			}
			for log := range logs {
				var verdict struct{ OK bool }
				body := do(t, s, http.MethodGet, "/logs/"+log+"/verify", nil, "")
				if err := json.Unmarshal(body, &verdict); err != nil || !verdict.OK {
					t.Errorf("%s does not verify: %s (%v)", log, body, err)
				}
			}
		})
	}
}

func replay(t *testing.T, s *server.Server, c *recordedCall) {
	t.Helper()
	if c.Do == "read" {
		if got := do(t, s, http.MethodGet, c.Path, nil, ""); string(got) != c.Body {
			t.Errorf("GET %s\nanswered %.3000s\nbefore   %.3000s", c.Path, got, c.Body)
		}
		return
	}
	var answer struct {
		Sequence      int64
		FirstSequence int64 `json:"first_sequence"`
		Appended      int
		Duplicate     bool
	}
	body := do(t, s, http.MethodPost, c.Path, c.Headers, c.Body)
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Appended != 0 || max(answer.Sequence, answer.FirstSequence) != c.Sequence {
		t.Errorf("a retry of %.200s with %v is answered %s; its event is %d", c.Body, c.Headers, body, c.Sequence)
	}
}

// do returns the body of a response with status 200, which for an append means that no event is new.
func do(t *testing.T, s *server.Server, method, path string, headers map[string]string, body string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v %.200s: status %d, %s, %v", method, path, headers, body, response.StatusCode, answer, err)
	}
	return answer
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func recordedCalls(t *testing.T, path string) []recordedCall {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var calls []recordedCall
	for line := range bytes.Lines(text) {
		var c recordedCall
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	return calls
}
