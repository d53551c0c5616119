package view_test

import (
	"fmt"
	"hash/fnv"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestQueriesWarmMemory: a server that was started anew answers from memory once a log at rest is asked a second time, and does not load
// one that moves from query to query.
func TestQueriesWarmMemory(t *testing.T) {
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Append(t, log, counted(t, 0, 20)...)
	anew := testrig.Start(t, d.DSN(), testrig.Settings{})
	ask := func(want string, sequence int64) {
		t.Helper()
		answer, err := anew.Views.Query(t.Context(), log, "v", "get\tlast", nil)
		if err != nil || string(answer.Body) != want || answer.Sequence != sequence {
			t.Errorf("%s at %d, %v; want %s at %d", answer.Body, answer.Sequence, err, want, sequence)
		}
	}
	for i := range 3 {
		ask("null", 20+int64(i)) // the key that last is copied from is not there yet
		if anew.Views.Cached(log) != nil {
			t.Fatal("a log that moves was loaded")
		}
		node.Append(t, log, script(t, line("set", "k", "1")))
	}
	for i, known := range []bool{false, true, true} {
		ask("null", 23)
		if s := anew.Views.Cached(log); (s != nil) != known || known && s.Head.Sequence != 23 {
			t.Errorf("after query %d of a log at rest memory has %+v", i+1, s)
		}
	}
	// Behind another server's append, the same.
	node.Append(t, log, script(t, line("set", "last", "7")))
	for range 2 {
		ask("7", 24)
	}
	if s := anew.Views.Cached(log); s == nil || s.Head.Sequence != 24 {
		t.Errorf("memory stays at %+v", s)
	}
}

// TestLargeStatesWhileAppending asks for all of a state that memory holds in part, in several pages, while it changes: the pages are of one
// head, the one that the answer says.
func TestLargeStatesWhileAppending(t *testing.T) {
	const keys = 2000
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	var events []event.Event
	for i := range keys {
		events = append(events, script(t, line("set", fmt.Sprintf("p%04d", i), "0")))
	}
	node.Append(t, log, events...)

	// Two of these are too much for the head row, which is read with the head.
	large := func(n int64) string { return fmt.Sprintf(`"%0800d"`, n) }
	want := func(sequence int64) string {
		h := fnv.New64a()
		for i := range keys {
			value := "0"
			if i == 0 || i == keys-1 {
				value = large(sequence - keys)
			}
			fmt.Fprintf(h, "p%04d\x00%s\x00", i, value)
		}
		return fmt.Sprintf(`{"entries":%d,"digest":"%020d"}`, keys, h.Sum64())
	}
	done := make(chan struct{})
	var appends sync.WaitGroup
	appends.Go(func() {
		for n := int64(1); ; n++ {
			select {
			case <-done:
				return
			default:
				node.Append(t, log, script(t, line("set", "p0000", large(n)), line("set", fmt.Sprintf("p%04d", keys-1), large(n))))
			}
		}
	})
	for range 100 {
		answer, err := node.Views.Query(t.Context(), log, "v", fmt.Sprintf("scan\tp\t\t%d\t300", keys+10), nil)
		if err != nil || answer.Sequence > keys && string(answer.Body) != want(answer.Sequence) {
			t.Errorf("%s at %d, %v; want %s", answer.Body, answer.Sequence, err, want(answer.Sequence))
		}
	}
	close(done)
	appends.Wait()
	testrig.Check(t, d.DSN())
}
