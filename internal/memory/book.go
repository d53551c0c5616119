// Package memory accounts for what a server holds for requests, so that it refuses work before the kernel kills it: a limit, its shares,
// and books in which memory is booked before it is used.
package memory

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Small is how much one Hold may have of the part of a book that is kept free of large holds, unless the book says otherwise.
const Small = 64 << 10

// One smallPart-th of a book is only for small holds: whatever large ones there are, they go on.
const smallPart = 4

// ErrFull: there is no room in the book, and there was none during the wait.
var ErrFull = errors.New("the memory for this is used up")

// ErrTooMuch is an ErrFull of a hold that asks for more than there ever is for one: to come back is of no use.
var ErrTooMuch = fmt.Errorf("%w: it is more than there ever is for one hold", ErrFull)

// Book records the memory that is held for one purpose, up to a bound. It is safe for concurrent use. A nil *Book has no bound.
//
// Holds that grow as they go could all wait for one another, each with a part of what it needs. So a part of the room for large holds is
// reserved for one of them, the leader, until it is done: the first that needs it or, of those that wait, the largest.
type Book struct {
	total, forLarge int64
	small           int64 // what a small hold has at most
	forLeader       int64 // of forLarge
	patience        time.Duration

	mu      sync.Mutex
	held    int64
	peak    int64 // of held
	leader  *Hold
	waiting *list.List // of *waiter, in the order in which they came
}

type waiter struct {
	hold    *Hold
	bytes   int64
	large   bool
	granted chan struct{} // closed when the bytes are booked; guarded by the book
}

// NewBook returns an empty book of total bytes, in which Grow waits for room for as long as patience. largest is the most that one hold
// takes that grows as it goes; 0 where none does.
func NewBook(total, largest int64, patience time.Duration) *Book {
	forLarge := total - total/smallPart
	return &Book{
		total: total, forLarge: forLarge, small: Small, forLeader: min(largest, forLarge), patience: patience, waiting: list.New(),
	}
}

// WithSmall sets how many bytes a small hold has at most, instead of Small, before there are holds.
func (b *Book) WithSmall(bytes int64) *Book {
	b.small = bytes
	return b
}

// Held is how many bytes are booked.
func (b *Book) Held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Total is how many bytes may be booked; 0 for a nil *Book, which has no bound.
func (b *Book) Total() int64 {
	if b == nil {
		return 0
	}
	return b.total
}

// Peak is the most that Held ever was.
func (b *Book) Peak() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peak
}

// fits reports whether there is room, and may make the hold the leader. b.mu is held.
func (b *Book) fits(h *Hold, bytes int64, large bool) bool {
	switch {
	case !large:
		return b.held+bytes <= b.total
	case b.held+bytes <= b.forLarge-b.forLeader:
		return true
	case b.held+bytes > b.forLarge || b.leader != nil && b.leader != h:
		return false
	}
	b.leader = h
	return true
}

// reserve books bytes if there is room and no hold of the same kind, large or small, waits; the leader goes before those. b.mu is held.
func (b *Book) reserve(h *Hold, bytes int64, large bool) bool {
	if b.leader == h {
		return b.grant(h, bytes, large)
	}
	for e := b.waiting.Front(); e != nil; e = e.Next() {
		if e.Value.(*waiter).large == large { //nolint:forcetypeassert // the list holds nothing else
			return false
		}
	}
	return b.grant(h, bytes, large)
}

func (b *Book) grant(h *Hold, bytes int64, large bool) bool {
	if !b.fits(h, bytes, large) {
		return false
	}
	b.held += bytes
	b.peak = max(b.peak, b.held)
	return true
}

// release releases bytes, and grants them to those that wait, in order. A large one that does not fit blocks other large ones, but no small
// ones.
func (b *Book) release(h *Hold, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= bytes
	if b.leader == h && bytes == h.bytes {
		b.leader = nil
	}
	b.grantWaiting()
}

func (b *Book) grantWaiting() {
	if b.leader == nil && b.forLeader > 0 {
		b.leader = b.furthest()
	}
	var noSmall, noLarge bool
	for e := b.waiting.Front(); e != nil; {
		w, next := e.Value.(*waiter), e.Next() //nolint:forcetypeassert // the list holds nothing else
		blocked := &noSmall
		if w.large {
			blocked = &noLarge
		}
		if (!*blocked || w.hold == b.leader) && b.grant(w.hold, w.bytes, w.large) {
			b.waiting.Remove(e)
			close(w.granted)
		} else {
			*blocked = true
		}
		e = next
	}
}

