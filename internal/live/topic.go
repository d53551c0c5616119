package live

import (
	"context"
	"slices"
	"sync"

	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// A topic keeps its log's last events for those who follow closely, so that a thousand of them cost one reading: this many, and
	// of this size together, but always the last one.
	recentEvents = 1024
	recentBytes  = 1 << 20
	// A watcher that lags behind gets about pageBytes at once, and never more than pageEvents; firstPageEvents while nothing is known of
	// their size. Whoever is slow to take them holds them meanwhile.
	pageBytes       = 256 << 10
	pageEvents      = 500
	firstPageEvents = 32
)

// topic is a log that somebody watches.
type topic struct {
	watchers int // guarded by the hub

	mu         sync.Mutex
	state      State
	moved      chan struct{} // closed when state is another
	recent     []Line        // without a gap
	bytes      int           // of recent
	eventBytes int           // of an event of the page that was read last; 0 when there was none

	reading chan struct{} // holds one while a watcher reads recent events for all
}

// Line is an event as it is sent: one line of JSON.
type Line struct {
	Sequence int64
	Type     string
	JSON     []byte // never changes
}

func newTopic() *topic { return &topic{moved: make(chan struct{}), reading: make(chan struct{}, 1)} }

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
	lines := encode(events[max(0, len(events)-recentEvents):])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(lines)
	t.move(State{Sequence: events[len(events)-1].Sequence})
}

func encode(events []eventlog.Recorded) []Line {
	lines := make([]Line, len(events))
	for i := range events {
		e := &events[i]
		lines[i] = Line{e.Sequence, e.Type, eventlog.AppendLine(nil, e)}
	}
	return lines
}

func sizeOf(lines []Line) (bytes int) {
	for i := range lines {
		bytes += len(lines[i].JSON)
	}
	return bytes
}

// keep joins lines to the recent ones that they touch or overlap, or puts them in their place when they are newer, and lets go of the
// oldest. t.mu is held.
func (t *topic) keep(lines []Line) {
	if len(lines) == 0 || lines[len(lines)-1].Sequence-lines[0].Sequence != int64(len(lines)-1) {
		return // rows are missing: what is kept has no gap
	}
	if len(t.recent) > 0 {
		oldest, newest := t.recent[0].Sequence, t.recent[len(t.recent)-1].Sequence
		first, last := lines[0].Sequence, lines[len(lines)-1].Sequence
		switch {
		case last < oldest-1:
			return
		case first > newest+1:
			t.recent, t.bytes = nil, 0
		default:
			before := lines[:min(max(oldest-first, 0), int64(len(lines)))]
			lines = lines[min(max(newest+1-first, 0), int64(len(lines))):]
			if len(before) > 0 {
				t.recent = slices.Concat(before, t.recent)
				t.bytes += sizeOf(before)
			}
		}
	}
	t.recent = append(t.recent, lines...)
	t.bytes += sizeOf(lines)
	drop := 0
	for len(t.recent)-drop > recentEvents || t.bytes > recentBytes && len(t.recent)-drop > 1 {
		t.bytes -= len(t.recent[drop].JSON)
		t.recent[drop] = Line{}
		drop++
	}
	t.recent = t.recent[drop:]
}

// after returns the recent events that follow a sequence; none when it is too long ago.
func (t *topic) after(sequence int64) []Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.recent)
	if n == 0 || sequence < t.recent[0].Sequence-1 || sequence >= t.recent[n-1].Sequence {
		return nil
	}
	lines := t.recent[sequence+1-t.recent[0].Sequence:]
	return slices.Clone(lines[:min(len(lines), pageEvents)])
}

// Events returns some of the events that follow a sequence, and the last sequence that was looked at: the same when there is nothing yet.
func (w *Watch) Events(ctx context.Context, after int64) (_ []Line, through int64, _ error) {
	t := w.topic
	state, _ := w.State()
	if after >= state.Sequence {
		return nil, after, nil
	}
	if lines := t.after(after); len(lines) > 0 {
		return lines, lines[len(lines)-1].Sequence, nil
	}
	if state.Sequence-after > recentEvents {
		return w.read(ctx, after)
	}
	select { // one reads for all
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return nil, after, ctx.Err()
	}
	if lines := t.after(after); len(lines) > 0 {
		return lines, lines[len(lines)-1].Sequence, nil
	}
	lines, through, err := w.read(ctx, after)
	if err == nil {
		t.mu.Lock()
		t.keep(lines)
		t.mu.Unlock()
	}
	return lines, through, err
}

// read reads a page from the log.
func (w *Watch) read(ctx context.Context, after int64) (_ []Line, through int64, _ error) {
	head, err := w.hub.reader.Head(ctx, w.log)
	if err != nil {
		return nil, after, err
	}
	limit := w.topic.pageEvents()
	page, err := w.hub.reader.Page(ctx, w.log, head, eventlog.Query{From: after + 1}, limit, int64(limit))
	if err != nil {
		return nil, after, err
	}
	lines := encode(page.Events)
	if len(lines) > 0 {
		w.topic.sized(sizeOf(lines)/len(lines) + 1)
	}
	return lines, max(page.Through, after), nil
}

// pageEvents is how many events make a page of the wanted size, as far as is known.
func (t *topic) pageEvents() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.eventBytes == 0 {
		return firstPageEvents
	}
	return min(max(pageBytes/t.eventBytes, 1), pageEvents)
}

func (t *topic) sized(eventBytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.eventBytes = eventBytes
}
