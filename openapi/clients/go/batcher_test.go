package tally_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// failures collects what a batcher gives up.
type failures struct {
	mu     sync.Mutex
	events []string
	codes  []string
}

func (f *failures) add(_ string, events [][]byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		f.events = append(f.events, string(e))
	}
	code := err.Error()
	if e := (*tally.Error)(nil); errors.As(err, &e) {
		code = e.Code
	}
	f.codes = append(f.codes, code)
}

// TestBatcherHammer: eight writers to three logs, through a proxy that refuses every other request and loses every other answer. Each event
// is there once, and each writer's are in their order.
func TestBatcherHammer(t *testing.T) {
	const writers, events, logs = 8, 150, 3
	var names [logs]string
	for i := range names {
		names[i] = newLog(t, fmt.Sprint("-", i))
	}
	p := newProxy(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n%3 == 0 {
			busy(w, "0")
		}
		return n%3 == 0
	}, func(n int, _ *http.Request) bool { return n%3 == 1 })
	var failed failures
	b := p.client(t).NewBatcher(&tally.BatcherOptions{
		MaxEvents: 40, MaxBuffer: 4000, Linger: 5 * time.Millisecond, Concurrency: 2, OnFailure: failed.add,
	})
	var done sync.WaitGroup
	for writer := range writers {
		done.Go(func() {
			buffer := make([]byte, 0, 64)
			for i := range events {
				buffer = fmt.Appendf(buffer[:0], `{"writer":%d,"n":%d}`, writer, i) // the batcher must have its own copy
				if err := b.Add(t.Context(), names[(writer+i)%logs], buffer); err != nil {
					t.Error(err)
				}
				if i%50 == 49 {
					if err := b.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	done.Wait()
	if err := b.Close(t.Context()); err != nil || len(failed.events) > 0 {
		t.Errorf("closing: %v, given up: %v", err, failed.codes)
	}
	total := 0
	for l, name := range names {
		next := map[int]int{} // of each writer
		for _, text := range stored(t, name) {
			var writer, n int
			if _, err := fmt.Sscanf(text, `{"writer":%d,"n":%d}`, &writer, &n); err != nil {
				t.Fatal(err)
			}
			if n < next[writer] || (writer+n)%logs != l {
				t.Errorf("event %d of writer %d is out of its order in log %d", n, writer, l)
			}
			next[writer] = n + 1
			total++
		}
	}
	if total != writers*events {
		t.Errorf("%d events are stored, of %d", total, writers*events)
	}
	if err := b.Add(t.Context(), names[0], `{}`); !errors.Is(err, tally.ErrBatcherClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestBatcherReportsTheRefused: events that the server refuses are given up one by one, in the middle of batches, and all others are
// stored.
func TestBatcherReportsTheRefused(t *testing.T) {
	log := newLog(t, "")
	if _, err := server(t).Client.AppendEvent(t.Context(), log, `{"id":"taken"}`, nil); err != nil {
		t.Fatal(err)
	}
	var failed failures
	b := newProxy(t, nil, everyOther).client(t).NewBatcher(&tally.BatcherOptions{Linger: time.Hour, OnFailure: failed.add})
	want := []string{`{"id":"taken"}`}
	for i := range 10 {
		event := fmt.Sprintf(`{"n": %d}`, i)
		switch i {
		case 3:
			event = `{"type": 7}`
		case 4:
			event = "{\n\"id\":\"taken\",\r\n\"other\":true}"
		case 9:
			event = `[1]`
		default:
			want = append(want, event)
		}
		if err := b.Add(t.Context(), log, event); err != nil {
			t.Fatal(err)
		}
	}
	var gone *tally.GivenUpError
	if err := b.Flush(t.Context()); !errors.As(err, &gone) || gone.Events != 3 || !tally.IsCode(err, "invalid_event_type") {
		t.Errorf("flushing: %v", err)
	}
	if got := stored(t, log); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("stored are %v, want %v", got, want)
	}
	if err := b.Add(t.Context(), "no-such-log", map[string]int{"n": 1}); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(t.Context(), log, "{\"a\":\"x\ny\"}"); err == nil {
		t.Error("a line break in the middle of a string is taken for one between members")
	}
	if err := b.Close(t.Context()); !tally.IsCode(err, "log_not_found") {
		t.Errorf("closing: %v", err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if fmt.Sprint(failed.codes) != "[invalid_event_type not_an_object idempotency_key_reused log_not_found]" ||
		fmt.Sprint(failed.events) != "[{\"type\": 7} [1] {\n\"id\":\"taken\",\r\n\"other\":true} {\"n\":1}]" {
		t.Errorf("given up: %v %v", failed.codes, failed.events)
	}
}

// TestBatcherLineBreaks: events with line breaks stay as they are, and what is no JSON beside one does not become other events.
func TestBatcherLineBreaks(t *testing.T) {
	c, log := server(t).Client, newLog(t, "")
	const broken = `{"n":1},{"n":2}`
	var given []string
	b := c.NewBatcher(&tally.BatcherOptions{Linger: time.Hour, OnFailure: func(_ string, events [][]byte, err error) {
		for _, event := range events {
			given = append(given, fmt.Sprintf("%s %v", event, tally.IsCode(err, "invalid_json")))
		}
	}})
	want := []string{"{\n\t\"n\": 0\r\n}", `{"n": 3}`}
	for _, event := range []string{want[0], broken, want[1]} {
		if err := b.Add(t.Context(), log, event); err != nil {
			t.Fatal(err)
		}
	}
	var gone *tally.GivenUpError
	if err := b.Close(t.Context()); !errors.As(err, &gone) || gone.Events != 1 {
		t.Errorf("closing: %v", err)
	}
	if got := stored(t, log); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("stored are %q, want %q", got, want)
	}
	if fmt.Sprint(given) != "["+broken+" true]" {
		t.Errorf("given up: %v", given)
	}
	if _, err := c.AppendEvents(t.Context(), log, []string{want[0], broken}, nil); err == nil {
		t.Error("two events in one are taken")
	}
}

// TestBatcherTakesTheServersWord: of a batch that is too costly, parts go as large as the server says at once.
func TestBatcherTakesTheServersWord(t *testing.T) {
	log := newLog(t, "")
	sizes := []int{}
	p := newProxy(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		sizes = append(sizes, len(bytes.Fields(body)))
		if sizes[len(sizes)-1] <= 2 {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, `{"status":413,"code":"append_too_costly","detail":"less","events":2}`)
		return true
	}, nil)
	b := p.client(t).NewBatcher(&tally.BatcherOptions{Linger: time.Hour})
	for i := range 11 {
		if err := b.Add(t.Context(), log, fmt.Sprintf(`{"number":%d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := stored(t, log); len(got) != 11 || got[10] != `{"number":10}` {
		t.Errorf("stored are %v", got)
	}
	if want := []int{11, 2, 2, 2, 2, 2, 1}; !slices.Equal(sizes, want) {
		t.Errorf("batches of %v events were sent, want %v", sizes, want)
	}
}

// TestBatcherSplits: a batch that is too large for the server goes in parts.
func TestBatcherSplits(t *testing.T) {
	log := newLog(t, "")
	p := newProxy(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength > 100 {
			w.WriteHeader(http.StatusRequestEntityTooLarge) // as a proxy may, for a reason of its own
			return true
		}
		return false
	}, nil)
	b := p.client(t).NewBatcher(nil)
	want := []string{}
	for i := range 20 {
		want = append(want, fmt.Sprintf(`{"number":%d}`, i))
		if err := b.Add(t.Context(), log, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Add(t.Context(), log, `{"text":"`+strings.Repeat("x", 200)+`"}`); err != nil {
		t.Fatal(err)
	}
	var gone *tally.GivenUpError
	if err := b.Close(t.Context()); !errors.As(err, &gone) || gone.Events != 1 {
		t.Errorf("closing: %v", err)
	}
	if got := stored(t, log); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("stored are %v", got)
	}
}

// TestBatcherIsBounded: where the server does not answer, the buffer fills up; Add waits or fails; and Close gives up what is left, each
// event once.
func TestBatcherIsBounded(t *testing.T) {
	log := newLog(t, "")
	var asked atomic.Int32
	p := newProxy(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		<-r.Context().Done()
		return true
	}, nil)
	for _, failing := range []bool{true, false} {
		var failed failures
		b := p.client(t).NewBatcher(&tally.BatcherOptions{MaxEvents: 2, MaxBuffer: 86, FailWhenFull: failing, OnFailure: failed.add})
		if err := b.Add(t.Context(), log, `{"a":"`+strings.Repeat("x", 100)+`"}`); !errors.Is(err, tally.ErrBufferFull) {
			t.Errorf("an event that can never fit: %v", err)
		}
		added := 0
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		var err error
		for err == nil {
			if err = b.Add(ctx, log, fmt.Sprintf(`{"n":%d}`, added)); err == nil {
				added++
			}
		}
		cancel()
		if failing && !errors.Is(err, tally.ErrBufferFull) || !failing && !errors.Is(err, context.DeadlineExceeded) || added != 12 {
			t.Errorf("%d were added, then %v", added, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		var gone *tally.GivenUpError
		if err := b.Close(ctx); !errors.As(err, &gone) || gone.Events != added || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closing: %v", err)
		}
		cancel()
		if len(failed.events) != added || failed.events[0] != `{"n":0}` || failed.events[added-1] != `{"n":11}` {
			t.Errorf("%d were added, and given up were %v", added, failed.events)
		}
	}
	if asked.Load() == 0 {
		t.Error("nothing was sent")
	}
}

// TestBatcherBelievesNobody: an answer that all is well, from something in between, acknowledges nothing.
func TestBatcherBelievesNobody(t *testing.T) {
	for _, body := range []string{"<html>Welcome to this network</html>", "{}", `{"appended":1,"duplicates":[]}`, ""} {
		var failed failures
		c := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		b := c.NewBatcher(&tally.BatcherOptions{Linger: time.Hour, OnFailure: failed.add})
		for range 2 {
			if err := b.Add(t.Context(), "acme", `{}`); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Close(t.Context()); !tally.IsCode(err, tally.CodeUnexpectedAnswer) || len(failed.events) != 2 {
			t.Errorf("%q acknowledges: %v", body, err)
		}
		if _, err := c.AppendEvent(t.Context(), "acme", `{}`, nil); !tally.IsCode(err, tally.CodeUnexpectedAnswer) {
			t.Errorf("%q acknowledges an event: %v", body, err)
		}
	}
}

// TestBatcherOfAFullLog: where a guard refuses everything, each event is given up by itself, and none is sent again and again for the
// others' sake.
func TestBatcherOfAFullLog(t *testing.T) {
	const events, halvings = 256, 8
	log := newLog(t, "")
	deployment := tally.Deployment{Ready: "quota", Config: []byte(`{"limits":[{"name":"none","window":"year","limit":1}]}`)}
	if _, err := server(t).Client.DeployView(t.Context(), log, "quota", deployment); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	counting := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		sent.Add(int64(strings.Count(string(text), "\n")))
		r.Body = io.NopCloser(bytes.NewReader(text))
		return http.DefaultTransport.RoundTrip(r)
	})}
	client, err := tally.New(tally.Options{URL: server(t).URL, HTTPClient: counting})
	if err != nil {
		t.Fatal(err)
	}
	var failed failures
	b := client.NewBatcher(&tally.BatcherOptions{Linger: time.Hour, OnFailure: failed.add})
	for i := range events {
		if err := b.Add(t.Context(), log, map[string]int{"n": i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(t.Context()); !tally.IsCode(err, tally.CodeRefusedByGuard) {
		t.Errorf("closing: %v", err)
	}
	if got := stored(t, log); len(got) != 1 || got[0] != `{"n":0}` || len(failed.events) != events-1 {
		t.Errorf("stored are %v, and %d events were given up", got, len(failed.events))
	}
	if n := sent.Load(); n > events*(halvings+2) {
		t.Errorf("%d events were sent, some of them again and again", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
