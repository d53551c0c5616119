package gas

import "github.com/tallystick/tallystick/internal/wasmbin"

// reserve is the index of the global that holds what gas is refilled from.
func (r *rewriter) reserve() uint32 { return r.gas + 1 }

// refillFunction is the index of the function that refills gas: behind all of the module's own.
func (r *rewriter) refillFunction() uint32 {
	return uint32(len(r.module.Imports) + len(r.module.Functions))
}

// emptyType is the index of the type () -> ().
func (r *rewriter) emptyType() []byte {
	for i, t := range r.module.Types {
		if t == (wasmbin.FuncType{}) {
			return wasmbin.AppendU(nil, uint32(i))
		}
	}
	r.types = append(r.types, wasmbin.FunctionForm, 0, 0)
	r.added++
	return wasmbin.AppendU(nil, uint32(len(r.module.Types))+uint32(r.added)-1)
}

// refill is the function that a charge calls which finds too little: it moves what is missing and a Slice more from the reserve, and
// traps if there is not enough. Growing memory by nothing leaves the guest for a moment, so that the host's threads can meet.
func (r *rewriter) refill() []byte {
	gas, reserve := r.gas, r.reserve()
	out := []byte{1, 1, wasmbin.TypeI64} // one local
	out = appendI64(out, Slice)
	out = appendGlobal(out, wasmbin.OpGlobalGet, gas)
	out = appendOp(out, wasmbin.OpI64Sub)
	out = appendLocal(out, wasmbin.OpLocalTee, 0)
	out = appendGlobal(out, wasmbin.OpGlobalGet, reserve)
	out = appendLocal(out, wasmbin.OpLocalGet, 0)
	out = appendGlobal(out, wasmbin.OpGlobalGet, reserve)
	out = appendOp(out, wasmbin.OpI64LtS)
	out = appendOp(out, wasmbin.OpSelect)
	out = appendLocal(out, wasmbin.OpLocalTee, 0)
	out = appendGlobal(out, wasmbin.OpGlobalGet, gas)
	out = appendOp(out, wasmbin.OpI64Add)
	out = appendGlobal(out, wasmbin.OpGlobalSet, gas)
	out = appendGlobal(out, wasmbin.OpGlobalGet, reserve)
	out = appendLocal(out, wasmbin.OpLocalGet, 0)
	out = appendOp(out, wasmbin.OpI64Sub)
	out = appendGlobal(out, wasmbin.OpGlobalSet, reserve)
	if len(r.module.Memories) > 0 {
		out = appendI32(out, 0)
		out = append(appendOp(out, wasmbin.OpMemoryGrow), 0)
		out = appendOp(out, wasmbin.OpDrop)
	}
	out = appendGlobal(out, wasmbin.OpGlobalGet, gas)
	out = appendI64(out, 0)
	out = appendOp(out, wasmbin.OpI64LtS)
	return appendOp(appendTrap(out), wasmbin.OpEnd)
}
