package bench

import (
	"encoding/binary"
	"slices"

	api "github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

// attack is an upload that means no good, and what must become of it.
type attack struct {
	name  string
	what  string
	guest func() guest
	// refused are the codes that an upload may be refused with. An attack without any must be taken, since nobody can know.
	refused []string
	// halts is part of the error that the view must halt with at the first event; empty where it must go on.
	halts string
	// fails is part of the error that a question must be refused with; empty where none is asked.
	fails string
}

const outOfGas = "ran out of gas"

// attacks are in the order in which they are tried.
var attacks = []attack{
	{name: "loop-fold", what: "a fold that never ends", guest: func() guest { return guest{pages: 1, fold: code(endlessLoop, opConst(0))} }, halts: outOfGas},
	{name: "loop-query", what: "a query that never ends", guest: func() guest { return guest{pages: 1, query: code(endlessLoop, opConst64(0))} }, fails: outOfGas},
	{name: "loop-init", what: "an _initialize that never ends", guest: func() guest { return guest{pages: 1, start: endlessLoop} }, refused: []string{"init_failed"}},
	{name: "memory-bomb", what: "a fold that takes all memory", guest: func() guest { return guest{pages: 1, fold: memoryBomb()} }, halts: outOfGas},
	{name: "recursion", what: "a fold that calls itself", guest: func() guest {
		return guest{pages: 1, fold: code(opWith(wasmbin.OpLocalGet, 0), opWith(wasmbin.OpCall, foldFunction))}
	}, halts: "tally_fold"},
	{name: "compile-bomb", what: "code that takes long to compile", guest: compileBomb, refused: []string{"too_large", "compile_too_slow", "compile_too_large"}},
	{name: "huge-table", what: "a table of 4,294,967,295 entries", guest: func() guest { return guest{pages: 1, table: 1<<32 - 1} }, refused: []string{"too_large"}},
}

// module writes the guest down. Each number gives other bytes, so that nothing of an earlier attack is of use.
func (a *attack) module(number int) []byte {
	g := a.guest()
	g.nonce = binary.LittleEndian.AppendUint64(nil, uint64(number)) //nolint:gosec // never negative
	return g.encode()
}

var endlessLoop = code(opStart(wasmbin.OpLoop), opWith(wasmbin.OpBr, 0), op(wasmbin.OpEnd))

// memoryBomb takes page after page and writes all of each, until it gets no more, and fails then as run times do.
func memoryBomb() []byte {
	const page = 64 << 10
	return code(
		opStart(wasmbin.OpLoop),
		opConst(1), opWith(wasmbin.OpMemoryGrow, 0), opConst(-1), op(opI32Equal), opStart(wasmbin.OpIf), op(wasmbin.OpUnreachable), op(wasmbin.OpEnd),
		// from the start of the last page: its number is that of all pages less one
		opWith(wasmbin.OpMemorySize, 0), opConst(1), op(opI32Subtract), opConst(page), op(opI32Multiply),
		opConst(0xff), opConst(page), opMemoryFill,
		opWith(wasmbin.OpBr, 0), op(wasmbin.OpEnd),
		opConst(0),
	)
}

// Opcodes that wasmbin does not name.
const (
	opI32Equal    wasmbin.Op = 0x46
	opI32Subtract wasmbin.Op = 0x6b
	opI32Multiply wasmbin.Op = 0x6c
)

var opMemoryFill = []byte{0xfc, 11, 0}

// compileBomb is what takes compilers longest of all that the limits on code let pass, found by trying many shapes: in few
// functions, as many branches as may be, between which as many variables as may be are moved.
func compileBomb() guest {
	const locals, branches, functions = 499, 1040, 6
	var body []byte
	for i := range branches {
		body = append(body, code(
			opWith(wasmbin.OpLocalGet, i%locals), opStart(wasmbin.OpIf),
			opWith(wasmbin.OpLocalGet, i%locals), opWith(wasmbin.OpLocalSet, (i*5+2)%locals),
			op(wasmbin.OpEnd))...)
	}
	return guest{pages: 1, others: functions, otherLocals: locals, other: append(body, opWith(wasmbin.OpLocalGet, 0)...)}
}

// expects tells whether this is a refusal that the attack may meet.
func (a *attack) expects(p *api.Problem) bool { return slices.Contains(a.refused, p.Code) }
