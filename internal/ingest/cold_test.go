package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestColdStatesAreBooked appends to many logs with large states at once after a restart. The server loads no more of their states than it
// has room for and reads the rest key by key, and every view goes on from where it was.
func TestColdStatesAreBooked(t *testing.T) {
	const kib, logs, keys = 1 << 10, 24, 16
	before, d := start(t, testrig.Settings{})
	value := `"` + strings.Repeat("x", 50*kib) + `"`
	set := make([]event.Event, keys)
	for i := range set {
		set[i] = testrig.Parse(t, testrig.ScriptEvent(testrig.Line("set", fmt.Sprint("k", i), value)), "")
	}
	all := make([]uuid.UUID, logs)
	for i := range all { // 800 KB each
		all[i] = newScripted(t, before)
		before.Append(t, all[i], set...)
	}
	huge := newScripted(t, before) // more than is held of a state
	for batch := range 4 {
		for i := range set {
			set[i] = testrig.Parse(t, testrig.ScriptEvent(testrig.Line("set", fmt.Sprint("k", batch*keys+i), value)), "")
		}
		before.Append(t, huge, set...)
	}
	before.Stop(t)

	loads := memory.NewBook(4<<20, 0, 0)
	node := testrig.Start(t, d.DSN(), testrig.Settings{Loads: loads})
	answers := make([]<-chan result, 0, logs+1)
	for _, log := range append(all, huge) {
		script := testrig.ScriptEvent(testrig.Line("copy", "k3", "copied"), testrig.Line("scan", "", "", 4, 3, "seen"))
		answers = append(answers, appendAsync(node, log, request(testrig.Parse(t, script, ""))))
	}
	for i, answer := range answers {
		if r := <-answer; r.err != nil {
			t.Errorf("log %d: %v", i, r.err)
		}
	}
	if held, peak := loads.Held(), loads.Peak(); held != 0 || peak > 4<<20 || peak < 500*kib {
		t.Errorf("%d bytes are booked in the end, %d were", held, peak)
	}
	testrig.Check(t, d.DSN())
}

// TestMissingKeysAreBooked: what views read of states that are not in memory is booked before it is held. Logs that a group has no room for
// wait for the next; a request that needs more than all the room is refused, and others go on.
func TestMissingKeysAreBooked(t *testing.T) {
	const kib, logs, keys = 1 << 10, 12, 40
	before, d := start(t, testrig.Settings{FoldGas: 900_000_000})
	value := `"` + strings.Repeat("x", 50*kib) + `"`
	copies := func(n int) event.Event {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = testrig.Line("copy", fmt.Sprint("k", i), "copied")
		}
		return testrig.Parse(t, testrig.ScriptEvent(lines...), "")
	}
	all := make([]uuid.UUID, logs)
	for i := range all { // 2 MB each, of which nothing is held
		all[i] = newScripted(t, before)
		for from := 0; from < keys; from += 8 {
			set := make([]event.Event, 8)
			for j := range set {
				set[j] = testrig.Parse(t, testrig.ScriptEvent(testrig.Line("set", fmt.Sprint("k", from+j), value)), "")
			}
			before.Append(t, all[i], set...)
		}
	}
	before.Stop(t)

	room := memory.NewBook(4<<20, 0, 0)
	node := testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 1, Room: room})
	var answers []<-chan result
	for _, log := range all {
		// 600 KB to read, and twice that to write: there is room for one of them.
		answers = append(answers, appendAsync(node, log, request(copies(12))))
	}
	for i, answer := range answers {
		if r := <-answer; r.err != nil {
			t.Errorf("log %d: %v", i, r.err)
		}
	}
	greedy := appendAsync(node, all[0], request(copies(keys)))
	node.Append(t, all[1], copies(3))
	if r := <-greedy; !errors.Is(r.err, memory.ErrFull) {
		t.Errorf("a request that reads more than there is room for: %v", r.err)
	}
	scan := testrig.Parse(t, testrig.ScriptEvent(testrig.Line("scan", "k", "", keys, keys, "seen")), "") // which writes next to nothing
	if r := <-appendAsync(node, all[2], request(scan)); !errors.Is(r.err, memory.ErrFull) {
		t.Errorf("a request that scans more than there is room for: %v", r.err)
	}
	if held, peak := room.Held(), room.Peak(); held != 0 || peak > 4<<20 || peak < 500*kib {
		t.Errorf("%d bytes are booked in the end, %d were", held, peak)
	}
	testrig.Check(t, d.DSN())
}
