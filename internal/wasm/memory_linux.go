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

// canShare: newSharedMap is supported on this system.
const canShare = true

// linearMemory is the memory of one instance. It reserves address space for the largest memory that the guest may have. The
// kernel backs only the pages that are touched, so growing moves nothing, and Free returns everything at once.
type linearMemory struct {
	booked
	reserved []byte
	err      error  // why there is no memory
	entries  []byte // reused by written, for page map entries
	pages    []int  // reused by written, for its result
}

// Allocate implements experimental.MemoryAllocator. It cannot return an error: newInstance reports m.err.
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
	if !m.sized { // the initial memory
		m.sized, m.err = true, cmp.Or(m.err, m.book(size))
	}
	if m.err != nil { // newInstance will fail with it; until then wazero needs some memory
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
		_ = unix.Munmap(m.reserved) // cannot fail: this is the whole mapping
		m.reserved = nil
	}
}

// share maps s copy-on-write over the start of the memory: pages come from s until the guest writes to them.
func (m *linearMemory) share(s *sharedMap) error {
	begin := unsafe.Pointer(&m.reserved[0]) //nolint:gosec // maps over the start of our own mapping
	_, err := unix.MmapPtr(int(s.file.Fd()), 0, begin, uintptr(s.size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map the image of a view's memory: %w", err)
	}
	return nil
}

// Size and flags of an entry of the page map; see "pagemap" in the kernel's documentation.
const (
	pageEntry   = 8
	pagePresent = 1 << 63
	pageSwapped = 1 << 62 // or being migrated
	pageOfFile  = 1 << 61 // still mapped from the image; a page that was written to is anonymous
)

// maxCopied is the most pages that restoring an instance copies back; they stay private to it. With more, all private pages are
// dropped instead. A page fault at the next touch costs about 2.5 µs, copying a page a tenth of that.
const maxCopied = 128

// pageMap is the kernel's list of this process's pages, nil if it is not available.
var pageMap = sync.OnceValue(func() *os.File {
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	return file
})

// forget resets every page that the guest has written to since share.
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

// written returns the offsets of the pages written to since share, and possibly of others; ok is false if the kernel does not tell.
func (m *linearMemory) written(size int) (at []int, ok bool) {
	file := pageMap()
	if file == nil {
		return nil, false
	}
	m.entries = slices.Grow(m.entries[:0], size/pageSize*pageEntry)[:size/pageSize*pageEntry]
	first := int64(uintptr(unsafe.Pointer(&m.reserved[0]))) / int64(pageSize) //nolint:gosec // the page map is indexed by address
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

// sharedMap is a memory image in a memfd, which many instances map copy-on-write.
type sharedMap struct {
	file   *os.File
	memory []byte // the file, mapped read-only
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

// write fills the file. Pages of zeros remain holes, which take no memory.
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

// free closes the file. Instances keep the pages that they have mapped, but can no longer be restored.
func (s *sharedMap) free() {
	if s.memory != nil {
		_ = unix.Munmap(s.memory) // cannot fail: this is the whole mapping
		s.memory = nil
	}
	_ = s.file.Close()
}
