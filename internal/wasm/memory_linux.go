package wasm

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// canShare tells that newSharedMap works here.
const canShare = true

// linearMemory is the memory of one instance. It reserves addresses for all that the guest may ask for and takes real
// memory only for pages that were touched, so growing moves nothing, and freeing gives everything back at once.
type linearMemory struct {
	booked
	reserved []byte
	err      error  // why there is none
	entries  []byte // room for what the page map says
	pages    []int  // and for what it comes to
}

// Allocate implements experimental.MemoryAllocator. A failure is told by instance creation, which looks at err.
func (m *linearMemory) Allocate(_, most uint64) experimental.LinearMemory {
	most = min(most, MaxMemoryPages<<16)
	m.reserved, m.err = unix.Mmap(-1, 0, int(max(most, 1<<16)), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if m.err != nil {
		m.err = fmt.Errorf("reserve memory for a view: %w", m.err)
		m.reserved = nil
	}
	return m
}

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if !m.begun { // the memory that it begins with
		m.begun, m.err = true, cmp.Or(m.err, m.book(size))
	}
	if m.err != nil { // instance creation fails; until it sees why, the runtime needs some memory
		return make([]byte, size)
	}
	if size > uint64(len(m.reserved)) || !m.grow(size) {
		return nil
	}
	return m.reserved[:size:size]
}

// Free implements experimental.LinearMemory. It may be called twice.
func (m *linearMemory) Free() {
	m.room.Release()
	if m.reserved != nil {
		_ = unix.Munmap(m.reserved) // it was mapped just so
		m.reserved = nil
	}
}

// share makes the memory begin with what is in s: pages are taken from there until they are written to.
func (m *linearMemory) share(s *sharedMap) error {
	_, err := unix.MmapPtr(int(s.file.Fd()), 0, unsafe.Pointer(&m.reserved[0]), uintptr(s.size), //nolint:gosec // a map over a part of the map
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map the image of a view's memory: %w", err)
	}
	return nil
}

// What an entry of the page map says of a page, and how long it is; see "pagemap" in the kernel's documentation.
const (
	pageEntry   = 8
	pagePresent = 1 << 63
	pageSwapped = 1 << 62 // or on its way somewhere
	pageOfFile  = 1 << 61 // what share put there; a page that was written to is the process's own
)

// maxCopied is how many pages of an instance are put back one by one and stay its own. Taking a page anew at the next touch costs
// some 2.5 µs, copying it a tenth of that.
const maxCopied = 128

// pageMap is the kernel's list of this process's pages, nil where it is not to be had.
var pageMap = sync.OnceValue(func() *os.File {
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	return file
})

// forget makes every page that was written to what share put there.
func (m *linearMemory) forget(s *sharedMap) error {
	written, ok := m.written(s.size)
	if !ok || len(written) > maxCopied {
		if err := unix.Madvise(m.reserved[:s.size], unix.MADV_DONTNEED); err != nil {
			return fmt.Errorf("reset a view's memory: %w", err)
		}
		return nil
	}
	for _, at := range written {
		copy(m.reserved[at:at+pageSize], s.memory[at:])
	}
	return nil
}

var pageSize = os.Getpagesize()

// written returns where the pages lie that were written to since share, or more pages; false where the kernel does not tell.
func (m *linearMemory) written(size int) (at []int, ok bool) {
	file := pageMap()
	if file == nil {
		return nil, false
	}
	m.entries = slices.Grow(m.entries[:0], size/pageSize*pageEntry)[:size/pageSize*pageEntry]
	first := int64(uintptr(unsafe.Pointer(&m.reserved[0]))) / int64(pageSize) //nolint:gosec // the address is what the page map goes by
	if _, err := file.ReadAt(m.entries, first*pageEntry); err != nil {
		return nil, false
	}
	at = m.pages[:0]
	for i := 0; i < len(m.entries); i += pageEntry {
		entry := binary.NativeEndian.Uint64(m.entries[i:])
		if entry&pageSwapped != 0 || entry&(pagePresent|pageOfFile) == pagePresent {
			at = append(at, i/pageEntry*pageSize)
		}
	}
	m.pages = at
	return at, true
}

// sharedMap is an image in memory that many instances map.
type sharedMap struct {
	file   *os.File
	memory []byte // the file, mapped to be read
	size   int
}

func newSharedMap(memory []byte) (*sharedMap, error) {
	fd, err := unix.MemfdCreate("tally-view", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	s := &sharedMap{file: os.NewFile(uintptr(fd), "view image"), size: len(memory)}
	if err := s.write(memory); err != nil {
		s.free()
		return nil, err
	}
	if s.memory, err = unix.Mmap(fd, 0, s.size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		s.free()
		return nil, fmt.Errorf("map a file in memory: %w", err)
	}
	return s, nil
}

// write fills the file. Pages of zeros stay holes, which take no memory.
func (s *sharedMap) write(memory []byte) error {
	if err := s.file.Truncate(int64(len(memory))); err != nil {
		return fmt.Errorf("size a file in memory: %w", err)
	}
	const page = 4 << 10
	for at := 0; at < len(memory); at += page {
		part := memory[at:min(at+page, len(memory))]
		if isZero(part) {
			continue
		}
		if _, err := s.file.WriteAt(part, int64(at)); err != nil {
			return fmt.Errorf("write a file in memory: %w", err)
		}
	}
	return nil
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// free closes the file; what instances have mapped from it stays, but cannot be put back any more.
func (s *sharedMap) free() {
	if s.memory != nil {
		_ = unix.Munmap(s.memory) // it was mapped just so
		s.memory = nil
	}
	_ = s.file.Close()
}
