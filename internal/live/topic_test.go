package live

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/eventlog"
)

func recorded(from, to int64, data string) []eventlog.Recorded {
	var events []eventlog.Recorded
	for s := from; s <= to; s++ {
		events = append(events, eventlog.Recorded{Event: eventlog.Event{Data: []byte(data)}, Sequence: s})
	}
	return events
}

// TestRecent: whatever pages and commits a topic is given, what it hands out follows without a gap, and is bounded.
func TestRecent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	topic := newTopic()
	head := int64(0)
	for range 5000 {
		from := max(1, head-random.Int64N(3*recentEvents)+20)
		to := from + random.Int64N(300)
		lines := encode(recorded(from, to, `{}`))
		if random.IntN(10) == 0 && len(lines) > 2 { // rows that are missing
			lines = append(lines[:1:1], lines[2:]...)
		}
		topic.keep(lines)
		head = max(head, to)
		after := max(0, head-random.Int64N(2*recentEvents))
		for i, line := range topic.after(after) {
			if line.Sequence != after+1+int64(i) {
				t.Fatalf("after %d comes %d in place %d", after, line.Sequence, i)
			}
		}
		bytes := sizeOf(topic.recent)
		if len(topic.recent) > recentEvents || bytes != topic.bytes {
			t.Fatalf("%d events are kept; they have %d bytes, not %d", len(topic.recent), bytes, topic.bytes)
		}
	}
}

// TestRecentJoins: a page that was read from the log joins what was committed meanwhile, so that the next watcher need not read it.
func TestRecentJoins(t *testing.T) {
	topic := newTopic()
	topic.add(recorded(100, 105, `{}`))
	topic.keep(encode(recorded(90, 102, `{}`)))
	if lines := topic.after(89); len(lines) != 16 || topic.state.Sequence != 105 {
		t.Errorf("there are %d events after 89, and the log is at %d; want 16 and 105", len(lines), topic.state.Sequence)
	}
	topic.keep(encode(recorded(80, 88, `{}`))) // 89 is missing between
	if lines := topic.after(79); len(lines) != 0 {
		t.Errorf("after 79 come %d events, over a gap", len(lines))
	}
	topic.add(recorded(200, 4000, `{}`))
	if len(topic.recent) != recentEvents || topic.recent[recentEvents-1].Sequence != 4000 {
		t.Errorf("%d events are kept after a large batch", len(topic.recent))
	}
}

// TestRecentLargeEvents: the last event is kept however large it is, and large ones do not add up.
func TestRecentLargeEvents(t *testing.T) {
	topic := newTopic()
	large := `"` + strings.Repeat("x", 2*recentBytes) + `"`
	topic.add(recorded(1, 3, large))
	if lines := topic.after(2); len(lines) != 1 || len(topic.recent) != 1 {
		t.Errorf("%d events are kept, %d of them after 2; want the last one", len(topic.recent), len(lines))
	}
}
