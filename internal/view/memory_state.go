package view

import "context"

// MemoryState is the state of one version in memory, held as a server holds the small state of a live version, with no database behind
// it: benchmarks of views fold into it. It is a wasm.State for one session at a time.
type MemoryState struct{ *writes }

// NewMemoryState is an empty state.
func NewMemoryState(ctx context.Context) *MemoryState {
	return &MemoryState{newWrites(ctx, &state{whole: true}, nil)}
}

// Keep makes what the current event wrote part of the state, as a server does after each event.
func (m *MemoryState) Keep() { m.keep() }

// Commit ends a group of events, as storing it does: the next one works on a copy of the state, which shares what it does
// not change.
func (m *MemoryState) Commit() {
	m.keep()
	m.flush()
	m.state = m.state.copy()
	clear(m.dirty)
}
