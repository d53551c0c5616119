package tally_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// TestLostAnswers: every answer is lost once, after the server has committed; each event is there once, and no duplicate is shown.
func TestLostAnswers(t *testing.T) {
	log := newLog(t, "")
	p := newProxy(t, nil, everyOther)
	c := p.client(t)
	var want []string
	for i := range 8 {
		event := map[string]any{"n": i, "text": "<&>"}
		want = append(want, fmt.Sprintf(`{"n":%d,"text":"<&>"}`, i))
		if i%2 == 1 { // known by itself
			event["id"] = fmt.Sprint("e", i)
			want[i] = fmt.Sprintf(`{"id":"e%d","n":%d,"text":"<&>"}`, i, i)
		}
		a, err := c.AppendEvent(t.Context(), log, event, nil)
		if err != nil || a.Sequence != int64(i)+1 || a.Duplicate {
			t.Errorf("event %d: %+v, %v", i, a, err)
		}
	}
	batch, err := c.AppendEvents(t.Context(), log, []any{`{"a":1}`, []byte(`{"a":2}`), map[string]int{"a": 3}}, nil)
	if err != nil || batch.Appended != 3 || len(batch.Duplicates) != 0 || batch.FirstSequence != 9 || batch.LastSequence != 11 {
		t.Errorf("the batch: %+v, %v", batch, err)
	}
	// What was there before is a duplicate all the same.
	again, err := server(t).Client.AppendEvent(t.Context(), log, `{"id":"e1","n":1,"text":"<&>"}`, nil)
	if err != nil || !again.Duplicate || again.Sequence != 2 {
		t.Errorf("e1 once more: %+v, %v", again, err)
	}
	want = append(want, `{"a":1}`, `{"a":2}`, `{"a":3}`)
	if got := stored(t, log); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the log holds\n%v, want\n%v", got, want)
	}
	tries := p.all()
	if len(tries) != 18 {
		t.Errorf("%d requests for 9 calls, whose answers were lost once each", len(tries))
	}
	for i := 0; i+1 < len(tries); i += 2 {
		if tries[i] != tries[i+1] || tries[i].key == "" {
			t.Errorf("a try differs from the one before: %q, %q", tries[i], tries[i+1])
		}
	}
	if _, err := c.EnsureLog(t.Context(), log, nil); err != nil {
		t.Errorf("ensuring a log: %v", err)
	}
}

// TestUnsafeCallsAreSentOnce: what is not safe to repeat is not, after its answer was lost; but it is where the server did nothing.
func TestUnsafeCallsAreSentOnce(t *testing.T) {
	log := newLog(t, "")
	p := newProxy(t, nil, everyOther)
	c := p.client(t)
	_, err := c.CreateLog(t.Context(), log+"-2", nil)
	if !tally.IsCode(err, tally.CodeConnection) || len(p.all()) != 1 {
		t.Errorf("%v after %d requests", err, len(p.all()))
	}
	var e *tally.Error
	if _, err := server(t).Client.CreateLog(t.Context(), log+"-2", nil); !errors.As(err, &e) || e.Code != "name_taken" || e.LogID == "" {
		t.Errorf("the log is not there: %v", err)
	}
	for i, refusal := range []struct {
		status int
		code   string
		tries  int
	}{
		{503, "busy", 2},
		{503, "too_many_streams", 2},
		{503, "too_many_verifications", 2},
		{503, "too_many_watchers", 2},
		{429, "too_many_requests", 2},
		{429, "of_a_later_server", 2},
		{503, "stopping", 1},
		{503, "database_unavailable", 1},
		{503, "of_a_later_server", 1},
	} {
		p := newProxy(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n == 0 {
				refuse(w, refusal.status, refusal.code, "0")
			}
			return n == 0
		}, nil)
		_, err := p.client(t).CreateLog(t.Context(), fmt.Sprint(log, "-again-", i), nil)
		if tries := len(p.all()); tries != refusal.tries || (err == nil) != (tries == 2) || err != nil && !tally.IsCode(err, refusal.code) {
			t.Errorf("%d %s: %v after %d requests, want %d", refusal.status, refusal.code, err, tries, refusal.tries)
		}
	}
}

