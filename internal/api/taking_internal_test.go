package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/source"
)

// TestBrokenConnections: that the database's connection broke off is not taken for the end of the body, which gateways would not send
// again.
func TestBrokenConnections(t *testing.T) {
	broken := fmt.Errorf("finding logs: %w", io.ErrUnexpectedEOF)
	taken := &taking{body: &arriving{}}
	for _, err := range []error{broken, fmt.Errorf("%w: %w", db.ErrUnavailable, broken)} {
		if p := taken.bodyProblem(err); p != nil {
			t.Errorf("%v is taken for %s", err, p.Code)
		}
	}
	taken.body.failure = io.ErrUnexpectedEOF
	if p := taken.bodyProblem(broken); p == nil || p.Code != "body_incomplete" {
		t.Errorf("a body that broke off is %v", p)
	}
}

// TestCommitsWhileReading: where there is no room to read on, what there is is committed in the middle of reading. That this fails with
// what ends a body, too, is not taken for its end either.
func TestCommitsWhileReading(t *testing.T) {
	mapping, err := source.Parse([]byte(`{"log":"l","id":null,"keep":true}`))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 1<<10)
	for path, body := range map[string]string{
		"/events": strings.Repeat(`{"text":"`+text+`"}`, 100),
		// Each record in a group of its own.
		"/v1/logs": strings.Repeat("\n\x8e\x08\x12\x8b\x08\x12\x88\x08\x2a\x85\x08\x0a\x82\x08"+text+"xx", 100),
	} {
		g := gatewayAt(path)
		room := memory.NewBook(64<<10, 0, time.Nanosecond).WithSmall(64 << 10).Hold()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
		from := &intake.Source{Name: "s", Mapping: mapping}
		taken := &taking{
			server: &server{}, gateway: *g, source: from, room: room, r: r,
			delivery: intake.New(nil, nil, nil).Deliver(from, intake.Sender{
				Sees: func(string) bool { return true }, Room: room, Still: func() error { return io.EOF },
			}, g.form),
		}
		taken.body = &arriving{
			ctx: t.Context(), body: strings.NewReader(body), announced: true, patience: time.Minute, still: func() error { return nil },
			connection: http.NewResponseController(httptest.NewRecorder()),
			bookHead:   func(bytes int64) error { return taken.book(t.Context(), &taken.head, bytes) },
		}
		if err := taken.read(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, after %d lines", path, err, taken.delivery.Lines())
		}
		if taken.delivery.Lines() == 0 {
			t.Errorf("%s: nothing was read before", path)
		}
	}
}
