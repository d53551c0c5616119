package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestGroupsAreBooked: what views set and read is booked before more is. Requests for which there is no room are refused, nothing of them
// is stored, and other logs' appends go on; in the end nothing is booked.
func TestGroupsAreBooked(t *testing.T) {
	const kib = 1 << 10
	room := memory.NewBook(4<<20, 0, 0)
	node, d := start(t, testrig.Settings{Room: room})
	greedy, quiet := newScripted(t, node), newScripted(t, node)
	value := `"` + strings.Repeat("x", 60*kib) + `"`
	setting := func(n int) []event.Event { // n values, each under a key of its own
		events := make([]event.Event, n)
		for i := range events {
			events[i] = testrig.Parse(t, testrig.ScriptEvent(testrig.Line("set", fmt.Sprint("k", i), value)), "")
		}
		return events
	}
	var appends sync.WaitGroup
	defer appends.Wait()
	for range 8 {
		answer := appendAsync(node, greedy, request(setting(100)...)) // 6 MB, twice
		appends.Go(func() {
			if r := <-answer; !errors.Is(r.err, memory.ErrFull) {
				t.Errorf("a request for more than there is: %d events, %v", len(r.placements), r.err)
			}
		})
		node.Append(t, quiet, scripts(t, 1, testrig.Line("set", "a", 1))...)
	}
	appends.Wait()
	node.Append(t, greedy, setting(10)...)
	if held, peak := room.Held(), room.Peak(); held != 0 || peak > 4<<20 || peak < 1<<20 {
		t.Errorf("%d bytes are booked in the end, %d were", held, peak)
	}
	logs := testrig.Check(t, d.DSN())
	if got := len(logs[greedy].Events); got != 10 {
		t.Errorf("the log has %d events", got)
	}
	if got := len(logs[quiet].Events); got != 8 {
		t.Errorf("the quiet log has %d events", got)
	}
}
