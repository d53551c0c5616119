package viewtest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/wasm"
)

// State keeps a view's state in memory, by key. It implements wasm.State for one session at a time.
type State map[string][]byte

// Get implements wasm.State.
func (s State) Get(key []byte) ([]byte, bool, error) {
	value, ok := s[string(key)]
	return value, ok, nil
}

// Set implements wasm.State.
func (s State) Set(key, value []byte) error {
	s[string(key)] = bytes.Clone(value)
	return nil
}

// Delete implements wasm.State.
func (s State) Delete(key []byte) error {
	delete(s, string(key))
	return nil
}

// Scan implements wasm.State. It sorts the keys that have the prefix, each time.
func (s State) Scan(prefix, after []byte, limit int) ([]wasm.Entry, error) {
	var keys []string
	for key := range s {
		if strings.HasPrefix(key, string(prefix)) && key > string(after) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	keys = keys[:min(len(keys), limit)]
	entries := make([]wasm.Entry, len(keys))
	for i, key := range keys {
		entries[i] = wasm.Entry{Key: []byte(key), Value: s[key]}
	}
	return entries, nil
}

// String writes the state as a golden folder does: a line for each key, in byte order.
func (s State) String() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%q %s\n", key, s[key])
	}
	return b.String()
}

// undoable is a state that can forget what was written to it since the last keep: a fold that fails writes nothing.
type undoable struct {
	State
	before map[string][]byte // of what was written; nil for a key that was not there
}

func (u *undoable) note(key []byte) {
	if _, noted := u.before[string(key)]; noted {
		return
	}
	u.before[string(key)] = u.State[string(key)]
}

// Set implements wasm.State.
func (u *undoable) Set(key, value []byte) error {
	u.note(key)
	return u.State.Set(key, value)
}

// Delete implements wasm.State.
func (u *undoable) Delete(key []byte) error {
	u.note(key)
	return u.State.Delete(key)
}

func (u *undoable) keep() { clear(u.before) }

func (u *undoable) undo() {
	for key, value := range u.before {
		if value == nil {
			delete(u.State, key)
		} else {
			u.State[key] = value
		}
	}
	clear(u.before)
}
