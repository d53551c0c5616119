package live

import (
	"context"
	"sync"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// A watcher that lags behind reads pages of about pageBytes, with at most pageEvents events; firstPageEvents while their size is unknown. A
// page stays in memory for as long as a slow client takes.
const (
	pageBytes       = 256 << 10
	pageEvents      = 500
	firstPageEvents = 32
	// readBytes bounds the read of a page. Its first event was sent before; however large that is, another must follow.
	readBytes = pageBytes + event.MaxBytes
	// eventsAndLines is what a page takes in memory while its lines are encoded, as a multiple of its events.
	eventsAndLines = 2
)

// topic is a watched log.
//
// Events committed here are certain: their transaction compared the hash of everything before them. Notifications from other servers are
// hints. What a read returns was true when it ran; it replaces what is known, even if it moves the log back, unless something newer
// was learned meanwhile.
type topic struct {
	log      uuid.UUID
	watchers int // guarded by the hub

	mu     sync.Mutex
	state  State
	waves  waves
	recent recent
	room   *memory.Hold // memory of recent
	// doubted is set when the recent events may belong to a history that is gone, for instance because another server has moved the log.
	// They are not sent until a read has shown that they are part of the log.
	doubted    bool
	chain      event.Chainer
	eventBytes int // mean size of an event on the last page; 0 before the first

	reading chan struct{} // holds one value while a watcher reads recent events for all
}

func newTopic(log uuid.UUID, room *memory.Hold) *topic {
	return &topic{log: log, room: room, reading: make(chan struct{}, 1)}
}

// close releases the memory of a topic that has no watchers left.
func (t *topic) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.clear()
	t.waves = waves{}
	t.room.Release()
	t.room = nil // a lane may still add events; they become garbage
}

func (t *topic) version() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state.Version
}

// become sets the state and has the watchers woken if it differs. t.mu is held.
func (t *topic) become(next State) {
	next.Version = t.state.Version
	if next == t.state {
		return
	}
	next.Version++
	t.state = next
	if t.waves.wake(next.Version) {
		go t.wakeOthers()
	}
}

// hear records a sequence that another server announced, which is a hint.
func (t *topic) hear(sequence int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sequence > t.state.Sequence {
		t.doubted = true
		t.become(State{Sequence: sequence, Epoch: t.state.Epoch})
	}
}

// observe records a state that was read from the database. version is the state's version from before the read.
func (t *topic) observe(version uint64, found State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.Version != version && found.Sequence <= t.state.Sequence { // something newer was learned meanwhile, but nothing about views
		found = State{Sequence: t.state.Sequence, Hash: t.state.Hash, Epoch: max(t.state.Epoch, found.Epoch)}
	}
	line := t.recent.at(found.Sequence)
	kept := line != nil && !t.doubted && line.Hash == found.Hash && line == t.recent.newest()
	if kept && found.Sequence == t.state.Sequence && t.state.Hash == (event.Hash{}) && found.Epoch == t.state.Epoch {
		t.state.Hash = found.Hash // not news: watchers with the last event know its hash
		return
	}
	if !kept && (found.Sequence != t.state.Sequence || found.Hash != t.state.Hash) {
		t.doubted = true
	}
	t.become(found)
}

// add records events that were committed here.
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

// lastOf returns the last events, as many as a topic keeps.
func lastOf(events []event.Recorded) []event.Recorded {
	from, bytes := len(events), 0
	for from > 0 && len(events)-from < recentEvents && bytes < recentBytes {
		from--
		bytes += len(events[from].Data)
	}
	return events[from:]
}

// preceding returns the position before an event. Its hash is zero unless it is known here. t.mu is held.
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

// join adds lines that are certain to the recent ones, and resolves doubts about those. t.mu is held.
func (t *topic) join(before Position, lines []Line) {
	if !gapless(lines) { // rows are missing
		return
	}
	if t.doubted {
		if t.recent.relate(before, lines) == agreeing {
			t.recent.cut(min(lines[len(lines)-1].Sequence, t.recent.newest().Sequence)) // later lines stay uncertain
		} else {
			t.recent.clear()
		}
		t.doubted = false
	}
	t.recent.keep(before, lines)
	t.recent.fit(t.room)
}

// after returns the recent events that follow a position; none if it is too long ago, or if it is unknown whether they do.
func (t *topic) after(p Position) []Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.doubted {
		return nil
	}
	return t.recent.after(p, pageEvents)
}

// Events returns some of the events that follow a position, and the position of the last event it looked at: after itself if there are none
// yet. Their memory is booked in room until the next call; room may be nil. The error is a *GoneError if the log no longer contains the
// position, memory.ErrFull, eventlog.ErrLogNotFound, ctx's, or the database's.
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
	select { // one watcher reads for all
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

// booked is after for a watcher. It books the lines, which the watcher holds for as long as its client takes, perhaps longer than the topic
// does.
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

// read reads a page from the log, starting with the event at the position, which shows whether the log still contains it.
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
		lines[0] = Line{} // frees it
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

// learn updates the topic with the result of a read.
func (t *topic) learn(version uint64, lines []Line, keep bool, head State) {
	if keep && gapless(lines) {
		t.mu.Lock()
		t.join(Position{Sequence: lines[0].Sequence - 1}, lines)
		t.mu.Unlock()
	}
	t.observe(version, head)
}

// pageEvents returns how many events to read at once, by the size of previous ones.
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
