//go:build !linux

package wasm

import (
	"cmp"
	"errors"

	"github.com/tetratelabs/wazero/experimental"
)

// canShare: newSharedMap is not supported on this system; images are copied.
const canShare = false

// linearMemory is the memory of one instance.
type linearMemory struct {
	booked
	buffer []byte
	err    error
}

// Allocate implements experimental.MemoryAllocator.
func (m *linearMemory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if !m.sized { // the initial memory
		m.sized, m.err = true, cmp.Or(m.err, m.book(size))
	}
	if size > MaxMemoryPages<<16 || m.err == nil && !m.grow(size) {
		return nil
	}
	grown := make([]byte, size)
	copy(grown, m.buffer)
	m.buffer = grown
	return grown
}

// Free implements experimental.LinearMemory.
func (m *linearMemory) Free() {
	m.room.Release()
	m.buffer = nil
}

var errNotShared = errors.New("memory cannot be shared on this system")

func (*linearMemory) share(*sharedMap) error  { return errNotShared }
func (*linearMemory) forget(*sharedMap) error { return errNotShared }

type sharedMap struct{}

func newSharedMap([]byte) (*sharedMap, error) { return nil, errNotShared }
func (*sharedMap) free()                      {}
