package wasmbin

// Op is an instruction's opcode: its byte, or 0xfc00 plus the number after the prefix 0xfc.
type Op uint16

// Opcodes that are used by name.
const (
	OpUnreachable  Op = 0x00
	OpNop          Op = 0x01
	OpBlock        Op = 0x02
	OpLoop         Op = 0x03
	OpIf           Op = 0x04
	OpElse         Op = 0x05
	OpEnd          Op = 0x0b
	OpBr           Op = 0x0c
	OpBrIf         Op = 0x0d
	OpBrTable      Op = 0x0e
	OpReturn       Op = 0x0f
	OpCall         Op = 0x10
	OpCallIndirect Op = 0x11
	OpDrop         Op = 0x1a
	OpSelect       Op = 0x1b
	OpSelectTyped  Op = 0x1c
	OpLocalGet     Op = 0x20
	OpLocalSet     Op = 0x21
	OpLocalTee     Op = 0x22
	OpGlobalGet    Op = 0x23
	OpGlobalSet    Op = 0x24
	OpTableGet     Op = 0x25
	OpTableSet     Op = 0x26
	OpI32Load      Op = 0x28 // the first of those with a memory operand
	OpI64Store32   Op = 0x3e // the last of them
	OpMemorySize   Op = 0x3f
	OpMemoryGrow   Op = 0x40
	OpI32Const     Op = 0x41
	OpI64Const     Op = 0x42
	OpF32Const     Op = 0x43
	OpF64Const     Op = 0x44
	OpI32Eqz       Op = 0x45 // the first of those without operands
	OpI32LtS       Op = 0x48
	OpI32LeU       Op = 0x4d
	OpI64LtS       Op = 0x53
	OpI32Add       Op = 0x6a
	OpI32Sub       Op = 0x6b
	OpI32DivS      Op = 0x6d
	OpI32RemU      Op = 0x70
	OpI64Add       Op = 0x7c
	OpI64Sub       Op = 0x7d
	OpI64Mul       Op = 0x7e
	OpI64DivS      Op = 0x7f
	OpI64RemU      Op = 0x82
	OpI64ShrU      Op = 0x88
	OpI32TruncF32S Op = 0xa8 // the first of the conversions that trap; there are four
	OpI64ExtendU   Op = 0xad // of an i32
	OpI64TruncF32S Op = 0xae // and four more
	OpI64TruncF64U Op = 0xb1
	OpI64Extend32S Op = 0xc4 // the last of them
	OpRefNull      Op = 0xd0
	OpRefIsNull    Op = 0xd1
	OpRefFunc      Op = 0xd2
	OpI64TruncSat  Op = 0xfc07 // the last of the saturating conversions, which start at 0xfc00
	OpMemoryInit   Op = 0xfc08
	OpDataDrop     Op = 0xfc09
	OpMemoryCopy   Op = 0xfc0a
	OpMemoryFill   Op = 0xfc0b
	OpTableInit    Op = 0xfc0c
	OpElemDrop     Op = 0xfc0d
	OpTableCopy    Op = 0xfc0e
	OpTableGrow    Op = 0xfc0f
	OpTableSize    Op = 0xfc10
	OpTableFill    Op = 0xfc11
)

// Checked reports whether compiled code must check the operands first, because the instruction may trap: loads, stores,
// divisions, and conversions to integers.
func (op Op) Checked() bool {
	return op >= OpI32Load && op <= OpI64Store32 || op >= OpI32DivS && op <= OpI32RemU ||
		op >= OpI64DivS && op <= OpI64RemU || op >= OpI32TruncF32S && op <= OpI32TruncF32S+3 ||
		op >= OpI64TruncF32S && op <= OpI64TruncF64U
}

// Prefixes of instructions that this package does not read.
const (
	PrefixSIMD   Op = 0xfd
	PrefixAtomic Op = 0xfe
)

const (
	prefixMisc = 0xfc
	blockEmpty = 0x40 // the type of a block without parameters and results
)

