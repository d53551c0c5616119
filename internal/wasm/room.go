package wasm

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/memory"
)

// booked is the room of an instance's memory.
type booked struct {
	engine *Engine
	room   *memory.Hold
	begun  bool  // the instance has the memory that it begins with
	full   error // why memory could not grow though the guest may have more. Whatever it went on to do is of no account
}

// book makes room for a memory of so many bytes.
func (b *booked) book(size uint64) error {
	return b.engine.makeRoom(b.room, int64(size))
}

// grow is book for a guest that is running.
func (b *booked) grow(size uint64) bool {
	b.full = b.book(size)
	return b.full == nil
}

// makeRoom takes room for so many bytes in all. Where there is none, the instances that wait are freed, and then the modules that nobody
// uses. The error is memory.ErrFull.
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
