package wasm

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/memory"
)

// booked accounts for the memory of an instance.
type booked struct {
	engine *Engine
	room   *memory.Hold
	sized  bool  // the initial memory is booked
	full   error // why memory could not grow within the guest's limit; the outcome of the call is then void
}

// book makes room for a memory of size bytes in all.
func (b *booked) book(size uint64) error {
	return b.engine.makeRoom(b.room, int64(size))
}

// grow is book during a call; it keeps the error in full.
func (b *booked) grow(size uint64) bool {
	b.full = b.book(size)
	return b.full == nil
}

// makeRoom grows room to a total of so many bytes. If there is not enough, it frees first the spare instances, and then the modules
// that are not in use. The error is memory.ErrFull.
func (e *Engine) makeRoom(room *memory.Hold, bytes int64) error {
	for _, shed := range []func(){e.dropSpare, e.unloadUnused} {
		if room.TryGrow(bytes) == nil {
			return nil
		}
		shed()
	}
	if err := room.TryGrow(bytes); err != nil {
		return fmt.Errorf("make room for %d bytes of a view: %w", bytes, err)
	}
	return nil
}

func (e *Engine) dropSpare() {
	e.mu.Lock()
	var programs []*program
	for _, k := range e.modules {
		if k.loaded != nil && k.loaded.program != nil {
			programs = append(programs, k.loaded.program)
		}
	}
	e.mu.Unlock()
	for _, p := range programs {
		p.dropSpare()
	}
}

func (e *Engine) unloadUnused() {
	e.unload(context.Background(), func(unused []*Module, _ int) []*Module { return unused })
}
