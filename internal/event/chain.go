package event

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tallystick/tallystick/internal/uuid"
)

// Hash is one link of a log's chain.
type Hash = [sha256.Size]byte

// Head is a log's end: its last sequence and the hash of everything up to it.
type Head struct {
	Sequence   int64 // 0 for an empty log
	Hash       Hash
	RecordedAt int64 // microseconds since 1970 UTC; never decreases
	ViewsEpoch int64 // grows whenever the log's set of live views changes
}

// Recorded is an event with its position in a log.
type Recorded struct {
	Event
	Sequence   int64
	RecordedAt int64 // microseconds since 1970 UTC
	Hash       Hash
}

const (
	genesisLabel = "tallystick/log/1\n"
	eventLabel   = "tallystick/event/1\n"
)

// Genesis is the hash that an empty log starts from: SHA-256 of the label "tallystick/log/1\n" and the log id's 16
// bytes, so that one log's events cannot stand in for another's.
func Genesis(log uuid.UUID) Hash {
	return sha256.Sum256(append([]byte(genesisLabel), log[:]...))
}

// Chainer computes links of the hash chain. It reuses a buffer: one Chainer serves one goroutine.
type Chainer struct{ buf []byte }

// Link returns the hash of an event that follows previous: SHA-256 of, end to end,
//
//	label        "tallystick/event/1\n"
//	previous     32 bytes
//	sequence     8 bytes, as are the next two; big-endian two's complement
//	recorded_at  microseconds since 1970 UTC
//	time         likewise
//	type         its length in 4 bytes, big-endian, then its UTF-8; empty when the event has none
//	key          likewise
//	data         likewise
func (c *Chainer) Link(previous Hash, e *Recorded) Hash {
	b := append(c.buf[:0], eventLabel...)
	b = append(b, previous[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Sequence))   //nolint:gosec // two's complement is the format
	b = binary.BigEndian.AppendUint64(b, uint64(e.RecordedAt)) //nolint:gosec // two's complement is the format
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time))       //nolint:gosec // two's complement is the format
	b = appendText(b, e.Type)
	b = appendText(b, e.Key)
	b = appendText(b, e.Data)
	c.buf = b
	return sha256.Sum256(b)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(text))) //nolint:gosec // bounded by MaxBytes
	return append(b, text...)
}

// Next returns e recorded after head, and the head that follows. now is the time of recording, microseconds since 1970 UTC; the head's is
// used when it is later.
func (c *Chainer) Next(head Head, e Event, now int64) (Recorded, Head) {
	r := Recorded{Event: e, Sequence: head.Sequence + 1, RecordedAt: max(now, head.RecordedAt)}
	if !r.HasTime {
		r.Time = r.RecordedAt
	}
	r.Hash = c.Link(head.Hash, &r)
	head.Sequence, head.Hash, head.RecordedAt = r.Sequence, r.Hash, r.RecordedAt
	return r, head
}
