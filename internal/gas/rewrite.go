package gas

import (
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// plan is the plan for rewriting one function.
type plan struct {
	body
	declared *wasmbin.Body
	results  string
	locals   uint32 // parameters included
	frame    int64  // the most bytes of stack that it takes
	cyclic   bool   // it may be called again before it returns
}

// rewriteBodies inserts the charges into all functions.
func (r *rewriter) rewriteBodies() error {
	plans := make([]plan, len(r.module.Bodies))
	mutable := int64(0)
	for _, global := range r.module.Globals {
		if global.Mutable {
			mutable++
		}
	}
	for i := range plans {
		if err := r.plan(&plans[i], i, mutable); err != nil {
			return fmt.Errorf("function %d: %w", len(r.module.Imports)+i, err)
		}
		r.refers = r.refers || len(plans[i].refers) > 0
	}
	if err := r.limitStack(plans); err != nil {
		return err
	}
	r.bodies = make([][]byte, len(plans))
	for i := range plans {
		if r.bare {
			plans[i].charges, plans[i].cyclic, r.recursive = nil, false, false
		}
		plans[i].chargeRecursion()
		r.bodies[i] = r.insert(&plans[i])
	}
	return nil
}

func (r *rewriter) plan(p *plan, i int, mutable int64) error {
	m := r.module
	t, ok := m.Type(m.Functions[i])
	if !ok {
		return fmt.Errorf("it has type %d; there are %d", m.Functions[i], len(m.Types))
	}
	p.declared, p.results = &m.Bodies[i], t.Results
	locals := uint64(len(t.Params)) + p.declared.LocalCount()
	if locals > maxLocals {
		return fmt.Errorf("it has %d locals; at most %d can be metered", locals, maxLocals)
	}
	p.locals = uint32(locals)
	code := wasmbin.NewReader(p.declared.Data)
	code.Bytes(uint32(p.declared.Code))
	p.body = body{module: m, prices: r.prices, code: code, variables: int64(locals) + mutable}
	if err := p.cut(r.gas); err != nil {
		return err
	}
	p.frame = frameBytes + p.bytes + valueBytes*(values(t, true)+p.variables*(p.branches+1))
	return nil
}

// chargeRecursion adds the price of metering the stack to the charge at the start of a function.
func (p *plan) chargeRecursion() {
	if !p.cyclic || p.prices.recursion == 0 {
		return
	}
	if len(p.charges) == 0 || p.charges[0].at != p.declared.Code || p.charges[0].dynamic != 0 {
		p.charges = slices.Insert(p.charges, 0, charge{at: p.declared.Code})
	}
	p.charges[0].cost += p.prices.recursion
}

// maxLocals leaves room for the local that this package adds. Compilers allow far fewer.
const maxLocals = 1<<31 - 1

// insert returns the body with its charges. Charges that depend on an operand need one more i32 local. The code of a function
// that meters the stack is put into a block, after which the stack is released; its returns become branches out of the block.
func (r *rewriter) insert(p *plan) []byte {
	data, start := p.declared.Data, p.declared.Code
	const growth = 20 // approximate bytes of a charge
	out := make([]byte, 0, len(data)+growth*(len(p.charges)+2))
	if slices.ContainsFunc(p.charges, func(c charge) bool { return c.dynamic != 0 }) {
		old := wasmbin.NewReader(data)
		out = wasmbin.AppendU(out, old.U32()+1)
		out = append(out, data[old.At():start]...)
		out = append(out, 1, wasmbin.TypeI32)
	} else {
		out = append(out, data[:start]...)
	}
	if p.cyclic {
		out = appendStackReserve(out, r.stack, p.frame)
		out = append(out, byte(wasmbin.OpBlock))
		out = append(out, r.blockType(p.results)...)
	}
	from, returns := start, p.returns
	if !p.cyclic {
		returns = nil
	}
	copyTo := func(at int) {
		for len(returns) > 0 && returns[0].at < at {
			out = append(out, data[from:returns[0].at]...)
			out = wasmbin.AppendU(appendOp(out, wasmbin.OpBr), uint32(returns[0].depth))
			from, returns = returns[0].at+1, returns[1:]
		}
		out = append(out, data[from:at]...)
		from = at
	}
	for _, c := range p.charges {
		copyTo(c.at)
		if c.dynamic == 0 {
			out = r.appendCharge(out, c.cost)
		} else {
			out = r.appendDynamic(out, p.locals, c.dynamic)
		}
	}
	copyTo(len(data))
	if p.cyclic {
		out = appendOp(appendStackRelease(out, r.stack, p.frame), wasmbin.OpEnd)
	}
	return out
}

// blockType returns the encoded type of a block without parameters and with these results.
func (r *rewriter) blockType(results string) []byte {
	switch len(results) {
	case 0:
		return []byte{blockEmpty}
	case 1:
		return []byte(results)
	}
	if r.blocks == nil {
		r.blocks = map[string]int64{}
		for i, t := range r.module.Types {
			if t.Params == "" {
				r.blocks[t.Results] = int64(i)
			}
		}
	}
	index, ok := r.blocks[results]
	if !ok {
		index = int64(len(r.module.Types)) + int64(r.added)
		r.blocks[results] = index
		r.added++
		r.types = append(r.types, wasmbin.FunctionForm, 0)
		r.types = append(wasmbin.AppendU(r.types, uint32(len(results))), results...)
	}
	return wasmbin.AppendS(nil, index)
}

// blockEmpty is the type of a block without parameters and results.
const blockEmpty = 0x40

// appendStackReserve reserves bytes of stack, and traps if too few are left.
func appendStackReserve(out []byte, stack uint32, bytes int64) []byte {
	out = appendGlobal(out, wasmbin.OpGlobalGet, stack)
	out = appendI32(out, bytes)
	out = appendOp(out, wasmbin.OpI32Sub)
	out = appendGlobal(out, wasmbin.OpGlobalSet, stack)
	out = appendGlobal(out, wasmbin.OpGlobalGet, stack)
	out = appendI32(out, 0)
	out = appendOp(out, wasmbin.OpI32LtS)
	return appendTrap(out)
}

// appendStackRelease releases bytes of stack.
func appendStackRelease(out []byte, stack uint32, bytes int64) []byte {
	out = appendGlobal(out, wasmbin.OpGlobalGet, stack)
	out = appendI32(out, bytes)
	out = appendOp(out, wasmbin.OpI32Add)
	return appendGlobal(out, wasmbin.OpGlobalSet, stack)
}

// appendTrap traps if the condition on top of the stack holds.
func appendTrap(out []byte) []byte {
	out = append(appendOp(out, wasmbin.OpIf), blockEmpty)
	out = appendOp(out, wasmbin.OpUnreachable)
	return appendOp(out, wasmbin.OpEnd)
}

// appendCharge charges a constant.
func (r *rewriter) appendCharge(out []byte, cost int64) []byte {
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.gas)
	out = appendI64(out, cost)
	return r.appendPay(out)
}

