package live_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestRecentEventsAreBooked: however many logs are watched, their recent events stay within the limit. Watchers get every event all the
// same, and in the end nothing is booked.
func TestRecentEventsAreBooked(t *testing.T) {
	const kib, logs, events = 1 << 10, 16, 12
	settings := config(never)
	settings.Recent = memory.NewBook(512*kib, 0, 0)
	node := testrig.Start(t, testdb.New(t).DSN(), testrig.Settings{Live: settings})
	var following sync.WaitGroup
	var watches []*live.Watch
	for i := range logs {
		log := node.NewLog(t)
		watch, err := node.Live.Watch(log)
		if err != nil {
			t.Fatal(err)
		}
		watches = append(watches, watch)
		if _, err := watch.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
		following.Go(func() {
			if _, err := followFor(t.Context(), watch, 0, events); err != nil {
				t.Errorf("log %d: %v", i, err)
			}
		})
		following.Go(func() {
			event := testrig.Parse(t, `{"text":"`+strings.Repeat("x", 60*kib)+`"}`, "")
			for range events { // 700 KB
				node.Append(t, log, event)
			}
		})
	}
	following.Wait()
	if peak := settings.Recent.Peak(); peak > 512*kib || peak < 128*kib {
		t.Errorf("%d bytes were booked", peak)
	}
	for _, watch := range watches {
		watch.Close()
	}
	if held := settings.Recent.Held(); held != 0 {
		t.Errorf("%d bytes stay booked", held)
	}
}

// TestWatchersAreBooked: what a watcher holds for a client is booked, whether read or recent, and bounded, however large the events.
// Without room there is an error, after which the watcher continues where it was.
func TestWatchersAreBooked(t *testing.T) {
	const kib, events = 1 << 10, 40
	node := testrig.Start(t, testdb.New(t).DSN(), testrig.Settings{Live: config(never)})
	log := node.NewLog(t)
	for i := range events {
		node.Append(t, log, testrig.Parse(t, fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("x", 200*kib)), ""))
	}
	watch, err := node.Live.Watch(log)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	if _, err := watch.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	small := memory.NewBook(100*kib, 0, 0)
	book := memory.NewBook(8<<20, 0, 0)
	room, none := book.Hold(), small.Hold()
	var at live.Position
	for at.Sequence < events {
		if _, through, err := watch.Events(t.Context(), at, none); !errors.Is(err, memory.ErrFull) || through != at || small.Held() != 0 {
			t.Fatalf("without room after %d: through %d, %v, %d bytes booked", at.Sequence, through.Sequence, err, small.Held())
		}
		lines, through, err := watch.Events(t.Context(), at, room)
		if err != nil || len(lines) == 0 {
			t.Fatalf("after %d there are %d lines, %v", at.Sequence, len(lines), err)
		}
		if bytes := int64(len(lines) * 200 * kib); room.Bytes() < bytes || room.Bytes() > bytes+64*kib || bytes > 2<<20 {
			t.Errorf("after %d: %d lines, for which %d bytes are booked", at.Sequence, len(lines), room.Bytes())
		}
		at = through
	}
	if _, _, err := watch.Events(t.Context(), at, room); err != nil || book.Held() != 0 {
		t.Errorf("at the end %d bytes are booked, %v", book.Held(), err)
	}
	if peak := book.Peak(); peak > 6<<20 {
		t.Errorf("%d bytes were booked", peak)
	}
}
