package gas

import (
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// body plans the charges of one function.
//
// Code is cut into stretches. A stretch is charged as a whole, at its start, for all of its instructions. That is an upper bound of
// what runs: control passes the start of a stretch before any other part, and only goes forward, except for branches to loops,
// which start stretches of their own. After the end of a block, the stretch in which the block was opened continues. A long
// stretch is split where control may leave it, so that little is charged that does not run.
type body struct {
	module    *wasmbin.Module
	prices    *prices
	code      *wasmbin.Reader
	variables int64 // locals and mutable globals

	charges []charge
	current int // index in charges: the stretch of the instructions being read
	open    []block
	dead    bool // the instructions being read are unreachable
	forks   bool // control may have left the current stretch, or reentered it, since its start

	calls    calls
	refers   []uint32 // functions to which it takes references
	returns  []jump
	bytes    int64 // of stack for results of instructions
	branches int64 // places where branches meet
}

// jump is a return instruction, nested in depth blocks.
type jump struct{ at, depth int }

// charge is an insertion into a body.
type charge struct {
	at      int   // offset in the body
	cost    int64 // of a stretch
	dynamic wasmbin.Op
	split   bool
	from    int // if split: the stretch that it was part of
	loop    int // the stretch of a loop that is always entered from this one; 0 for none
}

// block is an enclosing block.
type block struct {
	op      wasmbin.Op
	outside int  // the stretch that it was opened in
	dead    bool // it is unreachable
}

// cut reads the body, and finds the charges in the order of the code.
func (b *body) cut(gas uint32) error {
	b.start()
	b.open = append(b.open, block{op: wasmbin.OpBlock})
	for len(b.open) > 0 {
		in := b.code.Instruction()
		if b.code.Bad() {
			return fmt.Errorf("opcode 0x%02x at %d is unknown, or malformed", uint16(in.Op), in.At)
		}
		if (in.Op == wasmbin.OpGlobalGet || in.Op == wasmbin.OpGlobalSet) && in.Index >= gas {
			return fmt.Errorf("it uses global %d; there are %d", in.Index, gas)
		}
		if err := b.instruction(in); err != nil {
			return err
		}
	}
	if b.code.More() {
		return errUnbalanced
	}
	b.join()
	b.charges = slices.DeleteFunc(b.charges, func(c charge) bool { return c.cost == 0 && c.dynamic == 0 })
	slices.SortStableFunc(b.charges, func(x, y charge) int { return x.at - y.at })
	return nil
}

// start starts a stretch at the next instruction.
func (b *body) start() {
	b.current, b.forks = len(b.charges), false
	b.charges = append(b.charges, charge{at: b.code.At()})
}

func (b *body) instruction(in wasmbin.Instruction) error {
	b.bytes += instructionBytes
	if in.Op != wasmbin.OpLoop && !b.dead { // a loop is charged to each of its iterations
		b.charges[b.current].cost += b.cost(in)
	}
	switch in.Op {
	case wasmbin.OpBlock, wasmbin.OpIf:
		b.branches++
		b.open = append(b.open, block{op: in.Op, outside: b.current, dead: b.dead})
		if in.Op == wasmbin.OpIf {
			b.fork()
		}
	case wasmbin.OpLoop:
		b.branches++
		b.open = append(b.open, block{op: in.Op, outside: b.current, dead: b.dead})
		if !b.dead {
			if !b.forks {
				b.charges[b.current].loop = len(b.charges)
			}
			b.start()
			b.charges[b.current].cost = b.cost(in)
		}
	case wasmbin.OpElse:
		return b.otherwise()
	case wasmbin.OpEnd:
		b.end()
	case wasmbin.OpReturn:
		b.returns = append(b.returns, jump{at: in.At, depth: len(b.open) - 1})
		b.dead = true
	case wasmbin.OpBr, wasmbin.OpBrTable, wasmbin.OpUnreachable:
		b.dead = true
	case wasmbin.OpBrIf:
		b.fork()
	case wasmbin.OpMemoryCopy, wasmbin.OpMemoryFill, wasmbin.OpMemoryInit, wasmbin.OpMemoryGrow:
		if !b.dead {
			b.charges = append(b.charges, charge{at: in.At, dynamic: in.Op})
		}
	case wasmbin.OpCall:
		b.forks = true // the callee may trap, or call this function
		b.calls.functions = append(b.calls.functions, in.Index)
		b.bytes += valueBytes * values(b.module.FunctionType(in.Index))
	case wasmbin.OpCallIndirect:
		b.forks = true
		b.calls.types = append(b.calls.types, in.Index)
		b.bytes += valueBytes * values(b.module.Type(in.Index))
	case wasmbin.OpRefFunc:
		b.refers = append(b.refers, in.Index)
	default: // goes on to the next instruction
	}
	return nil
}

// fork continues where control may have left the stretch.
func (b *body) fork() {
	b.forks = true
	b.maySplit()
}

// maySplit starts another stretch if the current one is long.
func (b *body) maySplit() {
	if !b.dead && b.charges[b.current].cost >= splitAt {
		from := b.current
		b.start()
		b.charges[b.current].split, b.charges[b.current].from = true, from
	}
}

func (b *body) otherwise() error {
	branch := &b.open[len(b.open)-1]
	if branch.op != wasmbin.OpIf {
		return errUnbalanced
	}
	branch.op = wasmbin.OpElse
	b.arrive(branch)
	return nil
}

func (b *body) end() {
	ended := b.open[len(b.open)-1]
	if b.open = b.open[:len(b.open)-1]; len(b.open) > 0 {
		b.arrive(&ended)
	}
}

// arrive continues after a block, or at its else.
func (b *body) arrive(left *block) {
	b.dead, b.current = left.dead, left.outside
	b.fork()
}

// join merges charges that are not worth their own cost: those of short splits, and of short stretches before a loop.
func (b *body) join() {
	for i := len(b.charges) - 1; i >= 0; i-- {
		c := &b.charges[i]
		if c.cost >= joinBelow {
			continue
		}
		into := &b.charges[c.loop]
		if c.loop == 0 {
			if into = &b.charges[c.from]; !c.split || into.cost >= joinUpTo {
				continue
			}
		}
		into.cost += c.cost
		c.cost = 0
	}
}
