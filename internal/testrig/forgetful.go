package testrig

import (
	_ "embed"
	"encoding/binary"
	"slices"
)

//go:embed forgetful/forgetful.wasm
var forgetful []byte

// Forgetful returns a view that keeps what it must not, in the way that its configuration names; forgetful/forgetful.c lists the ways. The
// bytes are shared: do not change them.
func Forgetful() []byte { return forgetful }

// CountingGlobal returns a handwritten view that counts its events in a WebAssembly global, which a view must not do, and stores the count
// under the key n. A global is not part of memory, so resetting memory does not reset it.
func CountingGlobal() []byte {
	section := func(id byte, parts ...[]byte) []byte {
		content := slices.Concat(parts...)
		return slices.Concat([]byte{id}, binary.AppendUvarint(nil, uint64(len(content))), content)
	}
	name := func(text string) []byte { return append([]byte{byte(len(text))}, text...) }
	body := func(instructions ...byte) []byte {
		return slices.Concat([]byte{byte(len(instructions) + 2), 0}, instructions, []byte{0x0b}) // no locals; end
	}
	fold := []byte{
		0x23, 0, 0x41, 1, 0x6a, 0x24, 0, // global.get · 1 · i32.add · global.set
		0x41, 8, 0x23, 0, 0x3a, 0, 0, // its lowest byte at 8: i32.store8
		0x41, 0, 0x41, 1, 0x41, 8, 0x41, 1, 0x10, 0, // set("n", what is at 8)
		0x41, 0,
	}
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{3, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0}),
		section(2, []byte{1}, name("tally"), name("set"), []byte{0, 2}),
		section(3, []byte{3, 0, 0, 1}),
		section(5, []byte{1, 0, 2}),
		section(6, []byte{1, 0x7f, 1, 0x41, '0', 0x0b}), // a mutable i32
		section(7, []byte{4}, name("memory"), []byte{2, 0}, name("tally_alloc"), []byte{0, 1},
			name("tally_fold"), []byte{0, 2}, name("tally_query"), []byte{0, 3}),
		section(10, []byte{3}, body(0x41, 0x80, 0x08), body(fold...), body(0x42, 4)), // room at 1024; the answer is at 0, 4 bytes
		section(11, []byte{1, 0, 0x41, 0, 0x0b}, name("n   ")),
	)
}