// Instruction is one instruction of a function's body.
type Instruction struct {
	Op Op
	At int // offset of its first byte
	// Index is the operand of an instruction with one index: a local, global, function, label, table, data segment, or type (of
	// call_indirect); the type index of a block if Indexed; the number of labels of br_table, without the default; the offset
	// of a load or store.
	Index   uint32
	Indexed bool // a block's type is Types[Index], not an empty or single result
	Result  byte // the value type of a block with a single result, 0 if it has none
}

// Instruction reads the next instruction of a body. One that is not in WebAssembly 2.0 without SIMD makes the reader fail;
// its Op is set.
func (r *Reader) Instruction() Instruction {
	in := Instruction{At: r.at}
	in.Op = Op(r.Byte())
	switch op := in.Op; {
	case op == OpBlock || op == OpLoop || op == OpIf:
		r.blockType(&in)
	case op == OpBr || op == OpBrIf || op == OpCall || op == OpRefFunc || op >= OpLocalGet && op <= OpTableSet:
		in.Index = r.U32()
	case op == OpBrTable:
		in.Index = uint32(r.Count())
		for range in.Index {
			r.U32()
		}
		r.U32()
	case op == OpCallIndirect:
		in.Index = r.U32()
		r.U32()
	case op == OpSelectTyped:
		if r.Count() != 1 || !IsValueType(r.Byte()) {
			r.Fail()
		}
	case op >= OpI32Load && op <= OpI64Store32:
		r.U32()
		in.Index = r.U32()
	case op == OpMemorySize || op == OpMemoryGrow:
		r.zero()
	case op == OpI32Const:
		r.skipSigned(bytesS32)
	case op == OpI64Const:
		r.skipSigned(bytesS64)
	case op == OpF32Const:
		r.Bytes(4)
	case op == OpF64Const:
		r.Bytes(8)
	case op == OpRefNull:
		if t := r.Byte(); t != TypeFuncref && t != TypeExternref {
			r.Fail()
		}
	case op == prefixMisc:
		r.misc(&in)
	case op <= OpNop, op == OpElse, op == OpEnd, op == OpReturn, op == OpDrop, op == OpSelect, op == OpRefIsNull,
		op >= OpI32Eqz && op <= OpI64Extend32S:
		// no operands
	default:
		r.Fail()
	}
	return in
}

// misc reads an instruction after the prefix 0xfc.
func (r *Reader) misc(in *Instruction) {
	sub := r.U32()
	if sub > uint32(OpTableFill&0xff) {
		r.Fail()
		return
	}
	in.Op = prefixMisc<<8 | Op(sub)
	switch in.Op {
	case OpMemoryInit:
		in.Index = r.U32()
		r.zero()
	case OpMemoryCopy:
		r.zero()
		r.zero()
	case OpMemoryFill:
		r.zero()
	case OpDataDrop, OpElemDrop, OpTableGrow, OpTableSize, OpTableFill:
		in.Index = r.U32()
	case OpTableInit, OpTableCopy:
		in.Index = r.U32()
		r.U32()
	default: // a conversion
	}
}

// zero reads the byte that is a memory index in later versions of the format.
func (r *Reader) zero() {
	if r.Byte() != 0 {
		r.Fail()
	}
}

func (r *Reader) blockType(in *Instruction) {
	switch t := r.peek(); {
	case t == blockEmpty:
		r.at++
	case IsValueType(t):
		in.Result = t
		r.at++
	default: // a type index; being signed, it has bit 6 of its last byte clear
		start := r.at
		in.Index, in.Indexed = r.U32(), true
		if r.bad || r.at-start > bytesS33 || r.data[r.at-1]&0x40 != 0 {
			r.Fail()
		}
	}
}

func (r *Reader) peek() byte {
	if r.at >= len(r.data) {
		r.Fail()
		return 0
	}
	return r.data[r.at]
}

// ConstExpr reads a constant expression with its end, and returns the globals and functions that it refers to.
func (r *Reader) ConstExpr() (globals, functions []uint32) {
	for r.More() {
		switch in := r.Instruction(); in.Op {
		case OpEnd:
			return globals, functions
		case OpI32Const, OpI64Const, OpF32Const, OpF64Const, OpRefNull:
		case OpGlobalGet:
			globals = append(globals, in.Index)
		case OpRefFunc:
			functions = append(functions, in.Index)
		default:
			r.Fail()
		}
	}
	r.Fail()
	return globals, functions
}
