package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPump: every flow has one request out at a time, whatever the sizes, and each is counted once, when its answer is whole.
func TestPump(t *testing.T) {
	const (
		flows = 20
		each  = 30
		large = 6 << 20 // more than sockets take at once
	)
	var mu sync.Mutex
	received := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		received[r.URL.Path+" "+strconv.Itoa(len(body))]++
		mu.Unlock()
		answer := bytes.Repeat([]byte("x"), len(body)%9000) // some come in several reads
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer[:len(answer)/2])
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(answer[len(answer)/2:])
	}))
	defer server.Close()

	want := map[string]int{}
	var all []*flow
	begun, answered := 0, 0
	for i := range flows {
		f, err := openFlow(t.Context(), strings.TrimPrefix(server.URL, "http://"), func(b []byte) ([]byte, int) {
			body := make([]byte, 1+begun*17)
			if begun%50 == 7 {
				body = make([]byte, large)
			}
			begun++
			path := "/" + strconv.Itoa(i)
			want[path+" "+strconv.Itoa(len(body))]++
			return appendRequest(b, "POST", path, "", body), 3
		})
		if err != nil {
			t.Fatal(err)
		}
		defer f.close()
		all = append(all, f)
	}
	err := pump(t.Context(), all, progress{
		more: func(time.Time) bool { return begun < flows*each },
		done: func(events int, began, ended time.Time) {
			if answered++; events != 3 || ended.Before(began) {
				t.Errorf("an answer to %d events from %v to %v", events, began, ended)
			}
		},
	})
	if err != nil || answered != begun || begun < flows*each {
		t.Fatalf("%d of %d requests were answered, %v", answered, begun, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for request, n := range want {
		if received[request] != n {
			t.Errorf("%s came %d times; it was sent %d times", request, received[request], n)
		}
	}
}

// TestPumpFails: a refusal ends the run and says why, and so does a server that goes.
func TestPumpFails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			panic(http.ErrAbortHandler)
		}
		http.Error(w, "no such log", http.StatusNotFound)
	}))
	defer server.Close()
	for path, want := range map[string]string{"/refused": "404: no such log", "/gone": "reading an answer"} {
		f, err := openFlow(t.Context(), strings.TrimPrefix(server.URL, "http://"), func(b []byte) ([]byte, int) {
			return appendRequest(b, "POST", path, "", []byte("{}")), 1
		})
		if err != nil {
			t.Fatal(err)
		}
		defer f.close()
		err = pump(t.Context(), []*flow{f}, progress{more: func(time.Time) bool { return true }, done: func(int, time.Time, time.Time) {}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", path, err, want)
		}
	}
}

// TestIDs: no two events that are sent have the same id, whichever client sends them, and however often a batch's body is used again.
func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	note := func(request []byte) {
		_, body, _ := bytes.Cut(request, headEnd)
		for line := range bytes.Lines(body) {
			var event struct{ ID, Type string }
			if err := json.Unmarshal(line, &event); err != nil || event.ID == "" || event.Type != "api.call" {
				t.Fatalf("%s is not an event with an id: %v", line, err)
			}
			if seen[event.ID] {
				t.Fatalf("%s came twice", event.ID)
			}
			seen[event.ID] = true
		}
	}
	set := logs{prefix: "x", count: 3}
	for i := range 2 {
		batches, single := batchedWithIDs(set)(newGenerator(i), i), singleWithIDs(set)(newGenerator(i), i)
		for range 2*copyRows/batchEvents + 1 {
			request, _ := batches(nil)
			note(request)
			request, _ = single(nil)
			note(request)
		}
	}
	if len(seen) < 40_000 {
		t.Errorf("%d events", len(seen))
	}
}

func TestReadWrk(t *testing.T) {
	line := "counted 5000 2000000 0" + strings.Repeat(" 1500", 100) + "\n"
	result, err := readWrk([]byte("Running 2s test @ http://127.0.0.1:1\n" + line))
	if err != nil || result.perSecond() != 2500 || result.quantile(0.5) != 1500*time.Microsecond {
		t.Errorf("%+v, %v", result, err)
	}
	for _, output := range []string{"", "counted 1 2 3", "counted 5000 2000000 7" + strings.Repeat(" 1500", 100)} {
		if _, err := readWrk([]byte(output)); err == nil {
			t.Errorf("%q was read as figures", output)
		}
	}
}
