package tally

import "unsafe"

// roomBytes is the memory that every call reuses: enough for an ordinary event, its state and its results, and little enough
// to stay in the processor's cache. What does not fit is allocated on Go's heap.
const roomBytes = 64 << 10

const roomAlignment = 8 // what docs/abi.md asks of tally_alloc

var (
	room    [roomBytes / roomAlignment]uint64 // words, so that it is aligned
	roomTop int                               // how many bytes of it are handed out
)

// grant is the room that the server requested last, where it then writes.
var grant unsafe.Pointer

// Room returns an empty slice with a capacity of n bytes, without allocating. Use it for what a call builds and passes on: it is
// reused after the call of Fold or Query.
func Room(n int) []byte { return unsafe.Slice((*byte)(take(n)), n)[:0] }

// take returns n bytes. They are not zeroed.
func take(n int) unsafe.Pointer {
	if at := roomTop; uint(n) < uint(roomBytes-at) {
		roomTop = (at + n + roomAlignment - 1) &^ (roomAlignment - 1)
		return unsafe.Add(unsafe.Pointer(&room), at)
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, (n+roomAlignment-1)/roomAlignment)))
}

// release frees all room at the end of a call.
func release() {
	roomTop = 0
	grant = nil
}

// NoCopy returns b as a string, without copying: b must not be changed as long as the string is used.
func NoCopy(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// given returns what the server wrote into the room that it requested last; its packed result has the length.
func given(answer int64) []byte {
	length := int(uint32(answer))
	if length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(grant), length)
}
