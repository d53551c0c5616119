package gas

import "github.com/tallystick/tallystick/internal/wasmbin"

// The cost model, in units. docs/gas.md says the same in words; whoever changes a number here changes CostModel.
const (
	// costInstruction is what every instruction costs; but block, else and end, which only mark places, cost nothing.
	costInstruction = 1
	// joinsPerUnit is how many variables one more unit pays for where branches meet: each may be moved there.
	joinsPerUnit = 64
	// bytesPerUnit is how many bytes memory.copy, memory.fill and memory.init move for one more unit.
	bytesPerUnit = 8
	shiftOfBytes = 3 // bytesPerUnit as a shift
	// MaxGrowPages is the most pages that memory.grow is charged for. More it is not given, whatever memory the module
	// declares: an instance's memory is no larger, so that a larger request fails, and costs nothing but itself.
	MaxGrowPages = 1024
)

const (
	// splitAt is the cost from which a stretch of code is not made longer where it can be split. Low, less is charged that
	// does not run; high, there are fewer charges to pay for.
	splitAt = 64
	// joinBelow is the cost below which a split is not worth its charge, and joinUpTo how long the stretch that it was part
	// of may be to take it back.
	joinBelow = 8
	joinUpTo  = 2 * splitAt
)

// cost is what an instruction costs before it runs.
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

// joins is what a block costs because branches meet behind it, or at its start.
func (b *body) joins(in wasmbin.Instruction) int64 {
	moved := b.variables
	if in.Indexed {
		moved += values(b.module.Type(in.Index))
	}
	return moved / joinsPerUnit
}

// values is how many values go in and out of a function or block.
func values(t wasmbin.FuncType, _ bool) int64 { return int64(len(t.Params) + len(t.Results)) }
