package live

import (
	"context"
	"sync"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// A watcher that lags behind gets about pageBytes at once, and never more than pageEvents; firstPageEvents while nothing is known of
// their size. Whoever is slow to take them holds them meanwhile.
const (
	pageBytes       = 256 << 10
	pageEvents      = 500
	firstPageEvents = 32
	// readBytes ends what is read for that: the first event of it was sent before, and however large it is another one must follow.
	readBytes = pageBytes + event.MaxBytes
	// eventsAndLines is what a page takes while its lines are made of it, in terms of its events.
	eventsAndLines = 2
)

// topic is a watched log.
//
// What is committed here is true: its transaction compared the hash of all that came before. What other servers tell is a hint. What was
// read from the database was true then; it counts as it is where nothing else was heard meanwhile, also where it takes the log back.
type topic struct {
	log      uuid.UUID
	watchers int // guarded by the hub

	mu     sync.Mutex
	state  State
	moved  chan struct{} // closed when state is another
	recent recent
	room   *memory.Hold // of recent
	// doubted tells that the recent events may be of a history that is gone, as when another server has moved the log. They are not
	// handed out until a reading has shown that they are in it.
	doubted    bool
	chain      event.Chainer
	eventBytes int // of an event of the page that was read last; 0 when there was none

	reading chan struct{} // holds one while a watcher reads recent events for all
}

func newTopic(log uuid.UUID, room *memory.Hold) *topic {
	return &topic{log: log, room: room, moved: make(chan struct{}), reading: make(chan struct{}, 1)}
}

// close releases the memory of a topic that nobody watches any more.
func (t *topic) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.clear()
	t.room.Release()
	t.room = nil // what a lane may still add is garbage
}

func (t *topic) version() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state.Version
}

// become sets the state. t.mu is held.
func (t *topic) become(next State) {
	next.Version = t.state.Version
	if next == t.state {
		return
	}
	next.Version++
	t.state = next
	close(t.moved)
	t.moved = make(chan struct{})
}

// hear notes a sequence that another server notified us of: a hint.
func (t *topic) hear(sequence int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sequence > t.state.Sequence {
		t.doubted = true
		t.become(State{Sequence: sequence, Epoch: t.state.Epoch})
	}
}

// observe takes over a state that was read from the database when version was the one of what was known.
func (t *topic) observe(version uint64, found State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.Version != version && found.Sequence <= t.state.Sequence { // more was heard meanwhile, but nothing of views
		found = State{Sequence: t.state.Sequence, Hash: t.state.Hash, Epoch: max(t.state.Epoch, found.Epoch)}
	}
	line := t.recent.at(found.Sequence)
	kept := line != nil && !t.doubted && line.Hash == found.Hash && line == t.recent.newest()
	if kept && found.Sequence == t.state.Sequence && t.state.Hash == (event.Hash{}) && found.Epoch == t.state.Epoch {
		t.state.Hash = found.Hash // which whoever has the last event knows: nothing is new
		return
	}
	if !kept && (found.Sequence != t.state.Sequence || found.Hash != t.state.Hash) {
		t.doubted = true
	}
	t.become(found)
}

// add takes over events that have been committed here.
func (t *topic) add(events []event.Recorded) {
	lines := encode(lastOf(events))
	last := lines[len(lines)-1]
	t.mu.Lock()
	defer t.mu.Unlock()
	before := Position{Sequence: lines[0].Sequence - 1}
	if len(lines) == len(events) {
		before = t.preceding(&events[0])
	} else {
		before.Hash = events[len(events)-len(lines)-1].Hash
	}
	contradicted := t.recent.relate(before, lines) == contrary
	t.join(before, lines)
	if last.Sequence >= t.state.Sequence || contradicted {
		t.become(State{Sequence: last.Sequence, Hash: last.Hash, Epoch: t.state.Epoch})
	}
}

// lastOf are the last of the events, as many as a topic keeps.
func lastOf(events []event.Recorded) []event.Recorded {
	from, bytes := len(events), 0
	for from > 0 && len(events)-from < recentEvents && bytes < recentBytes {
		from--
		bytes += len(events[from].Data)
	}
	return events[from:]
}

// preceding is the position before an event, if it is one that is known here. t.mu is held.
func (t *topic) preceding(e *event.Recorded) Position {
	p := Position{Sequence: e.Sequence - 1}
	known := make([]event.Hash, 0, 2)
	if t.state.Sequence == p.Sequence {
		known = append(known, t.state.Hash)
	}
	if line := t.recent.at(p.Sequence); line != nil {
		known = append(known, line.Hash)
	}
	for _, hash := range known {
		if t.chain.Link(hash, e) == e.Hash {
			p.Hash = hash
			break
		}
	}
	return p
}

