package testrig

import "sync"

// idleOfLanes is the setting that a server's lanes make when they connect. A wire replaces it with one of the same length, so that tests do
// not wait that long.
var (
	idleOfLanes = []byte("SET idle_in_transaction_session_timeout = '10s'")
	shortIdle   = []byte("SET idle_in_transaction_session_timeout = '01s'")
)

// hanging is the state of a wire that may stop carrying messages to PostgreSQL.
type hanging struct {
	mu      sync.Mutex
	hangs   bool
	left    int // the lanes' message, counted from 1, at which it hangs; 0: it does not hang by itself
	halfway bool
	waiting int // messages that wait
	changed sync.Cond
}

// Hang stops all messages to PostgreSQL until Resume.
func (w *Wire) Hang() { w.hang.set(true, 0, false) }

// HangLanes hangs the wire after that many more messages of lanes have passed. A message is what one call of the kernel sends, or so.
func (w *Wire) HangLanes(after int) { w.hang.set(false, after+1, false) }

// HangLanesHalfway is HangLanes after that many messages and the first half of the next one.
func (w *Wire) HangLanesHalfway(after int) { w.hang.set(false, after+1, true) }

// Resume lets messages pass again, including those that wait.
func (w *Wire) Resume() { w.hang.set(false, 0, false) }

// Hangs reports whether the wire hangs and a message waits.
func (w *Wire) Hangs() bool {
	w.hang.mu.Lock()
	defer w.hang.mu.Unlock()
	return w.hang.hangs && w.hang.waiting > 0
}

// Waiting returns how many messages wait, at most one per connection.
func (w *Wire) Waiting() int {
	w.hang.mu.Lock()
	defer w.hang.mu.Unlock()
	return w.hang.waiting
}

func (h *hanging) set(hangs bool, left int, halfway bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hangs, h.left, h.halfway = hangs, left, halfway
	if h.changed.L != nil {
		h.changed.Broadcast()
	}
}

// arrive counts a message, and reports whether half of it passes though it hangs.
func (h *hanging) arrive(lane bool) (half bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !lane || h.left == 0 {
		return false
	}
	h.left--
	h.hangs = h.hangs || h.left == 0
	return h.left == 0 && h.halfway
}

// wait blocks until a message may pass.
func (h *hanging) wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed.L == nil {
		h.changed.L = &h.mu
	}
	h.waiting++
	for h.hangs {
		h.changed.Wait()
	}
	h.waiting--
}
