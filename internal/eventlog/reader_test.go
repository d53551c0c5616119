package eventlog_test

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestPageLooksAtSoManyEvents: a filter that leaves nearly all events out does not make one page read a whole log.
func TestPageLooksAtSoManyEvents(t *testing.T) {
	const events, scanned = 300, 80
	node := testrig.Start(t, testdb.New(t).DSN(), testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	batch := make([]event.Event, events)
	for i := range batch {
		batch[i] = testrig.Parse(t, fmt.Sprintf(`{"type":%q}`, map[bool]string{true: "rare", false: "common"}[i%149 == 9]), "")
	}
	node.Append(t, log, batch...)
	reader := eventlog.NewReader(node.DB)
	head, err := reader.Head(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for q := (eventlog.Query{From: 1, Filter: db.EventFilter{Type: "rare"}}); ; {
		page, err := reader.Page(t.Context(), log, head, q, 100, scanned, nil)
		if err != nil {
			t.Fatal(err)
		}
		found := []int64{}
		for i := range page.Events {
			found = append(found, page.Events[i].Sequence)
		}
		got = append(got, fmt.Sprint(found, page.Through, page.Done))
		if q.From = page.Through + 1; page.Done || len(got) > events {
			break
		}
	}
	want := "[[10] 80 false [159] 160 false [] 240 false [] 300 true]"
	if fmt.Sprint(got) != want {
		t.Errorf("the pages are %v, want %v", got, want)
	}
}
