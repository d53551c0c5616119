package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
)

// TestSlowBodiesOfRevokedKeys: a request that was begun with a good key does nothing when its body arrives after the key was revoked.
func TestSlowBodiesOfRevokedKeys(t *testing.T) {
	owner := access.GenerateKey()
	s := start(t, withKeys(owner))
	s.call(http.MethodPost, "/logs", `{"name":"acme"}`, "X-Api-Key: "+owner)
	id, leaked := s.makeKey(owner, `{"name":"leaked","scopes":["admin","append"]}`)
	type outcome struct {
		path   string
		status int
	}
	ended := make(chan outcome)
	bodies := map[string]string{
		"/keys":             `{"name":"back-door","scopes":["append","read","query","deploy","admin"]}`,
		"/logs":             `{"name":"another"}`,
		"/logs/acme/append": `{"type":"x"}`,
	}
	rests := map[string]*io.PipeWriter{}
	for path, body := range bodies {
		reader, writer := io.Pipe()
		rests[path] = writer
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, reader)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Api-Key", leaked)
		request.ContentLength = int64(len(body))
		go func() {
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Error(err)
				ended <- outcome{path, 0}
				return
			}
			_ = response.Body.Close()
			ended <- outcome{path, response.StatusCode}
		}()
		if _, err := writer.Write([]byte(body[:1])); err != nil {
			t.Fatal(err)
		}
	}
	<-time.After(time.Second) // in which the server admits them
	if r := s.call(http.MethodDelete, "/keys/"+id, "", "X-Api-Key: "+owner); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for path, body := range bodies {
		if _, err := rests[path].Write([]byte(body[1:])); err != nil {
			t.Fatal(err)
		}
		_ = rests[path].Close()
	}
	for range bodies {
		if o := <-ended; o.status != http.StatusUnauthorized {
			t.Errorf("%s with a key that was revoked before the body came: %d", o.path, o.status)
		}
	}
}

// TestLaggingTailsEnd: a tail that never catches up with its log ends with its key all the same.
func TestLaggingTailsEnd(t *testing.T) {
	owner := access.GenerateKey()
	s := start(t, withKeys(owner))
	s.call(http.MethodPost, "/logs", `{"name":"acme"}`, "X-Api-Key: "+owner)
	id, reader := s.makeKey(owner, `{"name":"reader","scopes":["read"]}`)
	batch := strings.Repeat(fmt.Sprintf(`{"text":%q}`+"\n", strings.Repeat("x", 8000)), 1000)
	for range 6 { // 48 MB, far more than the connection's buffers hold
		if r := s.call(http.MethodPost, "/logs/acme/append_batch", batch, "X-Api-Key: "+owner); r.status != http.StatusCreated {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/logs/acme/tail?after=0", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Api-Key", reader)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", response, err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewReaderSize(response.Body, 64<<10)
	if _, err := io.CopyN(io.Discard, lines, 1<<20); err != nil {
		t.Fatal(err)
	}
	if r := s.call(http.MethodDelete, "/keys/"+id, "", "X-Api-Key: "+owner); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if len(rest) > 30<<20 || !strings.Contains(string(rest[max(0, len(rest)-2000):]), `"unauthorized"`) {
		t.Errorf("after its key was revoked a tail went on for %d bytes, to %.200q", len(rest), rest[max(0, len(rest)-300):])
	}
}
