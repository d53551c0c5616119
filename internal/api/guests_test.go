package api_test

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tallystick/tallystick/views"
)

// The views that go wrong are written by hand in WebAssembly's binary format.

var magic = []byte("\x00asm\x01\x00\x00\x00")

// section is one section of a module.
func section(id byte, parts ...[]byte) []byte {
	content := slices.Concat(parts...)
	return slices.Concat([]byte{id}, binary.AppendUvarint(nil, uint64(len(content))), content)
}

// text is a name: its length and its bytes.
func text(name string) []byte { return append([]byte{byte(len(name))}, name...) }

// importing is a module that wants one function of the host.
func importing(module, name string) []byte {
	return slices.Concat(magic,
		section(1, []byte{1, 0x60, 0, 0}), // a type: no parameters, no results
		section(2, []byte{1}, text(module), text(name), []byte{0, 0}),
	)
}

// withoutExport is a view that works but for the name of one export.
func withoutExport(name string) []byte {
	other := []byte(name)
	other[len(other)-1]++
	return bytes.Replace(views.MonthlyTotals(), []byte(name), other, 1)
}

// refusal is the error of the view of haltingAt about the event that it does not accept.
const refusal = "this event is one too many"

// haltingAt is a view that folds every event but the one with the sequence (below 64). Asked "trap" it traps; asked
// anything else it answers true.
func haltingAt(sequence byte) []byte {
	const answerAt, refusalAt, roomAt = 0, 16, 1024
	body := func(instructions ...byte) []byte {
		return slices.Concat([]byte{byte(len(instructions) + 2), 0}, instructions, []byte{0x0b}) // no locals; end
	}
	room := binary.AppendUvarint([]byte{0x41}, roomAt) // i32.const
	fold := []byte{
		0x20, 0, 0x29, 3, 0, 0x42, sequence, 0x51, // local.get 0 · i64.load · i64.const · i64.eq
		0x04, 0x7f, 0x41, refusalAt, 0x41, byte(len(refusal)), 0x10, 0, 0x41, 0x7f, // if · fail(text) · -1
		0x05, 0x41, 0, 0x0b, // else · 0 · end
	}
	query := []byte{
		0x20, 1, 0x41, 4, 0x46, 0x04, 0x40, 0x00, 0x0b, // local.get 1 · 4 · i32.eq · if · unreachable · end
		0x42, 4, // the pair of pointer 0 and length 4
	}
	return slices.Concat(magic,
		section(1, []byte{3, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 2, 0x7f, 0x7f, 0}),
		section(2, []byte{1}, text("tally"), text("fail"), []byte{0, 2}),
		section(3, []byte{3, 0, 0, 1}),
		section(5, []byte{1, 0, 1}),
		section(7, []byte{4}, text("memory"), []byte{2, 0}, text("tally_alloc"), []byte{0, 1},
			text("tally_fold"), []byte{0, 2}, text("tally_query"), []byte{0, 3}),
		section(10, []byte{3}, body(room...), body(fold...), body(query...)),
		section(11, []byte{2, 0, 0x41, answerAt, 0x0b}, text("true"), []byte{0, 0x41, refusalAt, 0x0b}, text(refusal)),
	)
}

// answering is a view that ignores every event and returns the same answer, of JSON, to every query.
func answering(answer string) []byte {
	const answerAt, roomAt, page = 0, 2 << 20, 64 << 10
	number := func(n int) []byte { // signed, and not negative
		return binary.AppendUvarint(nil, uint64(n))
	}
	body := func(instructions []byte) []byte {
		return slices.Concat(binary.AppendUvarint(nil, uint64(len(instructions)+2)), []byte{0}, instructions, []byte{0x0b})
	}
	length := []byte{0x42} // i64.const of the pair of pointer 0 and the length, in the signed form
	for n := len(answer); ; n >>= 7 {
		if n < 0x40 {
			length = append(length, byte(n))
			break
		}
		length = append(length, byte(n)|0x80)
	}
	segment := slices.Concat([]byte{1, 0, 0x41, answerAt, 0x0b}, number(len(answer)), []byte(answer))
	return slices.Concat(magic,
		section(1, []byte{2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e}),
		section(3, []byte{3, 0, 0, 1}),
		section(5, []byte{1, 0}, number(roomAt/page+20)),
		section(7, []byte{4}, text("memory"), []byte{2, 0}, text("tally_alloc"), []byte{0, 0},
			text("tally_fold"), []byte{0, 1}, text("tally_query"), []byte{0, 2}),
		section(10, []byte{3}, body(append([]byte{0x41}, 0x80, 0x80, 0x80, 0x01)), body([]byte{0x41, 1}), body(length)),
		section(11, segment),
	)
}
