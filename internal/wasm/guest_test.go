package wasm

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// The tests' guests are written by hand in WebAssembly's binary format, by the few lines below: no tool chain, and
// guests can be as broken as a test needs.

// Instructions without operands.
var (
	opUnreachable = []byte{0x00}
	opEnd         = []byte{0x0b}
	opReturn      = []byte{0x0f}
	opDrop        = []byte{0x1a}
	opI32Eqz      = []byte{0x45}
	opI32GeU      = []byte{0x4f}
	opI64Eq       = []byte{0x51}
	opI32Add      = []byte{0x6a}
	opI32DivU     = []byte{0x6e}
	opI32And      = []byte{0x71}
	opI64ShrU     = []byte{0x88}
	opI32WrapI64  = []byte{0xa7}
	opBlock       = []byte{0x02, 0x40}
	opLoop        = []byte{0x03, 0x40}
	opIf          = []byte{0x04, 0x40}
)

func opCall(function int) []byte { return append([]byte{0x10}, leb(function)...) }
func opBr(depth int) []byte      { return append([]byte{0x0c}, leb(depth)...) }
func opBrIf(depth int) []byte    { return append([]byte{0x0d}, leb(depth)...) }
func opGet(local int) []byte     { return append([]byte{0x20}, leb(local)...) }
func opSet(local int) []byte     { return append([]byte{0x21}, leb(local)...) }
func opTee(local int) []byte     { return append([]byte{0x22}, leb(local)...) }
func opLoad(offset int) []byte   { return append([]byte{0x28, 2}, leb(offset)...) }
func opStore(offset int) []byte  { return append([]byte{0x36, 2}, leb(offset)...) }
func opConst(v int32) []byte     { return append([]byte{0x41}, wasmbin.AppendS(nil, int64(v))...) }
func opConst64(v int64) []byte   { return append([]byte{0x42}, wasmbin.AppendS(nil, v)...) }
func opMemoryGrow() []byte       { return []byte{0x40, 0} }

func code(instructions ...[]byte) []byte { return slices.Concat(instructions...) }

func leb(v int) []byte { return binary.AppendUvarint(nil, uint64(v)) }

// Functions of every guest: the imports in the order of tallyFunctions, then its own.
const (
	callGet = iota
	callSet
	callDelete
	callScan
	callConfig
	callFail
	callContentType
	callGetInto
	callAnswer
	callRetryAfter
	ownFunctions
)

type function struct {
	export    string
	signature signature
	locals    string // types, one per byte
	body      []byte // without the closing end
}

type importEntry struct {
	module, name string
	kind         byte
	signature    signature
}

type exportEntry struct {
	name  string
	kind  byte
	index int
}

// guest describes a module; encode writes it down as it is, valid or not.
type guest struct {
	imports   []importEntry
	functions []function
	table     []byte // the table section's one entry
	memory    []byte // the memory section's one entry
	data      map[int]string
	exports   []exportEntry // besides the functions that name theirs
	sections  map[byte][]byte
}

// The guests' memory: the bump pointer of tally_alloc, and the memory that it allocates.
const (
	bumpAt  = 8
	arenaAt = 4096
)

// resetArena ends a call: it frees all memory for the next one.
var resetArena = code(opConst(bumpAt), opConst(arenaAt), opStore(0))

// newGuest is a guest that ignores all events and answers null.
func newGuest() *guest {
	g := &guest{
		memory:  []byte{0, 2},
		data:    map[int]string{bumpAt: "\x00\x10\x00\x00", 16: "null"},
		exports: []exportEntry{{"memory", wasmbin.KindMemory, 0}},
	}
	for _, f := range tallyFunctions {
		g.imports = append(g.imports, importEntry{hostModule, f.name, wasmbin.KindFunction, f.signature})
	}
	g.functions = []function{
		{"tally_alloc", signature{i32, i32}, i32, code(
			opConst(bumpAt),
			opConst(bumpAt), opLoad(0), opTee(1),
			opGet(0), opConst(7), opI32Add, opConst(-8), opI32And, opI32Add,
			opStore(0), opGet(1),
		)},
		{"tally_fold", signature{i32, i32}, i32 + i32 + i32 + i64, opConst(1)},
		{"tally_query", signature{i32 + i32, i64}, i32 + i64, opConst64(16<<32 | 4)},
	}
	return g
}

func (g *guest) function(name string) *function {
	for i := range g.functions {
		if g.functions[i].export == name {
			return &g.functions[i]
		}
	}
	g.functions = append(g.functions, function{export: name})
	return &g.functions[len(g.functions)-1]
}

func (g *guest) fold(instructions ...[]byte) *guest {
	g.function("tally_fold").body = code(instructions...)
	return g
}

func (g *guest) query(instructions ...[]byte) *guest {
	g.function("tally_query").body = code(instructions...)
	return g
}

func (g *guest) alloc(instructions ...[]byte) *guest {
	g.function("tally_alloc").body = code(instructions...)
	return g
}

// fields gives the guest a tally_fields that returns text.
func (g *guest) fields(text string) *guest {
	const at = 32
	g.data[at] = text
	f := g.function("tally_fields")
	f.signature, f.body = signature{"", i64}, opConst64(at<<32|int64(len(text)))
	return g
}

func (g *guest) initialize(instructions ...[]byte) *guest {
	f := g.function("_initialize")
	f.body = code(instructions...)
	return g
}

