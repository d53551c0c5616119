package ingest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestRetriesOfWhatEarlierVersionsStored: earlier versions stored an event that has an id under the key that came beside it, if one did,
// and with the white space around it. A retry gets the first sequence all the same, from this server and from one that starts anew.
func TestRetriesOfWhatEarlierVersionsStored(t *testing.T) {
	d := testdb.New(t)
	n := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := n.NewLog(t)
	earlier := func(sent, key string) event.Event {
		e := testrig.Parse(t, `{}`, key)
		e.Data = []byte(sent)
		return e
	}
	n.Append(t, log,
		earlier("{\"id\":\"e1\",\"n\":1}", "first"),
		earlier(" {\"id\":\"e2\",\"n\":2}\n", "second"),
		earlier("{\"n\":3}\n", "third"),
		earlier("{\"id\":\"e1\",\"n\":4}", "e1")) // without another key: stored under its id
	retries := []struct {
		sent, key string
		sequence  int64
	}{
		{"{\"id\":\"e1\",\"n\":1}", "first", 1}, // the id belongs to another event by now
		{" {\"id\":\"e2\",\"n\":2}\n", "second", 2},
		{"{\"n\":3}\n", "third", 3},
		{"{\"id\":\"e1\",\"n\":4}", "", 4},
		{"{\"id\":\"e1\",\"n\":4}", "fourth", 4},
	}
	check := func(n *testrig.Node) {
		t.Helper()
		for _, r := range retries {
			for _, events := range [][]event.Event{
				{testrig.Parse(t, r.sent, r.key)},
				{testrig.Parse(t, r.sent, r.key), testrig.Parse(t, r.sent, r.key)},
			} {
				for _, p := range n.Append(t, log, events...) {
					if p != (ingest.Appended{Sequence: r.sequence, Duplicate: true}) {
						t.Errorf("%q with key %q, sent %d times, is at %+v, want the duplicate of %d",
							r.sent, r.key, len(events), p, r.sequence)
					}
				}
			}
		}
	}
	check(n)
	check(testrig.Start(t, d.DSN(), testrig.Settings{}))
	_, err := n.Ingest.Append(log, request(testrig.Parse(t, `{"id":"e1","n":5}`, "first")))
	var reused *ingest.KeyReusedError
	if !errors.As(err, &reused) || reused.Sequence != 4 {
		t.Errorf("the id with other bytes: %v", err)
	}
	// A key of an earlier event with other bytes says nothing of an event that has an id.
	for i := range 3 {
		e := testrig.Parse(t, fmt.Sprintf(`{"id":"new %d"}`, i), "third")
		if got := n.Append(t, log, e)[0]; got.Sequence != int64(5+i) || got.Duplicate {
			t.Errorf("a new event beside a key that is taken is at %+v", got)
		}
	}
}
