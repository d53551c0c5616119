// Package gas rewrites WebAssembly modules so that they meter themselves: the work of a module is charged to a counter, in
// units of about one instruction, and a charge that the counter cannot cover traps. The cost of a call depends only on the
// module, its state and the call: it is the same everywhere and forever. docs/gas.md describes the cost model.
package gas

import (
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// Names of the exports of a rewritten module besides those of the view ABI.
const (
	// ExportGas is the counter, a mutable i64 global: the units left. Set it to 0 or more before a call. A charge that makes
	// it negative refills it from ExportReserve, and traps if that is not enough.
	ExportGas = "tally:gas"
	// ExportReserve is a mutable i64 global from which ExportGas is refilled, a slice at a time. What is left in all is ExportGas
	// times ExportRate, plus ExportReserve.
	ExportReserve = "tally:reserve"
	// ExportRefill is the function () -> () that refills ExportGas. The module calls it once for each slice.
	ExportRefill = "tally:refill"
	// ExportRate is a mutable i64 global, in cost models with rates: how much of the reserve each unit in ExportGas has cost. Set it
	// to 1 before a call.
	ExportRate = "tally:rate"
	// ExportMaxRate is a mutable i64 global, the upper limit of ExportRate. Set it to at least 1 before a call.
	ExportMaxRate = "tally:max-rate"
	// ExportGlobal, followed by 0, 1, 2 …, are the module's own mutable globals in the order of their indices.
	ExportGlobal = "tally:global:"
	// ExportStart is the module's start function, () -> (). Call it once, before all others.
	ExportStart = "tally:start"
)

// Metered is a module that meters itself.
type Metered struct {
	Wasm    []byte
	Globals int  // number of ExportGlobal exports
	Start   bool // there is an ExportStart
	Stack   bool // there is an ExportStack
}

// Meter rewrites a module to meter itself by a known cost model. It keeps only the exports of the view ABI. The result is valid
// WebAssembly if and only if the module is. An error is a *wasmbin.ParseError, a *LimitError, or names the rule of WebAssembly that
// the module breaks, if rewriting would hide that.
func Meter(module []byte, model Model) (Metered, error) { return rewrite(module, model, false) }

// Bare rewrites a module like Meter, but without charges: the counter exists and keeps its value. It is for measuring the cost
// of metering; nothing stops an endless loop in such a module.
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
	gas    uint32           // index of the gas global, after all of the module's own
	stack  uint32           // index of the stack global, after the counters of gas
	types  []byte           // encoded function types that are added to the module's
	added  uint32           // number of those types
	blocks map[string]int64 // type indices of blocks without parameters, by results
	bodies [][]byte         // rewritten
	bare   bool             // leave the charges out
	// recursive: some functions meter the stack.
	recursive bool
	// refers: some code takes a reference to a function. That is valid only for functions that are mentioned outside of code,
	// for example by an export, and rewriting removes most exports.
	refers bool
}

// check refuses invalid modules that rewriting would make valid, or whose meaning it would change.
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
