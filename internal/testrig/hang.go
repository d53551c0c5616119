package testrig

import "sync"

// What a server's lanes ask PostgreSQL for when they connect, and what a wire makes of it, of the same length: tests do not wait that long.
var (
	idleOfLanes = []byte("SET idle_in_transaction_session_timeout = '10s'")
	shortIdle   = []byte("SET idle_in_transaction_session_timeout = '01s'")
)

// hanging is whether a wire carries what the server says.
type hanging struct {
	mu      sync.Mutex
	hangs   bool
	left    int // the message of lanes, from 1 on, that it hangs at; 0: it does not hang by itself
	waiting int // messages that are not carried
	changed sync.Cond
}

// Hang has the wire carry nothing more to PostgreSQL, until Resume.
func (w *Wire) Hang() { w.hang.set(true, 0) }

// HangLanes is Hang once so many more messages of lanes have passed.
func (w *Wire) HangLanes(after int) { w.hang.set(false, after+1) }

// Resume carries everything that waits.
func (w *Wire) Resume() { w.hang.set(false, 0) }

// Hangs reports whether the wire hangs with something to carry.
func (w *Wire) Hangs() bool {
	w.hang.mu.Lock()
	defer w.hang.mu.Unlock()
	return w.hang.hangs && w.hang.waiting > 0
}

// Waiting is how many messages a wire that hangs has not carried, at most one of each connection.
func (w *Wire) Waiting() int {
	w.hang.mu.Lock()
	defer w.hang.mu.Unlock()
	return w.hang.waiting
}

func (h *hanging) set(hangs bool, left int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hangs, h.left = hangs, left
	if h.changed.L != nil {
		h.changed.Broadcast()
	}
}

// wait returns once a message may be carried.
func (h *hanging) wait(lane bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed.L == nil {
		h.changed.L = &h.mu
	}
	if lane && h.left > 0 {
		h.left--
		h.hangs = h.hangs || h.left == 0
	}
	h.waiting++
	for h.hangs {
		h.changed.Wait()
	}
	h.waiting--
}
