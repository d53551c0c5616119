package bench

import (
	"encoding/binary"
	"slices"

	"github.com/tallystick/tallystick/internal/wasmbin"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

// attack is a malicious upload and its required outcome.
type attack struct {
	name  string
	what  string
	guest func() guest
	// refused are the problem codes that the upload may be refused with; without any it must be accepted, since it looks harmless.
	refused []string
	// halts is part of the error that the view must halt with at the first event; empty if it must not halt.
	halts string
	// fails is part of the error that a query must be refused with; empty if none is sent.
	fails string
}

const outOfGas = "ran out of gas"

// attacks are in the order in which they are tried.
var attacks = []attack{
	{
		name: "loop-fold", what: "a fold that never ends",
		guest: func() guest { return guest{pages: 1, fold: code(endlessLoop, opConst(0))} }, halts: outOfGas,
	},
	{
		name: "loop-query", what: "a query that never ends",
		guest: func() guest { return guest{pages: 1, query: code(endlessLoop, opConst64(0))} }, fails: outOfGas,
	},
	{
		name: "loop-init", what: "an _initialize that never ends",
		guest: func() guest { return guest{pages: 1, start: endlessLoop} }, refused: []string{"init_failed"},
	},
	{
		name: "memory-bomb", what: "a fold that takes all memory",
		guest: func() guest { return guest{pages: 1, fold: memoryBomb()} }, halts: outOfGas,
	},
	{name: "recursion", what: "a fold that calls itself", guest: func() guest {
		return guest{pages: 1, fold: code(opWith(wasmbin.OpLocalGet, 0), opWith(wasmbin.OpCall, foldFunction))}
	}, halts: "tally_fold"},
	{
		name: "compile-bomb", what: "code that takes long to compile", guest: compileBomb,
		refused: []string{"too_large", "compile_too_slow", "compile_too_large"},
	},
	{
		name: "huge-table", what: "a table of 4,294,967,295 entries",
		guest: func() guest { return guest{pages: 1, table: 1<<32 - 1} }, refused: []string{"too_large"},
	},
}

// module encodes the guest. Each number gives other bytes, so that nothing cached by an earlier attack can help.
func (a *attack) module(number int) []byte {
	g := a.guest()
	g.nonce = binary.LittleEndian.AppendUint64(nil, uint64(number)) //nolint:gosec // never negative
	return g.encode()
}

var endlessLoop = code(opStart(wasmbin.OpLoop), opWith(wasmbin.OpBr, 0), op(wasmbin.OpEnd))

// memoryBomb grows memory page by page and writes all of each page until growing fails, and then traps as language runtimes do.
func memoryBomb() []byte {
	const page = 64 << 10
	return code(
		opStart(wasmbin.OpLoop),
		opConst(1), opWith(wasmbin.OpMemoryGrow, 0), opConst(-1), op(opI32Equal), opStart(wasmbin.OpIf),
		op(wasmbin.OpUnreachable), op(wasmbin.OpEnd),
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

// compileBomb is the slowest code to compile that the limits admit, found by trying many shapes: few functions, with as many branches as
// allowed, and as many variables as allowed moved between them.
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

// mayRefuse reports whether the attack may be refused with this problem.
func (a *attack) mayRefuse(p *api.Error) bool { return slices.Contains(a.refused, p.Code) }