// join joins lines that are true to the recent ones, whose doubts they may end. t.mu is held.
func (t *topic) join(before Position, lines []Line) {
	if !gapless(lines) { // rows are missing
		return
	}
	if t.doubted {
		if t.recent.relate(before, lines) == agreeing {
			t.recent.cut(min(lines[len(lines)-1].Sequence, t.recent.newest().Sequence)) // nothing tells of what is after
		} else {
			t.recent.clear()
		}
		t.doubted = false
	}
	t.recent.keep(before, lines)
	t.recent.fit(t.room)
}

// after returns the recent events that follow a position; none when it is too long ago, or nothing tells that they do.
func (t *topic) after(p Position) []Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.doubted {
		return nil
	}
	return t.recent.after(p, pageEvents)
}

// Events returns some of the events that follow a position, and the one after the last that was looked at: the same when there is nothing
// yet. They are in memory that is room's until the next call; nil: nobody's. The error is a *GoneError where the log does not lead there
// any more, memory.ErrFull, eventlog.ErrLogNotFound, or the database's.
func (w *Watch) Events(ctx context.Context, after Position, room *memory.Hold) (lines []Line, through Position, err error) {
	room.Shrink(0)
	defer func() {
		if err != nil {
			room.Shrink(0)
		}
	}()
	t := w.topic
	state, _ := w.State()
	if after.Sequence == state.Sequence && after.is(state.Hash) {
		return nil, after, nil
	}
	if lines, through, err = t.booked(after, room); len(lines) > 0 || err != nil {
		return lines, through, err
	}
	if state.Sequence-after.Sequence > recentEvents {
		return w.read(ctx, after, false, room)
	}
	select { // one reads for all
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return nil, after, ctx.Err()
	}
	if lines, through, err = t.booked(after, room); len(lines) > 0 || err != nil {
		return lines, through, err
	}
	return w.read(ctx, after, true, room)
}

// booked is after for a watcher, who holds the lines for as long as their client takes, when the topic may not have them any more.
func (t *topic) booked(after Position, room *memory.Hold) (_ []Line, through Position, _ error) {
	lines := t.after(after)
	if len(lines) == 0 {
		return nil, after, nil
	}
	if err := room.TryGrow(linesBytes(lines, sizeOf(lines))); err != nil {
		return nil, after, err
	}
	return lines, lines[len(lines)-1].position(), nil
}

// read reads a page from the log, beginning with the event of the position: it shows whether the log still leads there.
func (w *Watch) read(ctx context.Context, after Position, keep bool, room *memory.Hold) (_ []Line, through Position, _ error) {
	version := w.topic.version()
	head, err := w.hub.reader.Head(ctx, w.log)
	if err != nil {
		return nil, after, err
	}
	if head.Sequence < after.Sequence || head.Sequence == after.Sequence && !after.is(head.Hash) {
		w.topic.observe(version, stateOf(head))
		return nil, after, &GoneError{after.Sequence, head.Sequence}
	}
	limit := w.topic.pageEvents() + 1
	query := eventlog.Query{From: max(after.Sequence, 1), PageBytes: readBytes}
	page, err := w.hub.reader.Page(ctx, w.log, head, query, limit, int64(limit), room)
	if err == nil {
		err = room.TryGrow(eventsAndLines * room.Bytes())
	}
	if err != nil {
		return nil, after, err
	}
	lines := encode(page.Events)
	defer func() { room.Shrink(linesBytes(lines, sizeOf(lines))) }()
	if len(lines) > 0 {
		w.topic.sized(sizeOf(lines)/len(lines) + 1)
	}
	w.topic.learn(version, lines, keep, stateOf(head))
	if len(lines) > 0 && lines[0].Sequence == after.Sequence {
		if !after.is(lines[0].Hash) {
			return nil, after, &GoneError{after.Sequence, head.Sequence}
		}
		after = lines[0].position()
		lines[0] = Line{} // which is held by nobody
		lines = lines[1:]
	}
	switch {
	case len(lines) > 0 && lines[len(lines)-1].Sequence >= page.Through:
		return lines, lines[len(lines)-1].position(), nil
	case page.Through > after.Sequence: // rows are missing
		return lines, Position{Sequence: page.Through}, nil
	}
	return lines, after, nil
}

// learn updates the state by what a read has shown.
func (t *topic) learn(version uint64, lines []Line, keep bool, head State) {
	if keep && gapless(lines) {
		t.mu.Lock()
		t.join(Position{Sequence: lines[0].Sequence - 1}, lines)
		t.mu.Unlock()
	}
	t.observe(version, head)
}

// pageEvents returns how many events to read at once, by the size of those before.
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
