package tally

import (
	"iter"
	"unsafe"
)

// A key has 1 to 1,024 bytes of UTF-8 without NUL, a value is at most 64 KiB of JSON; the server halts a view that
// breaks this.
const (
	MaxKeyBytes    = 1024
	MaxValueBytes  = 64 << 10
	MaxAnswerBytes = 1 << 20 // of a query
)

// valueRoomBytes is enough for most values; a larger one takes two calls of the server.
const valueRoomBytes = 512

// Get reads the value of a key, false if there is none.
func Get(key string) (value []byte, ok bool) {
	if batch.on {
		forgetHeld(key)
	}
	return get(key)
}

// get is Get without regard to a batch.
func get(key string) (value []byte, ok bool) {
	at := take(valueRoomBytes)
	length := importGetInto(key, at, valueRoomBytes)
	if length < 0 {
		return nil, false
	}
	if length > valueRoomBytes {
		at = take(int(length))
		importGetInto(key, at, uint32(length))
	}
	return unsafe.Slice((*byte)(at), length), true
}

// Set writes the value of a key: JSON. Later calls read it, in the same fold, too. An escape that PostgreSQL cannot read,
// \u0000 or a lone surrogate, is written as \ufffd: so the contents of an event can be stored as they are.
func Set(key string, value []byte) {
	if batch.on {
		forgetHeld(key)
	}
	importSet(key, NoCopy(storable(value)))
}

// Delete removes a key, if it exists.
func Delete(key string) {
	if batch.on {
		forgetHeld(key)
	}
	importDelete(key)
}

// scanPage is how many keys are read from the server at a time: about 100 KB of totals.
const scanPage = 1000

// Scan iterates over the keys that start with prefix, in byte order.
func Scan(prefix string) iter.Seq2[string, []byte] { return ScanAfter(prefix, "") }

// ScanAfter iterates over the keys that start with prefix and are greater than after, in byte order.
func ScanAfter(prefix, after string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c := Cursor{prefix: prefix, Key: after}
		for c.Next() && yield(c.Key, c.Value) {
		}
	}
}

// Cursor iterates over keys as [Scan] does, one at a call of Next: several can be read side by side.
type Cursor struct {
	Key   string // of the entry that Next went to
	Value []byte

	prefix string
	page   []byte // what is still to come of it
}

// NewCursor returns a cursor before the first key that starts with prefix.
func NewCursor(prefix string) *Cursor { return &Cursor{prefix: prefix} }

// Next goes to the next key; false if there is none.
func (c *Cursor) Next() bool {
	if len(c.page) == 0 {
		if batch.on {
			writeHeld()
		}
		if c.page = given(importScan(c.prefix, c.Key, scanPage)); len(c.page) == 0 {
			return false
		}
	}
	key, value, rest := cutEntry(c.page)
	c.Key, c.Value, c.page = NoCopy(key), value, rest
	return true
}

// cutEntry takes an entry from the front of a scan's result.
func cutEntry(page []byte) (key, value, rest []byte) {
	keyLen, valueLen := int(littleEndian(page)), int(littleEndian(page[4:]))
	page = page[8:]
	return page[:keyLen:keyLen], page[keyLen:][:valueLen:valueLen], page[keyLen+valueLen:]
}

func littleEndian(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// Config returns the configuration that the view was deployed with: JSON, "{}" if there was none.
func Config() []byte { return given(importConfig()) }

// ContentType sets the type of a query's answer: "application/json" (the default), "text/csv" or "text/plain".
// Another type, or a call outside Query, is an error of the view.
func ContentType(name string) { importContentType(name) }
