// Package gas rewrites WebAssembly modules so that they meter themselves: what a module does is charged to a counter, in
// units of about one instruction, and a charge that the counter cannot cover traps. What a call is charged depends on
// the module, its state and the call alone: the same everywhere and for ever. docs/gas.md is the cost model.
package gas

import (
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// Names of what a rewritten module exports besides the functions and the memory of the view ABI.
const (
	// ExportGas is the counter: a mutable i64 global, the units that are left. Whoever calls an export sets it before, to 0
	// or more; a charge that makes it negative traps.
	ExportGas = "tally:gas"
	// ExportReserve holds what ExportGas is refilled from, a slice at a time: ExportGas times ExportRate and this are what is left.
	ExportReserve = "tally:reserve"
	// ExportRefill is the function () -> () that code calls which finds too little in ExportGas: once for each slice.
	ExportRefill = "tally:refill"
	// ExportRate, where a cost model has rates, is what each unit in ExportGas has cost: a mutable i64 global, 1 when a call begins.
	ExportRate = "tally:rate"
	// ExportMaxRate is the most that it may become, a mutable i64 global of at least 1: whoever calls an export sets it before.
	ExportMaxRate = "tally:max-rate"
	// ExportGlobal, with 0, 1, 2 … behind it, are the module's own mutable globals in the order of their indices.
	ExportGlobal = "tally:global:"
	// ExportStart is the function that the start section named, () -> (). It is to be called once, before all others.
	ExportStart = "tally:start"
)

// Metered is a module that meters itself.
type Metered struct {
	Wasm    []byte
	Globals int  // how many ExportGlobal there are
	Start   bool // there is an ExportStart
	Stack   bool // there is an ExportStack
}

// Meter rewrites a module to meter itself by a cost model, which must be known. Of its exports it keeps those of the view ABI. Whatever
// Meter returns, a compiler accepts if and only if it accepts the module itself. An error is a *wasmbin.ParseError, a *LimitError, or says
// which rule of WebAssembly is broken where rewriting would hide that.
func Meter(module []byte, model Model) (Metered, error) { return rewrite(module, model, false) }

// Bare does all that Meter does but meter: the counter is there and stays as it was set. It is for measuring what metering
// costs; nothing stops a loop in such a module.
func Bare(module []byte, model Model) (Metered, error) { return rewrite(module, model, true) }

func rewrite(module []byte, model Model, bare bool) (Metered, error) {
	m, err := wasmbin.Parse(module)
	if err != nil {
		return Metered{}, fmt.Errorf("meter a module: %w", err)
	}
	if err := model.Check(); err != nil {
		return Metered{}, fmt.Errorf("meter a module: %w", err)
	}
	r := rewriter{module: m, prices: models[model], gas: uint32(len(m.Globals)), bare: bare}
	r.stack = r.gas + r.counters()
	if err := r.check(); err != nil {
		return Metered{}, fmt.Errorf("meter a module: %w", err)
	}
	if err := r.rewriteBodies(); err != nil {
		return Metered{}, fmt.Errorf("meter a module: %w", err)
	}
	wasm, globals := r.encode()
	return Metered{Wasm: wasm, Globals: globals, Start: m.HasStart, Stack: r.recursive}, nil
}

// rewriter rewrites one module.
type rewriter struct {
	module *wasmbin.Module
	prices *prices
	gas    uint32           // index of the gas global: behind all of the module's own
	stack  uint32           // index of the stack global, behind that
	types  []byte           // of blocks that are added to those of the module
	added  uint32           // how many those are
	blocks map[string]int64 // by their results, the types of blocks without parameters
	bodies [][]byte         // rewritten
	bare   bool             // meter nothing
	// recursive says that there are functions that meter the stack.
	recursive bool
	// refers says that some code takes a reference to a function, which is allowed for functions that are named outside
	// of code; an export counts, and most exports go.
	refers bool
}

// check refuses what would become valid by rewriting, or would come to mean something else.
func (r *rewriter) check() error {
	m := r.module
	if len(m.Bodies) != len(m.Functions) {
		return fmt.Errorf("it declares %d functions and has the code of %d", len(m.Functions), len(m.Bodies))
	}
	for _, in := range m.Imports {
		if in.Kind != wasmbin.KindFunction {
			return fmt.Errorf("it imports %.100q.%.100q, which is no function", in.Module, in.Name)
		}
	}
	for _, index := range m.ConstGlobals {
		if index >= r.gas {
			return fmt.Errorf("a constant expression reads global %d; there are %d", index, r.gas)
		}
	}
	functions := len(m.Imports) + len(m.Functions)
	for _, e := range m.Exports {
		if e.Kind == wasmbin.KindFunction && int64(e.Index) >= int64(functions) {
			return fmt.Errorf("its export %.100q is function %d; there are %d", e.Name, e.Index, functions)
		}
	}
	if !m.HasStart {
		return nil
	}
	if t, ok := m.FunctionType(m.Start); !ok || t != (wasmbin.FuncType{}) || int64(m.Start) < int64(len(m.Imports)) {
		return fmt.Errorf("its start function is function %d, which is not one of its own without parameters and results", m.Start)
	}
	return nil
}

var errUnbalanced = errors.New("its blocks do not match its ends")
