package live

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// history is a log as it might be in a database: all of its events.
type history struct{ events []event.Recorded }

func (h *history) head(log uuid.UUID) event.Head {
	if n := len(h.events); n > 0 {
		return event.Head{Sequence: int64(n), Hash: h.events[n-1].Hash}
	}
	return event.Head{Hash: event.Genesis(log)}
}

// grow appends n events with that data, and returns them.
func (h *history) grow(log uuid.UUID, n int, data string) []event.Recorded {
	var chain event.Chainer
	before, head := len(h.events), h.head(log)
	for range n {
		var e event.Recorded
		e, head = chain.Next(head, event.Event{Data: []byte(data)}, 0)
		h.events = append(h.events, e)
	}
	return h.events[before:]
}

// between returns the events from one sequence to another.
func (h *history) between(from, to int64) []event.Recorded {
	return h.events[max(from, 1)-1 : min(to, int64(len(h.events)))]
}

func (h *history) at(sequence int64) Position {
	if sequence == 0 {
		return Position{}
	}
	return Position{sequence, h.events[sequence-1].Hash}
}

// read has a topic learn what a read of the log finds after a sequence.
func (t *topic) read(h *history, after int64, n int) {
	t.learn(t.version(), encode(h.between(after, after+int64(n))), true, stateOf(h.head(t.log)))
}

// TestRecent feeds a topic random pages and commits, of a log that other servers also move and that is set back now and then. The events
// that it returns follow the position, without gaps and in its history, and what it keeps is bounded.
func TestRecent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	log := uuid.New()
	topic := newTopic(log, nil)
	h := &history{}
	given := 0
	for step := range 3000 {
		switch random.IntN(12) {
		case 0, 1, 2, 3: // appended here
			topic.add(h.grow(log, 1+random.IntN(40), `{}`))
		case 4, 5: // appended elsewhere, with or without a notification
			h.grow(log, 1+random.IntN(20), `{}`)
			if random.IntN(2) == 0 {
				topic.hear(int64(len(h.events)))
			}
		case 6, 7, 8:
			after := max(0, int64(len(h.events))-random.Int64N(recentEvents))
			topic.read(h, after, random.IntN(300))
		case 9:
			topic.observe(topic.version(), stateOf(h.head(log)))
		case 10: // a page with missing rows
			lines := encode(h.between(int64(len(h.events))-20, int64(len(h.events))))
			if len(lines) > 2 {
				topic.learn(topic.version(), append(lines[:1:1], lines[2:]...), true, stateOf(h.head(log)))
			}
		case 11:
			if random.IntN(4) > 0 {
				continue
			}
			h = &history{slices.Clone(h.events[:max(0, len(h.events)-random.IntN(50))])} // set back: another history branches off
			h.grow(log, random.IntN(60), fmt.Sprint(step))
			if random.IntN(2) == 0 {
				topic.add(h.grow(log, 1, `{}`))
				continue
			}
			topic.observe(topic.version(), stateOf(h.head(log))) // as a poll finds within a second
		}
		after := max(0, int64(len(h.events))-random.Int64N(2*recentEvents))
		for i, line := range topic.after(h.at(after)) {
			given++
			if at := after + 1 + int64(i); line.Sequence != at || line.position() != h.at(at) {
				t.Fatalf("step %d: after %d comes %d in place %d, of another history: %t",
					step, after, line.Sequence, i, line.position() != h.at(at))
			}
		}
		if bytes := sizeOf(topic.recent.lines); len(topic.recent.lines) > recentEvents || bytes != topic.recent.bytes {
			t.Fatalf("%d events are kept; they have %d bytes, not %d", len(topic.recent.lines), bytes, topic.recent.bytes)
		}
	}
	if given < 10_000 {
		t.Errorf("only %d events were given out: the test did not try what it is for", given)
	}
}

// TestRecentJoins: a page that was read joins what was committed meanwhile, so that the next watcher need not read it.
func TestRecentJoins(t *testing.T) {
	log := uuid.New()
	topic := newTopic(log, nil)
	h := &history{}
	h.grow(log, 99, `{}`)
	topic.add(h.grow(log, 6, `{}`))
	topic.read(h, 90, 12)
	if lines := topic.after(h.at(90)); len(lines) != 15 || topic.state.Sequence != 105 {
		t.Errorf("there are %d events after 90, and the log is at %d; want 15 and 105", len(lines), topic.state.Sequence)
	}
	topic.read(h, 80, 8) // 89 is missing
	if lines := topic.after(h.at(80)); len(lines) != 0 {
		t.Errorf("after 80 come %d events, over a gap", len(lines))
	}
	topic.add(h.grow(log, 4000, `{}`))
	if lines := topic.recent.lines; len(lines) != recentEvents || lines[recentEvents-1].Sequence != 4105 {
		t.Errorf("%d events are kept after a large batch", len(lines))
	}
	if lines := topic.after(h.at(4105 - recentEvents)); len(lines) == 0 {
		t.Error("what is kept cannot be reached by whoever has all before it")
	}
}

// TestRecentLargeEvents: the last event is kept however large it is, and large events do not add up.
func TestRecentLargeEvents(t *testing.T) {
	log := uuid.New()
	topic := newTopic(log, nil)
	h := &history{}
	topic.add(h.grow(log, 3, `"`+strings.Repeat("x", 2*recentBytes)+`"`))
	if lines := topic.after(h.at(2)); len(lines) != 1 || len(topic.recent.lines) != 1 {
		t.Errorf("%d events are kept, %d of them after 2; want the last one", len(topic.recent.lines), len(lines))
	}
}

// TestStateOfRaces: what was read is older than what was committed meanwhile, and newer than what was known before.
func TestStateOfRaces(t *testing.T) {
	log := uuid.New()
	topic := newTopic(log, nil)
	h := &history{}
	topic.add(h.grow(log, 10, `{}`))
	version, found := topic.version(), stateOf(h.head(log))
	topic.add(h.grow(log, 1, `{}`))
	found.Epoch = 7
	if topic.observe(version, found); topic.state.Sequence != 11 || topic.state.Epoch != 7 {
		t.Errorf("a head that was read before event 11 was committed makes the state %+v", topic.state)
	}
	h.events = h.events[:5]
	if topic.observe(topic.version(), stateOf(h.head(log))); topic.state.Sequence != 5 || topic.state.Epoch != 0 {
		t.Errorf("the log ends at 5 now; the state is %+v", topic.state)
	}
	if lines := topic.after(h.at(5)); len(lines) > 0 {
		t.Errorf("%d events are handed out that are no more", len(lines))
	}
	if topic.hear(3); topic.state.Sequence != 5 {
		t.Errorf("an old notification makes the state %+v", topic.state)
	}
}
