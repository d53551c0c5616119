package gas

import "github.com/tallystick/tallystick/internal/wasmbin"

// The cost model, in units, as described in docs/gas.md. A change of a number here needs a new CostModel.
const (
	// costInstruction is the price of every instruction except block, else and end, which are only markers and free.
	costInstruction = 1
	// joinsPerUnit is the number of variables for each unit where branches meet: each variable may be moved there.
	joinsPerUnit = 64
	// bytesPerUnit is the number of bytes for each unit of memory.copy, memory.fill and memory.init.
	bytesPerUnit = 8
	shiftOfBytes = 3 // bytesPerUnit as a shift
	// MaxGrowPages is the most pages that memory.grow is charged for. No instance has more memory, whatever the module
	// declares: a larger request fails, and costs only the instruction.
	MaxGrowPages = 1024
)

const (
	// splitAt is the cost from which on a stretch of code is split at the next opportunity. A lower value charges less for code
	// that does not run; a higher one needs fewer charges.
	splitAt = 64
	// joinBelow is the cost below which a split is not worth its charge. It is joined again with the stretch that it was
	// split from, if that costs less than joinUpTo.
	joinBelow = 8
	joinUpTo  = 2 * splitAt
)

// cost returns the price of an instruction that is known before it runs.
func (b *body) cost(in wasmbin.Instruction) int64 {
	units := costInstruction + b.prices.extra[in.Op]
	switch in.Op {
	case wasmbin.OpElse, wasmbin.OpEnd:
		return 0
	case wasmbin.OpBlock:
		return b.joins(in)
	case wasmbin.OpLoop, wasmbin.OpIf:
		return units + b.joins(in)
	case wasmbin.OpCall:
		return units + values(b.module.FunctionType(in.Index))/b.prices.passesPerUnit
	case wasmbin.OpCallIndirect:
		return units + values(b.module.Type(in.Index))/b.prices.passesPerUnit
	default:
		return units
	}
}

// joins returns the price of a block for the branches that meet after it, or at its start.
func (b *body) joins(in wasmbin.Instruction) int64 {
	moved := b.variables
	if in.Indexed {
		moved += values(b.module.Type(in.Index))
	}
	return moved / joinsPerUnit
}

// values returns the number of parameters and results of a function or block.
func values(t wasmbin.FuncType, _ bool) int64 { return int64(len(t.Params) + len(t.Results)) }
