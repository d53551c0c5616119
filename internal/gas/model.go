package gas

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// Model is a version of the cost model. What a module is charged under one never changes: what was folded once is folded again by
// the model that it was folded with.
type Model int16

const (
	// Model1 counts instructions, whatever they do.
	Model1 Model = 1
	// Model2 prices instructions, and memory by its size, by the time that they take at the worst.
	Model2 Model = 2
	// CostModel is the version for what is deployed now.
	CostModel = Model2
)

// prices is a cost model: what is not the same in all of them.
type prices struct {
	extra         map[wasmbin.Op]int64 // units for an instruction besides costInstruction
	passesPerUnit int64                // how many parameters and results of a call one more unit pays for
	page          int64                // units of memory.grow for each page: 64 KiB are mapped, cleared and, at the first touch, faulted in
	recursion     int64                // units of each call of a function that meters the stack: it may touch more of it than any before
	slice         int64                // see Model.Slice
	first         int64                // see Model.First
	firstLarge    int64                // the same for memory of more than firstPages
	rates         []rate               // by memory, the smallest first; none: always 1
}

// rate says what a unit costs that is taken from the reserve while memory has up to so many pages.
type rate struct {
	pages uint32
	units int64
}

var models = map[Model]*prices{
	Model1: {passesPerUnit: 16, page: (64 << 10) / bytesPerUnit, slice: 1_000_000, first: 1_000_000, firstLarge: 1_000_000},
	Model2: {
		passesPerUnit: 4, recursion: 20, page: 3 * (64 << 10) / bytesPerUnit,
		slice: 100_000, first: 700_000, firstLarge: 250_000,
		extra: extras(), rates: []rate{{4, 1}, {16, 4}, {32, 6}, {128, 56}, {MaxGrowPages, 80}},
	},
}

// extras are what instructions cost in Model2 besides the one unit, in units of about a seventh of a nanosecond on the machine that
// they were measured on, each in a chain of nothing else; see BenchmarkShapes in internal/wasm.
func extras() map[wasmbin.Op]int64 {
	const (
		load       = 8  // from memory of up to 256 KiB; what is larger has a rate
		division   = 11 // of integers
		branch     = 1  // mispredicted half of the time
		table      = 7  // mispredicted most of the time
		call       = 5
		indirect   = 11
		fill       = 31  // besides what its bytes cost
		move       = 7   // likewise
		grow       = 50  // it leaves the guest
		reference  = 250 // likewise, for longer
		multiply   = 1
		float      = 2 // addition, subtraction and multiplication
		divide     = 9 // of floats
		root       = 14
		round      = 1
		truncate   = 9 // to integers
		convert    = 3 // from integers
		resize     = 2 // between f32 and f64, and between floats and their bits
		firstStore = 0x36
	)
	extra := map[wasmbin.Op]int64{
		wasmbin.OpIf: branch, wasmbin.OpBrIf: branch, wasmbin.OpBrTable: table, wasmbin.OpCall: call, wasmbin.OpCallIndirect: indirect,
		wasmbin.OpMemoryFill: fill, wasmbin.OpMemoryCopy: move, wasmbin.OpMemoryInit: move, wasmbin.OpMemoryGrow: grow,
		wasmbin.OpRefFunc: reference, wasmbin.OpTableGet: load, wasmbin.OpI64Mul: multiply,
	}
	between := func(first, last wasmbin.Op, units int64) {
		for op := first; op <= last; op++ {
			extra[op] = units
		}
	}
	between(wasmbin.OpI32Load, firstStore-1, load)
	between(wasmbin.OpI32DivS, wasmbin.OpI32RemU, division)
	between(wasmbin.OpI64DivS, wasmbin.OpI64RemU, division)
	for _, first := range []wasmbin.Op{opF32Abs, opF64Abs} {
		between(first+opCeil, first+opNearest, round)
		between(first+opSqrt, first+opSqrt, root)
		between(first+opAdd, first+opMul, float)
		between(first+opDiv, first+opDiv, divide)
		between(first+opMin, first+opCopysign, float)
	}
	between(wasmbin.OpI32TruncF32S, wasmbin.OpI32TruncF32S+3, truncate)
	between(wasmbin.OpI64TruncF32S, wasmbin.OpI64TruncF64U, truncate)
	between(wasmbin.OpI64TruncSat-7, wasmbin.OpI64TruncSat, truncate)
	between(opF32ConvertI32S, opF64PromoteF32, convert)
	extra[opF32DemoteF64], extra[opF64PromoteF32] = resize, resize
	between(opF64PromoteF32+1, opF64PromoteF32+4, resize) // the four that reinterpret
	return extra
}

// Opcodes of floating point: the first of each type, and how far behind it the others are.
const (
	opF32Abs wasmbin.Op = 0x8b
	opF64Abs wasmbin.Op = 0x99

	opCeil     = 2
	opNearest  = 5
	opSqrt     = 6
	opAdd      = 7
	opMul      = 9
	opDiv      = 10
	opMin      = 11
	opCopysign = 13

	opF32ConvertI32S wasmbin.Op = 0xb2
	opF32DemoteF64   wasmbin.Op = 0xb6
	opF64PromoteF32  wasmbin.Op = 0xbb
)

// Check returns an error for a cost model that this program does not know.
func (m Model) Check() error {
	if models[m] == nil {
		return fmt.Errorf("cost model %d is not known; there are %d to %d", m, Model1, CostModel)
	}
	return nil
}

// firstPages is up to which memory a call may begin with prices.first at a rate of 1, in pages: runtimes with a garbage collector have
// some, and most of what they do with it is near.
const firstPages = 64

// First is how much the counter may hold when a call begins with memory of so many pages, in units. It is used at the rate of 1.
func (m Model) First(pages int) int64 {
	if pages > firstPages {
		return models[m].firstLarge
	}
	return models[m].first
}

// Rate is what each unit after those costs while memory has so many pages.
func (m Model) Rate(pages int) int64 {
	units := int64(1)
	for _, r := range models[m].rates {
		if units = r.units; pages <= int(r.pages) {
			break
		}
	}
	return units
}

// Slice is how much the counter is filled up to, in units: what a guest may use before it leaves for the host for a moment.
func (m Model) Slice() int64 { return models[m].slice }

// HasRates tells whether a module has ExportRate and ExportMaxRate.
func (m Model) HasRates() bool { return models[m].rates != nil }
