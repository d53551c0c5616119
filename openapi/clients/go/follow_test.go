package tally_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// script serves one answer per request, in order, and then repeats the last one.
func script(t *testing.T, answers ...string) (c *tally.Client, ids func() []string) {
	t.Helper()
	asked := make(chan string, 100)
	n := 0
	c = stranger(t, "", func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Last-Event-ID")
		answer := answers[min(n, len(answers)-1)]
		n++
		if status, body, ok := strings.Cut(answer, "!"); ok {
			w.Header().Set("Content-Type", "application/problem+json")
			code := http.StatusNotFound
			if status == "503" {
				code = http.StatusServiceUnavailable
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		text, cut := strings.CutSuffix(answer, "<cut>")
		_, _ = io.WriteString(w, text)
		if cut {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	return c, func() (all []string) {
		for len(asked) > 0 {
			all = append(all, <-asked)
		}
		return all
	}
}

const soon = "retry: 1\n\n"

func event(n int) string {
	return fmt.Sprintf("id: %d\nevent: event\ndata: {\"sequence\":%d}\n\n", n, n)
}

// TestTailResumes: connections end in every way, and each event comes once, in its place, until the server refuses for good.
func TestTailResumes(t *testing.T) {
	c, ids := script(t,
		soon+event(6)+event(7)+"id: 8\nevent: event\ndata: {\"seq<cut>",
		soon+event(8)+"event: end\ndata: {\"status\":503,\"code\":\"stopping\",\"detail\":\"bye\"}\n\n",
		`503!{"status":503,"code":"busy","detail":"later"}`,
		soon+event(7)+event(8)+event(9)+"event: end\ndata: {\"status\":500,\"detail\":\"a fault\"}\n\n", // a server that repeats
		soon+"event: unknown\ndata: x\n\n"+event(10)+"id: 12\n\n",                                       // the type filters 11 and 12 out
		`404!{"status":404,"code":"log_not_found","detail":"gone"}`)
	var lost []string
	back := 0
	o := &tally.TailOptions{After: tally.Sequence(5)}
	o.Disconnected = func(err error, _ time.Duration) { lost = append(lost, err.Error()) }
	o.Reconnected = func() { back++ }
	got, err := tally.Collect(c.Tail(t.Context(), "acme", o))
	if !tally.IsCode(err, "log_not_found") {
		t.Errorf("it ends with %v", err)
	}
	texts := ""
	for _, e := range got {
		texts += string(e.JSON())
	}
	if texts != `{"sequence":6}{"sequence":7}{"sequence":8}{"sequence":9}{"sequence":10}` {
		t.Errorf("got %v", texts)
	}
	if asked := fmt.Sprint(ids()); asked != "[5 7 8 8 9 12]" {
		t.Errorf("it asked for what comes after %s", asked)
	}
	if len(lost) != 5 || back != 3 ||
		!strings.Contains(lost[1], "bye (stopping)") || !strings.Contains(lost[2], "later") || !strings.Contains(lost[3], "a fault") {
		t.Errorf("lost %q, back %d times", lost, back)
	}
}

// TestTailEnds: at once where the server cannot be reached or refuses, when its loop is left, by its context, and at what is no stream.
func TestTailEnds(t *testing.T) {
	c, ids := script(t, `503!{"status":503,"code":"too_many_watchers","detail":"full"}`)
	if _, err := tally.Collect(c.Tail(t.Context(), "acme", nil)); !tally.IsCode(err, "too_many_watchers") || len(ids()) != 1 {
		t.Errorf("refused: %v", err)
	}
	c, _ = script(t, soon+event(1)+event(2))
	for e, err := range c.Tail(t.Context(), "acme", nil) {
		if err != nil || e.Sequence != 1 {
			t.Errorf("a loop that is left: %+v, %v", e, err)
		}
		break
	}
	c, _ = script(t, soon+event(1))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var err error
	for _, err = range c.Tail(ctx, "acme", nil) {
		stop()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	c = stranger(t, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	_, err = tally.Collect(c.Tail(t.Context(), "acme", nil))
	if !tally.IsCode(err, tally.CodeUnexpectedAnswer) || !strings.Contains(err.Error(), "it is no stream of events") {
		t.Errorf("a stranger: %v", err)
	}
	for _, hostile := range []string{"id: x\nevent: event\ndata: {}\n\n", "id: 7\nevent: event\ndata: <html>\n\n"} {
		c, _ = script(t, soon+hostile)
		if _, err := tally.Collect(c.Tail(t.Context(), "acme", nil)); !tally.IsCode(err, tally.CodeUnexpectedAnswer) {
			t.Errorf("%q: %v", hostile, err)
		}
	}
}

// TestWatchTellsWhatIsNew: an answer that comes again after a lost connection is not new.
func TestWatchTellsWhatIsNew(t *testing.T) {
	answer := func(text string) string { return "id: 1\nevent: answer\ndata: " + text + "\n\n" }
	c, _ := script(t, soon+answer("1"), soon+answer("1")+answer("2")+"event: problem\ndata: {\"code\":\"view_halted\"}\n\n",
		soon+answer("2"), `404!{"status":404,"code":"view_not_found"}`)
	got := ""
	answers, err := tally.Collect(c.Watch(t.Context(), "acme", "totals", "", nil))
	for _, a := range answers {
		got += string(a.Body) + ","
		if a.Problem != nil {
			got += a.Problem.Code + ","
		}
		if a.Sequence != 1 {
			t.Errorf("the answer reflects event %d", a.Sequence)
		}
	}
	if !tally.IsCode(err, "view_not_found") || got != "1,2,,view_halted,2," {
		t.Errorf("%v after %q", err, got)
	}
}

// TestEventStream: a stream that was cut off never looks complete.
func TestEventStream(t *testing.T) {
	for _, c := range []struct {
		body  string
		cut   bool
		lines int
		whole bool
	}{
		{"", false, 0, true},
		{"a\nb\n", false, 2, true},
		{"a\nb", false, 1, false},
		{"a\nb\n", true, 2, false},
		{strings.Repeat("x", 1<<20) + "\ny\n", false, 2, true},
	} {
		server := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, c.body)
			_ = http.NewResponseController(w).Flush()
			if c.cut {
				panic(http.ErrAbortHandler)
			}
		})
		stream, err := server.StreamEvents(t.Context(), "acme", tally.EventFilter{From: 1})
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		var line []byte
		for line, err = stream.Next(); err == nil; line, err = stream.Next() {
			lines++
			if line[len(line)-1] != '\n' {
				t.Errorf("a line without its end: %.20q", line)
			}
		}
		if lines != c.lines || errors.Is(err, io.EOF) != c.whole {
			t.Errorf("%.10q, cut %v: %d lines, %v", c.body, c.cut, lines, err)
		}
		_ = stream.Close()
	}
}
