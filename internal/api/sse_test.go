package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// parsed reads a stream of events as HTML's section 9.2.6 has it.
func parsed(stream string) (messages []string) {
	stream = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(stream)
	var data []string
	event, id := "", ""
	for line := range strings.SplitSeq(stream, "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != nil:
			messages = append(messages, id+"|"+event+"|"+strings.Join(data, "\n"))
			data, event = nil, ""
		case name == "data":
			data = append(data, value)
		case name == "event":
			event = value
		case name == "id":
			id = value
		}
	}
	return messages
}

// FuzzSSE: whatever an answer holds, a client reads it as one message, with nothing changed but the form of its line breaks.
func FuzzSSE(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "a\nb", "a\r\nb\r", "\n\n", "x\rid: 9\revent: end\r\rdata: y", ": not a comment", strings.Repeat("long\n", 20_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		out := newSSE(w, time.Minute, nil)
		err := errors.Join(
			out.begin("a comment", 7), out.add(8, "answer", data), out.heartbeat(9), out.add(noID, "end", []byte("{}")), out.flush(),
		)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
		got := parsed(w.Body.String())
		if len(got) != 2 || got[0] != "8|answer|"+want || got[1] != "9|end|{}" {
			t.Errorf("%q is read as %q", data, got)
		}
		if cap(out.buf) > 2*sseChunkBytes {
			t.Errorf("the stream keeps %d bytes for its next message", cap(out.buf))
		}
	})
}

// deadlines is a recorder that takes deadlines, as a connection does.
type deadlines struct{ *httptest.ResponseRecorder }

func (*deadlines) SetWriteDeadline(time.Time) error { return nil }

// TestWatcherThatHasGone: when a client goes away while a query runs for all who watch it, no other watcher notices.
func TestWatcherThatHasGone(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "totals", views.MonthlyTotals(), "{}")
	s := &server{Services: Services{Views: node.Views}}
	ctx, cancel := context.WithCancel(t.Context())
	leaving := func(ctx context.Context, log uuid.UUID, name, query string, room *memory.Hold) (view.Answer, error) {
		cancel() // the client does, once the query runs
		return s.Views.Query(ctx, log, name, query, room)
	}
	if outcome, err := s.ask(ctx, leaving, live.QueryKey{Log: log, View: "totals"}); err == nil {
		t.Errorf("all watchers get %s", outcome.Body)
	}
}
