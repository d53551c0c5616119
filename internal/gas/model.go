package gas

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// Model is a version of the cost model. The charges of a version never change: an event is always folded again by the model that it
// was first folded with.
type Model int16

const (
	// Model1 counts instructions, and prices all alike.
	Model1 Model = 1
	// Model2 prices instructions, and memory of each size, by their worst-case time.
	Model2 Model = 2
	// CostModel is the version for new deployments.
	CostModel = Model2
)

// prices are the parameters of a cost model that differ between versions.
type prices struct {
	extra         map[wasmbin.Op]int64 // units for an instruction on top of costInstruction
	passesPerUnit int64                // parameters and results of a call for each additional unit
	page          int64                // units of memory.grow per page of 64 KiB, which is mapped, cleared and faulted in
	recursion     int64                // units per call of a function that meters the stack: it may touch new stack pages
	slice         int64                // see Model.Slice
	first         int64                // see Model.First
	firstLarge    int64                // the same for more than firstPages of memory
	rates         []rate               // by memory size, ascending; none means always 1
}

// rate is what a unit from the reserve costs while memory has at most so many pages.
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

// extras returns the prices of Model2 on top of costInstruction. A unit is about a seventh of a nanosecond on the machine where they were
// measured, each in a chain of the same instruction; see BenchmarkShapes in internal/wasm.
func extras() map[wasmbin.Op]int64 {
	const (
		load       = 8  // from memory of up to 256 KiB; larger memory has a rate
		division   = 11 // of integers
		branch     = 1  // mispredicted half of the time
		table      = 7  // mispredicted most of the time
		call       = 5
		indirect   = 11
		fill       = 31  // on top of the price of its bytes
		move       = 7   // likewise
		grow       = 50  // which leaves the guest
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

// Opcodes of floating point: the first of each type, and the offsets of others from it.
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

// Check returns an error for an unknown cost model.
func (m Model) Check() error {
	if models[m] == nil {
		return fmt.Errorf("cost model %d is not known; there are %d to %d", m, Model1, CostModel)
	}
	return nil
}

// firstPages is the largest memory with which a call starts with prices.first, in pages: language runtimes with a garbage collector
// need some memory, and most of their accesses are local.
const firstPages = 64

// First returns the most units that the counter may hold when a call starts with so many pages of memory. Their rate is 1.
func (m Model) First(pages int) int64 {
	if pages > firstPages {
		return models[m].firstLarge
	}
	return models[m].first
}

// Rate returns what each unit after First costs while memory has so many pages.
func (m Model) Rate(pages int) int64 {
	units := int64(1)
	for _, r := range models[m].rates {
		if units = r.units; pages <= int(r.pages) {
			break
		}
	}
	return units
}

// Slice returns the units that a refill fills the counter up to: what a guest may use between two calls of ExportRefill.
func (m Model) Slice() int64 { return models[m].slice }

// HasRates reports whether modules metered by m have ExportRate and ExportMaxRate.
func (m Model) HasRates() bool { return models[m].rates != nil }
