package replay

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/wasm"
)

// layer is what one way of folding writes for one event, over the state that all ways share. It knows nothing of the
// database and shares no code with the state that appends fold into, so that an audit does not repeat that one's mistakes.
type layer struct {
	base    *btree.Map[string, []byte]
	written btree.Map[string, []byte] // nil: the key is removed
}

func (l *layer) current(key string) []byte {
	if value, ok := l.written.Get(key); ok {
		return value
	}
	return l.inBase(key)
}

// inBase is the value that a key has in the state; nil: no such key.
func (l *layer) inBase(key string) []byte {
	value, _ := l.base.Get(key)
	return value
}

// Get implements wasm.State.
func (l *layer) Get(key []byte) ([]byte, bool, error) {
	value := l.current(string(key))
	return value, value != nil, nil
}

// Set implements wasm.State.
func (l *layer) Set(key, value []byte) error {
	l.written.Set(string(key), slices.Clone(value))
	return nil
}

// Delete implements wasm.State.
func (l *layer) Delete(key []byte) error {
	l.written.Set(string(key), nil)
	return nil
}

// Scan implements wasm.State.
func (l *layer) Scan(prefix, after []byte, limit int) ([]wasm.Entry, error) {
	limit = min(limit, wasm.MaxScanKeys)
	start, exclude := string(prefix), string(after)
	over, under := l.written.Iter(), l.base.Iter()
	more, moreBase := over.Seek(max(start, exclude)), under.Seek(max(start, exclude))
	var entries []wasm.Entry
	for len(entries) < limit && (more || moreBase) {
		var key string
		var value []byte
		if more && (!moreBase || over.Key() <= under.Key()) {
			key, value = over.Key(), over.Value()
			if moreBase && under.Key() == key {
				moreBase = under.Next()
			}
			more = over.Next()
		} else {
			key, value = under.Key(), under.Value()
			moreBase = under.Next()
		}
		if !strings.HasPrefix(key, start) {
			break // keys sort: those with the prefix stand together
		}
		if value != nil && key != exclude {
			entries = append(entries, wasm.Entry{Key: []byte(key), Value: value})
		}
	}
	return entries, nil
}
