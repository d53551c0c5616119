package live

import (
	"slices"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
)

const (
	// A topic keeps its log's last events for watchers that keep up, so that a thousand of them cost one read. It keeps at most
	// recentEvents events and recentBytes bytes, but always the last event; fewer, or none, if Config.Recent has no room.
	recentEvents = 1024
	recentBytes  = 1 << 20
	// lineOverhead is roughly how many bytes a line takes besides its JSON.
	lineOverhead = 160
)

// Line is an event as it is sent: a line of JSON.
type Line struct {
	Sequence int64
	Type     string
	JSON     []byte // immutable
	Hash     event.Hash
}

func (l *Line) position() Position { return Position{l.Sequence, l.Hash} }

func encode(events []event.Recorded) []Line {
	lines := make([]Line, len(events))
	for i := range events {
		e := &events[i]
		lines[i] = Line{e.Sequence, e.Type, event.AppendLine(nil, e), e.Hash}
	}
	return lines
}

// gapless reports whether there are lines and none is missing between them.
func gapless(lines []Line) bool {
	return len(lines) > 0 && lines[len(lines)-1].Sequence-lines[0].Sequence == int64(len(lines)-1)
}

func sizeOf(lines []Line) (bytes int) {
	for i := range lines {
		bytes += len(lines[i].JSON)
	}
	return bytes
}

// recent holds the last events of a log, without gaps and from one history.
type recent struct {
	lines  []Line
	before Position // position before the first line; its hash is zero if unknown
	bytes  int      // size of lines
}

func (r *recent) first() int64 { return r.lines[0].Sequence }

func (r *recent) newest() *Line { return &r.lines[len(r.lines)-1] }

// at returns the line with a sequence; nil if it is not kept.
func (r *recent) at(sequence int64) *Line {
	if len(r.lines) == 0 || sequence < r.first() || sequence > r.newest().Sequence {
		return nil
	}
	return &r.lines[sequence-r.first()]
}

func (r *recent) clear() { *r = recent{} }

// cut drops the lines after a sequence, or all if it is not kept.
func (r *recent) cut(sequence int64) {
	if r.at(sequence) == nil {
		r.clear()
		return
	}
	n := sequence - r.first() + 1
	r.bytes -= sizeOf(r.lines[n:])
	r.lines = slices.Clone(r.lines[:n])
}

// relation is how two runs of events relate.
type relation int

const (
	unrelated relation = iota // unknown
	agreeing                  // same history, no gap between
	contrary                  // different histories
)

// relate returns how lines without gaps, which follow before, relate to the kept ones.
func (r *recent) relate(before Position, lines []Line) relation {
	first, last := lines[0].Sequence, &lines[len(lines)-1]
	compare := func(a, b Position) relation {
		switch {
		case !a.known() || !b.known():
			return unrelated
		case a == b:
			return agreeing
		}
		return contrary
	}
	switch {
	case len(r.lines) == 0:
		return unrelated
	case first == r.newest().Sequence+1:
		return compare(r.newest().position(), before)
	case r.first() == last.Sequence+1:
		return compare(last.position(), r.before)
	case first > r.newest().Sequence || r.first() > last.Sequence:
		return unrelated
	}
	shared := min(last.Sequence, r.newest().Sequence) // equal hashes here mean equal events before
	return compare(r.at(shared).position(), lines[shared-first].position())
}

// keep adds lines, which are certain and have no gap, to the kept lines if they agree. If they contradict those, or come long after them,
// they replace them. Then keep drops the oldest lines beyond the limits.
func (r *recent) keep(before Position, lines []Line) {
	first, last := lines[0].Sequence, lines[len(lines)-1].Sequence
	switch r.relate(before, lines) {
	case agreeing:
		newest, oldest := r.newest().Sequence, r.first()
		if earlier := lines[:min(max(oldest-first, 0), int64(len(lines)))]; len(earlier) > 0 {
			r.lines, r.before = slices.Concat(earlier, r.lines), before
			r.bytes += sizeOf(earlier)
		}
		later := lines[min(max(newest+1-first, 0), int64(len(lines))):]
		r.lines = append(r.lines, later...)
		r.bytes += sizeOf(later)
	case unrelated:
		if len(r.lines) > 0 && last < r.newest().Sequence {
			return
		}
		fallthrough
	case contrary:
		*r = recent{lines: slices.Clone(lines), before: before, bytes: sizeOf(lines)}
	}
	for len(r.lines) > recentEvents || r.bytes > recentBytes && len(r.lines) > 1 {
		r.dropFirst()
	}
}

func (r *recent) dropFirst() {
	r.bytes -= len(r.lines[0].JSON)
	r.before = r.lines[0].position()
	r.lines[0] = Line{}
	r.lines = r.lines[1:]
}

// fit drops the oldest lines until the rest fits in room.
func (r *recent) fit(room *memory.Hold) {
	for r.needs() > 0 && room.TryGrow(r.needs()) != nil {
		for range max(len(r.lines)/2, 1) {
			r.dropFirst()
		}
	}
	room.Shrink(r.needs())
}

// needs returns roughly how many bytes the lines take in memory.
func (r *recent) needs() int64 { return linesBytes(r.lines, r.bytes) }

// linesBytes returns roughly how many bytes lines take in memory. bytes is the size of their JSON.
func linesBytes(lines []Line, bytes int) int64 { return int64(bytes) + int64(len(lines))*lineOverhead }

// after returns the lines that follow a position, at most limit and about pageBytes; none if the position is too long ago, in another
// history, or in an unknown one.
func (r *recent) after(p Position, limit int) []Line {
	if len(r.lines) == 0 || p.Sequence < r.first()-1 || p.Sequence >= r.newest().Sequence {
		return nil
	}
	before := r.before
	if line := r.at(p.Sequence); line != nil {
		before = line.position()
		if !p.known() {
			p = before
		}
	}
	if p.Sequence > 0 && (!before.known() || p.Hash != before.Hash) {
		return nil
	}
	lines, bytes, n := r.lines[p.Sequence+1-r.first():], 0, 0
	for n < min(len(lines), limit) && bytes < pageBytes {
		bytes += len(lines[n].JSON)
		n++
	}
	return slices.Clone(lines[:n])
}
