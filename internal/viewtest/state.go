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