// furthest returns the hold that has the most of those that wait; nil where none has anything.
func (b *Book) furthest() (most *Hold) {
	for e := b.waiting.Front(); e != nil; e = e.Next() {
		if w := e.Value.(*waiter); w.hold.bytes > most.Bytes() { //nolint:forcetypeassert // the list holds nothing else
			most = w.hold
		}
	}
	return most
}

// wait books bytes as soon as there is room. The error is ErrFull, at once ErrTooMuch, or the context's.
func (b *Book) wait(ctx context.Context, h *Hold, bytes int64, large bool) error {
	b.mu.Lock()
	if b.reserve(h, bytes, large) {
		b.mu.Unlock()
		return nil
	}
	if to := h.bytes + bytes; large && to > b.forLarge || to > b.total {
		b.mu.Unlock()
		return ErrTooMuch
	}
	if h.waited >= b.patience {
		b.mu.Unlock()
		return ErrFull
	}
	w := &waiter{hold: h, bytes: bytes, large: large, granted: make(chan struct{})}
	e := b.waiting.PushBack(w)
	b.mu.Unlock()
	began := time.Now()
	defer func() { h.waited += time.Since(began) }()
	timer := time.NewTimer(b.patience - h.waited)
	defer timer.Stop()
	err := ErrFull
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-w.granted: // just now
		return nil
	default:
	}
	b.waiting.Remove(e)
	b.grantWaiting() // those behind it may fit
	return err
}

// Hold is what one request, or another piece of work, has booked. It is for one goroutine at a time. Release releases everything, and may
// be called twice. A nil *Hold, and one without a book, has no bound.
type Hold struct {
	book   *Book
	bytes  int64
	used   int64         // of these, by Use
	waited time.Duration // in all
}

// useStep is how much Use books beyond what is used.
const useStep = 32 << 10

// Hold returns an empty hold of the book.
func (b *Book) Hold() *Hold { return &Hold{book: b} }

// Bytes is how much is booked.
func (h *Hold) Bytes() int64 {
	if h == nil {
		return 0
	}
	return h.bytes
}

func (h *Hold) bounded() bool { return h != nil && h.book != nil }

// Grow books more, up to so many bytes in all, and waits for room, no longer than the book's patience over the hold's life. The error is
// ErrFull, of which ErrTooMuch is one, or the context's: then nothing has changed.
func (h *Hold) Grow(ctx context.Context, to int64) error {
	if !h.bounded() || to <= h.bytes {
		return nil
	}
	if err := h.book.wait(ctx, h, to-h.bytes, to > h.book.small); err != nil {
		return err
	}
	h.bytes = to
	return nil
}

// TryGrow is Grow without waiting: it returns ErrFull where there is no room.
func (h *Hold) TryGrow(to int64) error {
	if !h.bounded() || to <= h.bytes {
		return nil
	}
	h.book.mu.Lock()
	defer h.book.mu.Unlock()
	if !h.book.reserve(h, to-h.bytes, to > h.book.small) {
		return ErrFull
	}
	h.bytes = to
	return nil
}

// Use adds to the bytes in use, and books more in steps. It does not wait: after ErrFull nothing has changed.
func (h *Hold) Use(more int64) error {
	if !h.bounded() {
		return nil
	}
	if h.used+more > h.bytes {
		if err := h.TryGrow(h.used + more + useStep); err != nil {
			return err
		}
	}
	h.used += more
	return nil
}

// Used is how many bytes are in use.
func (h *Hold) Used() int64 {
	if h == nil {
		return 0
	}
	return h.used
}

// Unuse lowers the bytes in use to so many.
func (h *Hold) Unuse(to int64) {
	if h.bounded() && to < h.used {
		h.used = to
		h.Shrink(to + useStep)
	}
}

// Shrink releases what is beyond so many bytes.
func (h *Hold) Shrink(to int64) {
	if !h.bounded() || to >= h.bytes {
		return
	}
	h.book.release(h, h.bytes-to)
	h.bytes = to
}

// Release releases everything.
func (h *Hold) Release() {
	h.Unuse(0)
	h.Shrink(0)
}
