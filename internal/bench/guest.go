package bench

import (
	"encoding/binary"
	"slices"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// This file encodes guests in WebAssembly's binary format: views that do nothing but what a measurement is about, and that no compiler
// would produce.

// guest is a view. Its functions are instructions without the final end.
type guest struct {
	pages int    // of memory, of 64 KiB each
	table uint32 // entries; 0 for no table
	alloc []byte // of (n: i32) -> i32; nil: always the same address
	fold  []byte // of (event: i32) -> i32; nil: ignores it
	query []byte // of (ptr, len: i32) -> i64; nil: answers null
	start []byte // of _initialize; nil for none
	// others is a number of functions (i32) -> i32 with locals of type i32, which nothing calls.
	others      int
	otherLocals int
	other       []byte
	nonce       []byte // stored in memory, after null
	sets        bool   // the guest imports set as function importedSet, which shifts the index of all others by one
}

const (
	// nullAt is where every guest has the text null.
	nullAt = 16
	// roomAt is the address for events and queries.
	roomAt = 4096
	// foldFunction is the index of tally_fold.
	foldFunction = 1
	// importedSet is the index of set, where it is imported.
	importedSet = 0
)

// op is an instruction without operands. All opcodes here are one byte.
func op(code wasmbin.Op) []byte { return []byte{byte(code)} } //nolint:gosec // see above

func opWith(code wasmbin.Op, index int) []byte { return append(op(code), unsigned(index)...) }
func opConst(v int64) []byte                   { return append(op(wasmbin.OpI32Const), wasmbin.AppendS(nil, v)...) }

func opConst64(v int64) []byte { return append(op(wasmbin.OpI64Const), wasmbin.AppendS(nil, v)...) }

// opStart begins a block, loop or if without a result.
func opStart(code wasmbin.Op) []byte { return append(op(code), 0x40) }

func code(instructions ...[]byte) []byte { return slices.Concat(instructions...) }

func unsigned(v int) []byte { return binary.AppendUvarint(nil, uint64(v)) } //nolint:gosec // never negative

// sized prefixes b with its length.
func sized(b []byte) []byte { return append(unsigned(len(b)), b...) }

// vector prefixes the elements with their number.
func vector(elements ...[]byte) []byte { return append(unsigned(len(elements)), code(elements...)...) }

// Types of functions, by their index in every guest.
const (
	typeFold  = iota // also of tally_alloc, and of others
	typeQuery        // of tally_query
	typeStart        // of _initialize
	typeSet          // of the import set
)

var guestTypes = vector(
	[]byte{wasmbin.FunctionForm, 1, wasmbin.TypeI32, 1, wasmbin.TypeI32},
	[]byte{wasmbin.FunctionForm, 2, wasmbin.TypeI32, wasmbin.TypeI32, 1, wasmbin.TypeI64},
	[]byte{wasmbin.FunctionForm, 0, 0},
	[]byte{wasmbin.FunctionForm, 4, wasmbin.TypeI32, wasmbin.TypeI32, wasmbin.TypeI32, wasmbin.TypeI32, 0},
)

// encode returns the module.
func (g *guest) encode() []byte {
	var functions, exports, bodies [][]byte
	imported := 0
	if g.sets {
		imported = 1
	}
	add := func(name string, kind byte, body []byte, locals int) {
		if name != "" {
			exports = append(exports, code(sized([]byte(name)), []byte{wasmbin.KindFunction}, unsigned(imported+len(functions))))
		}
		declared := vector()
		if locals > 0 {
			declared = code(unsigned(1), unsigned(locals), []byte{wasmbin.TypeI32})
		}
		functions = append(functions, []byte{kind})
		bodies = append(bodies, sized(code(declared, body, op(wasmbin.OpEnd))))
	}
	or := func(body, usual []byte) []byte {
		if body == nil {
			return usual
		}
		return body
	}
	add("tally_alloc", typeFold, or(g.alloc, opConst(roomAt)), 0)
	add("tally_fold", typeFold, or(g.fold, opConst(1)), 0)
	add("tally_query", typeQuery, or(g.query, opConst64(nullAt<<32|int64(len("null")))), 0)
	if g.start != nil {
		add("_initialize", typeStart, g.start, 0)
	}
	for range g.others {
		add("", typeFold, g.other, g.otherLocals)
	}
	exports = append(exports, code(sized([]byte("memory")), []byte{wasmbin.KindMemory, 0}))
	out := []byte(wasmbin.Magic)
	section := func(id byte, data []byte) { out = append(append(out, id), sized(data)...) }
	section(wasmbin.SectionType, guestTypes)
	if g.sets {
		section(wasmbin.SectionImport, vector(code(sized([]byte("tally")), sized([]byte("set")), []byte{wasmbin.KindFunction, typeSet})))
	}
	section(wasmbin.SectionFunction, vector(functions...))
	if g.table > 0 {
		section(wasmbin.SectionTable, vector(code([]byte{wasmbin.TypeFuncref, 0}, unsigned(int(g.table)))))
	}
	section(wasmbin.SectionMemory, vector(code([]byte{0}, unsigned(g.pages))))
	section(wasmbin.SectionExport, vector(exports...))
	section(wasmbin.SectionCode, vector(bodies...))
	section(wasmbin.SectionData, vector(code([]byte{0}, opConst(nullAt), op(wasmbin.OpEnd), sized(append([]byte("null"), g.nonce...)))))
	return out
}
