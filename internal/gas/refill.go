package gas

import "github.com/tallystick/tallystick/internal/wasmbin"

// reserve returns the index of the global behind ExportReserve.
func (r *rewriter) reserve() uint32 { return r.gas + 1 }

// refillFunction returns the index of the function that refills gas, after all of the module's own.
func (r *rewriter) refillFunction() uint32 {
	return uint32(len(r.module.Imports) + len(r.module.Functions))
}

// rate and maxRate return the indices of the globals behind ExportRate and ExportMaxRate, for cost models with rates.
func (r *rewriter) rate() uint32    { return r.gas + 2 }
func (r *rewriter) maxRate() uint32 { return r.gas + 3 }

// counters returns the number of globals for gas.
func (r *rewriter) counters() uint32 {
	if r.prices.rates != nil {
		return 4
	}
	return 2
}

// emptyType returns the index of the type () -> (), encoded.
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

// refill returns the body of the function that a charge calls when the counter is negative. It moves the deficit and a slice more from
// the reserve, at the rate of the current memory size, and traps if the reserve is too small. Its memory.grow of 0 pages leaves the
// guest for a moment, so that the Go runtime can stop the goroutine.
func (r *rewriter) refill() []byte {
	gas, reserve := r.gas, r.reserve()
	out := []byte{1, 1, wasmbin.TypeI64} // one local: the units to move
	if r.prices.rates != nil {
		out = r.appendRate(out)
	}
	out = appendI64(out, r.prices.slice)
	out = appendGlobal(out, wasmbin.OpGlobalGet, gas)
	out = appendOp(out, wasmbin.OpI64Sub)
	out = appendLocal(out, wasmbin.OpLocalTee, 0)
	out = r.appendAffordable(out)
	out = appendLocal(out, wasmbin.OpLocalGet, 0)
	out = r.appendAffordable(out)
	out = appendOp(out, wasmbin.OpI64LtS)
	out = appendOp(out, wasmbin.OpSelect)
	out = appendLocal(out, wasmbin.OpLocalTee, 0)
	out = appendGlobal(out, wasmbin.OpGlobalGet, gas)
	out = appendOp(out, wasmbin.OpI64Add)
	out = appendGlobal(out, wasmbin.OpGlobalSet, gas)
	out = appendGlobal(out, wasmbin.OpGlobalGet, reserve)
	out = appendLocal(out, wasmbin.OpLocalGet, 0)
	if r.prices.rates != nil {
		out = appendGlobal(out, wasmbin.OpGlobalGet, r.rate())
		out = appendOp(out, wasmbin.OpI64Mul)
	}
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

// appendAffordable pushes the number of units that the reserve can pay for.
func (r *rewriter) appendAffordable(out []byte) []byte {
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.reserve())
	if r.prices.rates == nil {
		return out
	}
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.rate())
	return appendOp(out, wasmbin.OpI64DivS)
}

// appendRate sets the rate by the size of memory, up to the current limit.
func (r *rewriter) appendRate(out []byte) []byte {
	rates := r.prices.rates
	if len(r.module.Memories) == 0 {
		rates = rates[:1]
	}
	for _, rate := range rates {
		out = appendI64(out, rate.units)
	}
	for i := len(rates) - 2; i >= 0; i-- { // selects the smaller of two, if memory is no larger
		out = append(appendOp(out, wasmbin.OpMemorySize), 0)
		out = appendI32(out, int64(rates[i].pages))
		out = appendOp(out, wasmbin.OpI32LeU)
		out = appendOp(out, wasmbin.OpSelect)
	}
	out = appendLocal(out, wasmbin.OpLocalTee, 0)
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.maxRate())
	out = appendLocal(out, wasmbin.OpLocalGet, 0)
	out = appendGlobal(out, wasmbin.OpGlobalGet, r.maxRate())
	out = appendOp(out, wasmbin.OpI64LtS)
	out = appendOp(out, wasmbin.OpSelect)
	return appendGlobal(out, wasmbin.OpGlobalSet, r.rate())
}
