package live

import (
	"context"
	"sync"

	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// A topic keeps its log's last events for those who follow closely, so that a thousand of them cost one reading: this many, and
	// of this size together.
	recentEvents = 1024
	recentBytes  = 1 << 20
	// pageEvents is how many events a watcher that lags behind gets at once.
	pageEvents = 500
)

// topic is a log that somebody watches.
type topic struct {
	watchers int // guarded by the hub

	mu     sync.Mutex
	state  State
	moved  chan struct{} // closed when state is another
	recent []Line        // without a gap
	bytes  int

	reading sync.Mutex // held by the one watcher that reads recent events for all
}

// Line is an event as it is sent: one line of JSON.
type Line struct {
	Sequence int64
	Type     string
	JSON     []byte // never changes
}

func newTopic() *topic { return &topic{moved: make(chan struct{})} }

// move takes over what is newer in a state. t.mu is held.
func (t *topic) move(to State) {
	next := State{max(t.state.Sequence, to.Sequence), max(t.state.Epoch, to.Epoch)}
	if next == t.state {
		return
	}
	t.state = next
	close(t.moved)
	t.moved = make(chan struct{})
}

func (t *topic) moveTo(to State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.move(to)
}

// add takes over events that have been committed.
func (t *topic) add(events []eventlog.Recorded) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(events)
	t.move(State{Sequence: events[len(events)-1].Sequence})
}

// keep appends events that follow the recent ones, and lets go of the oldest. t.mu is held.
func (t *topic) keep(events []eventlog.Recorded) {
	for i := range events {
		e := &events[i]
		if n := len(t.recent); n > 0 && e.Sequence != t.recent[n-1].Sequence+1 {
			if e.Sequence <= t.recent[n-1].Sequence {
				continue
			}
			t.recent, t.bytes = nil, 0
		}
		line := Line{e.Sequence, e.Type, eventlog.AppendLine(nil, e)}
		t.recent = append(t.recent, line)
		t.bytes += len(line.JSON)
	}
	drop := 0
	for len(t.recent)-drop > recentEvents || t.bytes > recentBytes {
		t.bytes -= len(t.recent[drop].JSON)
		t.recent[drop] = Line{}
		drop++
	}
	t.recent = t.recent[drop:]
}

// after returns the recent events that follow a sequence; false when it is too long ago.
func (t *topic) after(sequence int64) ([]Line, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.recent)
	if n == 0 || sequence < t.recent[0].Sequence-1 || sequence >= t.recent[n-1].Sequence {
		return nil, false
	}
	lines := t.recent[sequence+1-t.recent[0].Sequence:]
	return append([]Line(nil), lines[:min(len(lines), pageEvents)]...), true
}

// Events returns some of the events that follow a sequence: none when there are none yet.
func (w *Watch) Events(ctx context.Context, after int64) ([]Line, error) {
	t := w.topic
	state, _ := w.State()
	if after >= state.Sequence {
		return nil, nil
	}
	if lines, ok := t.after(after); ok {
		return lines, nil
	}
	near := state.Sequence-after <= recentEvents
	if near { // one reads for all
		t.reading.Lock()
		defer t.reading.Unlock()
		if lines, ok := t.after(after); ok {
			return lines, nil
		}
	}
	head, err := w.hub.reader.Head(ctx, w.log)
	if err != nil {
		return nil, err
	}
	page, err := w.hub.reader.Page(ctx, w.log, head, eventlog.Query{From: after + 1}, pageEvents, pageEvents)
	if err != nil {
		return nil, err
	}
	if near {
		t.mu.Lock()
		t.keep(page.Events)
		t.mu.Unlock()
	}
	lines := make([]Line, len(page.Events))
	for i := range page.Events {
		e := &page.Events[i]
		lines[i] = Line{e.Sequence, e.Type, eventlog.AppendLine(nil, e)}
	}
	return lines, nil
}
