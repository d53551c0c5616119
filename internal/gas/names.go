package gas

import (
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// customNames is the custom section that names functions and more.
const customNames = "name"

// subsectionFunctions is its subsection with the names of functions.
const subsectionFunctions = 1

// maxNameBytes is the longest name of a function that is kept; names of Go and Rust are shorter.
const maxNameBytes = 4 << 10

// functionNames returns a name section with the functions' names of another, for stack traces, or nil if that one is malformed. A
// malformed name section does not make a module invalid, but wazero trusts the lengths in it.
func functionNames(data []byte, functions int) []byte {
	r := wasmbin.NewReader(data)
	r.Name()
	for r.More() {
		id := r.Byte()
		content := wasmbin.NewReader(r.Bytes(r.U32()))
		if id != subsectionFunctions {
			continue
		}
		names := copyNames(content, functions)
		if names == nil || r.Bad() {
			return nil
		}
		out := append(wasmbin.AppendU(nil, uint32(len(customNames))), customNames...)
		out = append(out, subsectionFunctions)
		return append(wasmbin.AppendU(out, uint32(len(names))), names...)
	}
	return nil
}

// copyNames copies a map from the indices of functions to names.
func copyNames(r *wasmbin.Reader, functions int) []byte {
	var out []byte
	n, next := r.Count(), 0
	if n > functions {
		return nil
	}
	for range n {
		index, name := r.U32(), r.Name()
		if r.Bad() || int64(index) < int64(next) || int64(index) >= int64(functions) || len(name) > maxNameBytes ||
			!utf8.ValidString(name) {
			return nil
		}
		next = int(index) + 1
		out = append(wasmbin.AppendU(wasmbin.AppendU(out, index), uint32(len(name))), name...)
	}
	if r.Bad() || r.More() {
		return nil
	}
	return append(wasmbin.AppendU(nil, uint32(n)), out...)
}