// appendDynamic charges by the operand on top of the stack, which stays there: bytes, or pages for memory.grow.
func (r *rewriter) appendDynamic(out []byte, local uint32, op wasmbin.Op) []byte {
	out = appendLocal(out, wasmbin.OpLocalTee, local)
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.gas)
	out = appendLocal(out, wasmbin.OpLocalGet, local)
	out = appendOp(out, wasmbin.OpI64ExtendU)
	if op != wasmbin.OpMemoryGrow {
		out = appendI64(out, shiftOfBytes)
		out = appendOp(out, wasmbin.OpI64ShrU)
		return r.appendPay(out)
	}
	out = appendI64(out, r.prices.page)
	out = appendOp(out, wasmbin.OpI64Mul)
	out = appendI64(out, 0)
	out = appendLocal(out, wasmbin.OpLocalGet, local)
	out = appendI32(out, MaxGrowPages)
	out = appendOp(out, wasmbin.OpI32LeU)
	out = appendOp(out, wasmbin.OpSelect)
	out = r.appendPay(out)
	if r.prices.rates == nil {
		return out
	}
	return r.appendRefund(out, local)
}

// appendRefund returns the units in the counter to the reserve if memory is going to be large with so many more pages: they must be
// bought again, at the rate of the larger memory.
func (r *rewriter) appendRefund(out []byte, local uint32) []byte {
	out = append(appendOp(out, wasmbin.OpMemorySize), 0)
	out = appendLocal(out, wasmbin.OpLocalGet, local)
	out = appendOp(out, wasmbin.OpI32Add)
	out = appendI32(out, firstPages)
	out = appendOp(out, opI32GtU)
	out = append(appendOp(out, wasmbin.OpIf), blockEmpty)
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.gas)
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.rate())
	out = appendOp(out, wasmbin.OpI64Mul)
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.reserve())
	out = appendOp(out, wasmbin.OpI64Add)
	out = appendGlobal(out, wasmbin.OpGlobalSet, r.reserve())
	out = appendI64(out, 0)
	out = appendGlobal(out, wasmbin.OpGlobalSet, r.gas)
	return appendOp(out, wasmbin.OpEnd)
}

const opI32GtU wasmbin.Op = 0x4b

// appendPay subtracts the number on top of the stack from the counter below it, and refills the counter if it becomes negative.
func (r *rewriter) appendPay(out []byte) []byte {
	gas := r.gas
	out = appendOp(out, wasmbin.OpI64Sub)
	out = appendGlobal(out, wasmbin.OpGlobalSet, gas)
	out = appendGlobal(out, wasmbin.OpGlobalGet, gas)
	out = appendI64(out, 0)
	out = appendOp(out, wasmbin.OpI64LtS)
	out = append(appendOp(out, wasmbin.OpIf), blockEmpty)
	out = wasmbin.AppendU(appendOp(out, wasmbin.OpCall), r.refillFunction())
	return appendOp(out, wasmbin.OpEnd)
}

func appendOp(out []byte, op wasmbin.Op) []byte { return append(out, byte(op)) }

func appendGlobal(out []byte, op wasmbin.Op, global uint32) []byte {
	return wasmbin.AppendU(appendOp(out, op), global)
}

func appendLocal(out []byte, op wasmbin.Op, local uint32) []byte {
	return wasmbin.AppendU(appendOp(out, op), local)
}

func appendI32(out []byte, v int64) []byte {
	return wasmbin.AppendS(appendOp(out, wasmbin.OpI32Const), v)
}

func appendI64(out []byte, v int64) []byte {
	return wasmbin.AppendS(appendOp(out, wasmbin.OpI64Const), v)
}