// TestRetryAfter: the client does not come back before the server says, nor where it says nothing, and gives up at its deadline.
func TestRetryAfter(t *testing.T) {
	log := newLog(t, "")
	var first time.Time
	p := newProxy(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 0 {
			first = time.Now()
			busy(w, "1")
			return true
		}
		if early := time.Second - time.Since(first); early > 0 {
			t.Errorf("it came back %s before Retry-After", early)
		}
		return false
	}, nil)
	if a, err := p.client(t).AppendEvent(t.Context(), log, `{}`, nil); err != nil || a.Sequence != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	for status, header := range map[int]string{503: "", 500: "", 502: "", 429: ""} {
		var asked atomic.Int32
		p := newProxy(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			asked.Add(1)
			if header != "" {
				w.Header().Set("Retry-After", header)
			}
			w.WriteHeader(status)
			return true
		}, nil)
		if _, err := p.client(t).GetLog(t.Context(), log); err == nil || asked.Load() != 1 {
			t.Errorf("%d without Retry-After: %v after %d requests", status, err, asked.Load())
		}
	}
	var asked atomic.Int32
	p = newProxy(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		asked.Add(1)
		busy(w, "30")
		return true
	}, nil)
	c, err := tally.New(tally.Options{URL: p.URL, Anonymous: true, Deadline: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var e *tally.Error
	if _, err := c.GetLog(t.Context(), log); !errors.As(err, &e) || e.RetryAfter != 30*time.Second || asked.Load() != 1 {
		t.Errorf("beyond the deadline: %v after %d requests", err, asked.Load())
	}
}

// TestContextEndsWaiting: a call that waits for its next try ends with its context, and tells of both.
func TestContextEndsWaiting(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	p := newProxy(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		busy(w, "20")
		time.AfterFunc(50*time.Millisecond, stop)
		return true
	}, nil)
	_, err := p.client(t).GetLog(ctx, "acme")
	if !errors.Is(err, context.Canceled) || !tally.IsCode(err, "busy") {
		t.Errorf("%v", err)
	}
	silent := newProxy(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }, nil)
	c, err := tally.New(tally.Options{URL: silent.URL, Anonymous: true, Timeout: 50 * time.Millisecond, NoRetries: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.GetLog(t.Context(), "acme")
	if !tally.IsCode(err, tally.CodeConnection) || !tally.IsTransient(err) || !strings.Contains(err.Error(), "nothing came") {
		t.Errorf("a server that is silent: %v", err)
	}
}

// TestTailThroughCuts: a tail whose connection is cut in the middle of every third event yields each once, in order.
func TestTailThroughCuts(t *testing.T) {
	log := newLog(t, "")
	const events = 12
	lines := ""
	for i := range events {
		lines += fmt.Sprintf("{\"n\":%d,\"digits\":0.%d0}\n", i, i)
	}
	if _, err := server(t).Client.AppendEvents(t.Context(), log, lines, nil); err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		request, err := http.NewRequestWithContext(r.Context(), r.Method, server(t).URL+r.URL.RequestURI(), nil)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		request.Header = r.Header
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = response.Body.Close() }()
		w.Header().Set("Content-Type", "text/event-stream")
		passed, chunk := 0, make([]byte, 1)
		for {
			if _, err := response.Body.Read(chunk); err != nil {
				panic(http.ErrAbortHandler)
			}
			if _, err := w.Write(chunk); err != nil {
				panic(http.ErrAbortHandler)
			}
			_ = http.NewResponseController(w).Flush()
			if chunk[0] == '{' {
				if passed++; passed == 5 { // two whole events, of two objects each, and the beginning of the third
					panic(http.ErrAbortHandler)
				}
			}
		}
	}, nil)
	got, lost := []int64{}, 0
	o := &tally.TailOptions{After: tally.Sequence(0)}
	o.Disconnected = func(error, time.Duration) { lost++ }
	for e, err := range p.client(t).Tail(t.Context(), log, o) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"n":%d,"digits":0.%d0}`, e.Sequence-1, e.Sequence-1); string(e.Bytes()) != want {
			t.Errorf("event %d is %s, want %s", e.Sequence, e.Bytes(), want)
		}
		if got = append(got, e.Sequence); len(got) == events {
			break
		}
	}
	if fmt.Sprint(got) != "[1 2 3 4 5 6 7 8 9 10 11 12]" || lost != 5 {
		t.Errorf("got %v over %d lost connections", got, lost)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
