package tally_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// TestExactEvents: an event is read back byte for byte, and its numbers keep their digits.
func TestExactEvents(t *testing.T) {
	log, c := newLog(t, ""), server(t).Client
	events := []string{
		`{"n":0.10,"big":9007199254740993,"e":1e400,"zero":-0.0}`,
		"{ \"a\" :\t1,\r\n \"a\" : 2 }",
		`{"text":"<&>\u2028 \ud83d\ude00 ` + "\u2028" + `","n":1.00}`,
	}
	for _, event := range events {
		if _, err := c.AppendEvent(t.Context(), log, event, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.AppendEvent(t.Context(), log, map[string]any{"n": json.Number("0.10"), "t": "<"}, nil); err != nil {
		t.Fatal(err)
	}
	events = append(events, `{"n":0.10,"t":"<"}`)
	if got := stored(t, log); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", events) {
		t.Errorf("in pages: %q", got)
	}
	read := 0
	for e, err := range c.Tail(t.Context(), log, &tally.TailOptions{After: tally.Sequence(0)}) {
		if err != nil {
			t.Fatal(err)
		}
		one, err := c.GetEvent(t.Context(), log, e.Sequence)
		if err != nil || string(e.Bytes()) != events[read] || string(one.Bytes()) != events[read] || string(e.JSON()) == "" {
			t.Errorf("event %d: %q by tail, %q by itself, %v", e.Sequence, e.Bytes(), one.Bytes(), err)
		}
		if read++; read == len(events) {
			break
		}
	}
	first, err := c.GetEvent(t.Context(), log, 1)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := first.Decode(&values); err != nil || fmt.Sprint(values) != "map[big:9007199254740993 e:1e400 n:0.10 zero:-0.0]" {
		t.Errorf("decoded: %v, %v", values, err)
	}
	_, err = c.AppendEvent(t.Context(), log, `{}`, &tally.AppendOptions{ExpectedSequence: tally.Sequence(0)})
	var e *tally.Error
	if !errors.As(err, &e) || e.Code != "sequence_mismatch" || e.Head != 4 || e.Status != 409 || e.RequestID == "" {
		t.Errorf("not the expected sequence: %+v", e)
	}
	if _, err := c.AppendEvent(t.Context(), log, func() {}, nil); err == nil || errors.As(err, &e) && e.Code == tally.CodeConnection {
		t.Errorf("what JSON does not have: %v", err)
	}
}

// TestLaterServers: members, statuses, codes and kinds of messages that nobody knows yet break nothing.
func TestLaterServers(t *testing.T) {
	later := `"later":{"a":[1]},"status":"hibernating"`
	c := stranger(t, "", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/views"):
			_, _ = io.WriteString(w, `{"views":[{"name":"v","version":3,`+later+`}],"later":1}`)
		case strings.HasSuffix(r.URL.Path, "/append"):
			_, _ = io.WriteString(w, `{"sequence":7,"later":true}`)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, `{"status":418,"code":"code_of_tomorrow","detail":"d","fields":[{"message":"m","later":2}]}`)
		}
	})
	if views, err := c.ListViews(t.Context(), "acme"); err != nil || views[0].Status != "hibernating" || views[0].Version != 3 {
		t.Errorf("%+v, %v", views, err)
	}
	if a, err := c.AppendEvent(t.Context(), "acme", `{}`, nil); err != nil || a.Sequence != 7 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := c.GetLog(t.Context(), "acme"); !tally.IsCode(err, "code_of_tomorrow") || tally.IsTransient(err) {
		t.Errorf("%v", err)
	}
}

// TestHostileAnswers: what answers in place of a server can make a call fail, and neither hang, nor take memory without bound, nor panic.
func TestHostileAnswers(t *testing.T) {
	endless := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) {
		block := []byte(strings.Repeat(" ", 1<<20))
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	_, err := endless.GetLog(t.Context(), "acme")
	if !tally.IsCode(err, tally.CodeUnexpectedAnswer) || !strings.Contains(err.Error(), "larger") {
		t.Errorf("an answer without end: %v", err)
	}
	circle := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"logs":[],"keys":[],"next_cursor":"x"}`)
	})
	if _, err := tally.Collect(circle.Logs(t.Context(), "")); !tally.IsCode(err, tally.CodeUnexpectedAnswer) {
		t.Errorf("pages that lead to themselves: %v", err)
	}
	for _, body := range []string{"null", "[]", `"x"`, "{", `{"sequence":"7"}`, `{"log_id":7}`, "\x00", strings.Repeat("[", 100_000)} {
		c := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err := c.AppendEvent(t.Context(), "acme", `{}`, nil)
		if !tally.IsCode(err, tally.CodeUnexpectedAnswer) || len(err.Error()) > 1000 {
			t.Errorf("%.20q acknowledges an event: %.300v", body, err)
		}
	}
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "120": 2 * time.Minute, "999999999": time.Hour,
		"-1": 0, "soon": 0, "Wed, 21 Oct 2015 07:28:00 GMT": 0, "1.5": 0, "9e99": 0,
	} {
		c := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		var e *tally.Error
		if _, err := c.GetLog(t.Context(), "acme"); !errors.As(err, &e) || e.RetryAfter != want {
			t.Errorf("Retry-After %q: %+v", header, e)
		}
	}
}
