package eventlog

import (
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
)

// pageBuilder copies rows out of a connection's buffers into one page: a few allocations for all of its events.
type pageBuilder struct {
	limit    int          // of events
	maxBytes int          // of data, types and keys: the event that reaches it ends the page
	bytes    int          // so far
	room     *memory.Hold // books the page; may be nil
	held     int64        // bytes of room that earlier pages use
	events   []event.Recorded
	data     []byte // of all events
	texts    []byte // types and keys of all events
	ends     []offsets
}

// offsets is where a row's parts end.
type offsets struct{ data, typ, key int }

// reset begins a page of up to limit events, in the memory of the page before. It makes room for events of eventBytes, 0 if that is
// unknown.
func (b *pageBuilder) reset(limit, eventBytes int) {
	b.limit, b.bytes = limit, 0
	b.data = slices.Grow(b.data[:0], min(limit*eventBytes*9/8, b.maxBytes)) // a little more than events like those before take
	b.texts, b.events, b.ends = b.texts[:0], b.events[:0], b.ends[:0]
}

// eventBytes is what one event of the page takes on average, 0 for an empty page.
func (b *pageBuilder) eventBytes() int {
	if len(b.events) == 0 {
		return 0
	}
	return b.bytes/len(b.events) + 1
}

func (b *pageBuilder) full() bool { return len(b.events) >= b.limit || b.bytes >= b.maxBytes }

// needs returns about what the page and those before it take in memory; growing slices take up to a quarter more than they hold.
func (b *pageBuilder) needs() int64 {
	return b.held + int64(b.bytes+b.bytes/4+len(b.events)*eventOverhead)
}

func (b *pageBuilder) add(row *db.EventRow) error {
	if len(row.Hash) != len(event.Hash{}) {
		return fmt.Errorf("the hash of event %d has %d bytes, not %d", row.Sequence, len(row.Hash), len(event.Hash{}))
	}
	if need := b.needs() + int64(len(row.Data)); need > b.room.Bytes() {
		if err := b.room.TryGrow(need + roomStep); err != nil {
			return err
		}
	}
	if len(b.events) == 0 { // not for a page without events
		b.events, b.ends = slices.Grow(b.events, b.limit), slices.Grow(b.ends, b.limit)
	}
	b.data = append(b.data, row.Data...)
	b.texts = append(b.texts, row.Type...)
	typ := len(b.texts)
	b.texts = append(b.texts, row.Key...)
	b.ends = append(b.ends, offsets{len(b.data), typ, len(b.texts)})
	b.events = append(b.events, event.Recorded{
		Event:    event.Event{Time: row.Time, HasTime: true},
		Sequence: row.Sequence, RecordedAt: row.RecordedAt, Hash: event.Hash(row.Hash),
	})
	b.bytes += len(row.Data) + len(row.Type) + len(row.Key)
	if b.bytes >= b.maxBytes && len(b.events) < b.limit {
		return db.ErrEnough
	}
	return nil
}

// seal points the events at their data, types and keys, once these do not move any more.
func (b *pageBuilder) seal() {
	texts := string(b.texts)
	var before offsets
	for i, at := range b.ends {
		e := &b.events[i]
		e.Data = b.data[before.data:at.data:at.data]
		e.Type = texts[before.key:at.typ]
		e.Key = texts[at.typ:at.key]
		before = at
	}
}