func (g *guest) encode() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	bodies := map[byte][]byte{wasmbin.SectionMemory: vector(g.memory), wasmbin.SectionTable: vector(g.table)}
	var types, imports, functions, exports, codes, data [][]byte
	for _, f := range g.imports {
		entry := code(text(f.module), text(f.name), []byte{f.kind})
		if f.kind == wasmbin.KindFunction {
			entry = append(entry, leb(len(types))...)
			types = append(types, functionType(f.signature))
		} else {
			entry = append(entry, 0x7f, 0) // an immutable i32 global
		}
		imports = append(imports, entry)
	}
	for i, f := range g.functions {
		functions = append(functions, leb(len(types)))
		types = append(types, functionType(f.signature))
		exports = append(exports, code(text(f.export), []byte{wasmbin.KindFunction}, leb(len(g.imports)+i)))
		var locals [][]byte
		for j := range len(f.locals) {
			locals = append(locals, []byte{1, f.locals[j]})
		}
		codes = append(codes, text(string(code(vector(locals...), f.body, opEnd))))
	}
	for _, e := range g.exports {
		exports = append(exports, code(text(e.name), []byte{e.kind}, leb(e.index)))
	}
	for at, content := range g.data {
		data = append(data, code([]byte{0}, opConst(int32(at)), opEnd, text(content)))
	}
	slices.SortFunc(data, bytes.Compare) // a map has no order, and the same guest must give the same bytes
	bodies[wasmbin.SectionType], bodies[wasmbin.SectionImport] = vector(types...), vector(imports...)
	bodies[wasmbin.SectionFunction], bodies[wasmbin.SectionExport] = vector(functions...), vector(exports...)
	bodies[wasmbin.SectionCode], bodies[wasmbin.SectionData] = vector(codes...), vector(data...)
	for id, body := range g.sections {
		bodies[id] = body
	}
	for _, id := range wasmbin.SectionOrder {
		if body, ok := bodies[id]; ok && (len(body) > 1 || id == wasmbin.SectionStart || id == wasmbin.SectionDataCount) {
			out = append(append(out, id), text(string(body))...)
		}
	}
	return out
}

func functionType(s signature) []byte { return code([]byte{0x60}, text(s.params), text(s.results)) }

// text is a byte string with its length before it.
func text(s string) []byte { return append(leb(len(s)), s...) }

// vector is a sequence with its number before it; empty elements do not count.
func vector(elements ...[]byte) []byte {
	elements = slices.DeleteFunc(elements, func(e []byte) bool { return len(e) == 0 })
	return append(leb(len(elements)), code(elements...)...)
}

// slot pushes the pointer and length of a field's text, in a fold.
func slot(i int) []byte {
	at := headerSize + slotSize*i
	return code(opGet(0), opLoad(at+4), opGet(0), opLoad(at+8))
}

// storeGuest sets key to value, or deletes it if there is no value; queried with a key it answers its value or null.
func storeGuest() *guest {
	return newGuest().fields("/key\n/value").fold(
		slot(0), opSet(2), opSet(1),
		opGet(0), opLoad(headerSize+slotSize), opI32Eqz, opIf, // the value is missing
		opGet(1), opGet(2), opCall(callDelete), resetArena, opConst(0), opReturn,
		opEnd,
		opGet(1), opGet(2), slot(1), opCall(callSet), resetArena, opConst(0),
	).query(
		opGet(0), opGet(1), opCall(callGet), opTee(3),
		opConst64(-1), opI64Eq, opIf,
		opConst64(16<<32|4), opSet(3),
		opEnd,
		resetArena, opGet(3),
	)
}

// scanGuest scans from the texts of its first two fields, up to the limit in its third one's length, and sets every
// entry that it gets.
func scanGuest() *guest {
	return newGuest().fields("/prefix\n/after\n/limit").fold(
		slot(0), slot(1), opGet(0), opLoad(headerSize+2*slotSize+8), opCall(callScan), opTee(4),
		opConst64(32), opI64ShrU, opI32WrapI64, opTee(1),
		opGet(4), opI32WrapI64, opI32Add, opSet(2), // from local 1 to local 2
		opBlock, opLoop,
		opGet(1), opGet(2), opI32GeU, opBrIf(1),
		opGet(1), opConst(8), opI32Add, opTee(3), opGet(1), opLoad(0), // the key
		opGet(3), opGet(1), opLoad(0), opI32Add, opGet(1), opLoad(4), // the value
		opCall(callSet),
		opGet(3), opGet(1), opLoad(0), opI32Add, opGet(1), opLoad(4), opI32Add, opSet(1),
		opBr(0),
		opEnd, opEnd,
		resetArena, opConst(0),
	)
}

// countGuest counts its folds in memory, where a view must not, and writes the count, below 10, as key "n".
func countGuest() *guest {
	const countAt, keyAt = 24, 28
	g := newGuest().fold(
		opConst(countAt), opConst(countAt), opLoad(0), opConst(1), opI32Add, opStore(0),
		opConst(keyAt), opConst(1), opConst(countAt), opConst(1), opCall(callSet),
		resetArena, opConst(0),
	)
	g.data[countAt], g.data[keyAt] = "0", "n"
	return g
}

// meterGuest reads key "m" and writes back what it read, or null at first: the state work of a typical fold.
func meterGuest() *guest {
	const keyAt = 24
	g := newGuest().fold(
		opConst(keyAt), opConst(1), opCall(callGet), opTee(4),
		opConst64(-1), opI64Eq, opIf, opConst64(16<<32|4), opSet(4), opEnd,
		opConst(keyAt), opConst(1),
		opGet(4), opConst64(32), opI64ShrU, opI32WrapI64, opGet(4), opI32WrapI64, opCall(callSet),
		resetArena, opConst(0),
	)
	g.data[keyAt] = "m"
	return g
}
