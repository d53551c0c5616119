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
	waiting int // messages that wait
	changed sync.Cond
}

// Hang stops all messages to PostgreSQL until Resume.
func (w *Wire) Hang() { w.hang.set(true, 0) }

// HangLanes hangs the wire after that many more messages of lanes have passed.
func (w *Wire) HangLanes(after int) { w.hang.set(false, after+1) }

// Resume lets messages pass again, including those that wait.
func (w *Wire) Resume() { w.hang.set(false, 0) }

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

func (h *hanging) set(hangs bool, left int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hangs, h.left = hangs, left
	if h.changed.L != nil {
		h.changed.Broadcast()
	}
}

// wait blocks until a message may pass.
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
