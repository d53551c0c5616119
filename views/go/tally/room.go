package tally

import "unsafe"

// roomBytes is handed out anew in every call: enough for an ordinary event, its state and its results, and little enough
// to stay in the processor's cache. What does not fit comes from Go's heap.
const roomBytes = 64 << 10

const roomAlignment = 8 // what docs/abi.md asks of tally_alloc

var (
	room    [roomBytes / roomAlignment]uint64 // words, so that it is aligned
	roomTop int                               // how many bytes of it are handed out
)

// grant is the room that the server asked for last, which is where it then writes.
var grant unsafe.Pointer

// Room is an empty slice with room for n bytes that appending to does not allocate. It is for what a call builds and gives
// away: it is reused after the call of Fold or Query.
func Room(n int) []byte { return unsafe.Slice((*byte)(take(n)), n)[:0] }

// take gives n bytes. They are not zeroed.
func take(n int) unsafe.Pointer {
	if at := roomTop; uint(n) < uint(roomBytes-at) {
		roomTop = (at + n + roomAlignment - 1) &^ (roomAlignment - 1)
		return unsafe.Add(unsafe.Pointer(&room), at)
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, (n+roomAlignment-1)/roomAlignment)))
}

// release takes back all room; the call is over.
func release() {
	roomTop = 0
	grant = nil
}

// NoCopy is b as a string, without copying: b must not be changed as long as the string is used.
func NoCopy(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// given is what the server wrote into the room that it asked for last, as long as its answer says.
func given(answer int64) []byte {
	length := int(uint32(answer))
	if length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(grant), length)
}
