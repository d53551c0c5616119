package wasm

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// codeChecker checks the code of all functions, and counts what is limited for all of them together.
type codeChecker struct {
	module    *wasmbin.Module
	variables int // mutable globals

	calls, indirect, checked int
	branchWork, moveWork     int
}

func (c checker) code() error {
	code := codeChecker{module: c.Module}
	for _, global := range c.Globals {
		if global.Mutable {
			code.variables++
		}
	}
	imported := c.ImportedFunctions()
	for i := range c.Bodies {
		t, ok := c.Type(c.Functions[i])
		if !ok {
			return refusef(CodeInvalidModule, "function %d has type %d; there are %d", imported+i, c.Functions[i], len(c.Types))
		}
		if err := code.function(t, &c.Bodies[i]); err != nil {
			err.Reason = fmt.Sprintf("function %d %s", imported+i, err.Reason)
			return err
		}
	}
	return atMost("its code has", []count{
		{code.calls, maxCalls, "calls, each 8 parameters and results counted as another"},
		{code.indirect, maxIndirectCalls, "indirect calls"},
		{code.checked, maxChecked, "loads, stores, divisions and conversions"},
		{code.branchWork, maxBranchWork, "as the sum of its functions' branches squared; smaller functions have less"},
		{code.moveWork, maxMoveWork, "as the sum of its functions' branches times their variables; smaller functions have less"},
	})
}

// count is a number of things and the limit on it.
type count struct {
	found, allowed int
	what           string
}

// atMost refuses the first count that is too high.
func atMost(who string, counts []count) error {
	for _, c := range counts {
		if c.found > c.allowed {
			return tooLarge("%s %d %s; at most %d are allowed", who, c.found, c.what, c.allowed)
		}
	}
	return nil
}

func tooLarge(format string, args ...any) *RefusedError {
	return &RefusedError{Code: CodeTooLarge, Reason: fmt.Sprintf(format, args...)}
}

// function checks one function. The caller puts the function's name before the reason of the error.
func (c *codeChecker) function(t wasmbin.FuncType, b *wasmbin.Body) *RefusedError {
	if n := len(b.Data); n > maxBodyBytes {
		return tooLarge("has %d bytes of code; at most %d are allowed", n, maxBodyBytes)
	}
	locals := uint64(len(t.Params)) + b.LocalCount()
	if locals > maxLocals {
		return tooLarge("has %d locals, parameters included; at most %d are allowed", locals, maxLocals)
	}
	f := functionChecker{codeChecker: c}
	calls, checked := c.calls, c.checked
	if err := f.walk(b); err != nil {
		return err
	}
	moves := f.branches * (int(locals) + c.variables)
	c.branchWork += f.branches * f.branches
	c.moveWork += moves
	for _, count := range []count{
		{f.maxDepth, maxNesting, "blocks inside each other"},
		{f.maxIfs, maxIfNesting, "ifs inside each other"},
		{f.maxLoopDepth, maxLoopNesting, "loops inside each other"},
		{f.loops, maxLoops, "loops"},
		{f.branches, maxBranches, "branches and ends of branches"},
		{c.calls - calls, maxBodyCalls, "calls, each 8 parameters and results counted as another"},
		{c.checked - checked, maxBodyChecked, "loads, stores, divisions and conversions"},
		{moves, maxMoves, "as its branches times its variables"},
	} {
		if count.found > count.allowed {
			return tooLarge("has %d %s; at most %d are allowed", count.found, count.what, count.allowed)
		}
	}
	return nil
}

// functionChecker measures one function.
type functionChecker struct {
	*codeChecker
	open                           []wasmbin.Op // the enclosing blocks
	branches, loops                int
	ifs, loopDepth                 int
	maxDepth, maxIfs, maxLoopDepth int
}

// forbidden are instructions with effects that cannot be undone between sessions: on tables, and on the presence of segments.
var forbidden = map[wasmbin.Op]string{
	wasmbin.OpTableSet: "table.set", wasmbin.OpTableGrow: "table.grow", wasmbin.OpTableFill: "table.fill",
	wasmbin.OpTableCopy: "table.copy", wasmbin.OpTableInit: "table.init",
	wasmbin.OpElemDrop: "elem.drop", wasmbin.OpDataDrop: "data.drop",
}

func (f *functionChecker) walk(b *wasmbin.Body) *RefusedError {
	r := wasmbin.NewReader(b.Data)
	r.Bytes(uint32(b.Code))
	for r.More() {
		in := r.Instruction()
		if r.Bad() {
			return badInstruction(in)
		}
		if name, ok := forbidden[in.Op]; ok {
			return &RefusedError{Code: CodeUnsupportedFeature, Reason: fmt.Sprintf("uses %s; "+
				"a view must leave its tables and segments as they are, since they cannot be set back", name)}
		}
		f.instruction(in)
	}
	return nil
}

func (f *functionChecker) instruction(in wasmbin.Instruction) {
	switch in.Op {
	case wasmbin.OpBlock, wasmbin.OpLoop, wasmbin.OpIf:
		f.branches++
		f.enter(in.Op)
	case wasmbin.OpEnd:
		f.leave()
	case wasmbin.OpBrTable:
		f.branches += 1 + int(in.Index)/labelsPerBranch
	case wasmbin.OpElse, wasmbin.OpBr, wasmbin.OpBrIf, wasmbin.OpReturn, wasmbin.OpUnreachable:
		f.branches++
	case wasmbin.OpMemoryCopy, wasmbin.OpMemoryFill, wasmbin.OpMemoryInit, wasmbin.OpMemoryGrow:
		f.branches += branchesPerBulk
	case wasmbin.OpCall:
		t, _ := f.module.FunctionType(in.Index)
		f.calls += callWork(t)
	case wasmbin.OpCallIndirect:
		t, _ := f.module.Type(in.Index)
		f.calls += callWork(t)
		f.indirect++
	default:
		if in.Op.Checked() {
			f.checked++
		}
	}
}

func callWork(t wasmbin.FuncType) int {
	const valuesPerCall = 8 // which are as much work as the call itself
	return 1 + (len(t.Params)+len(t.Results))/valuesPerCall
}

func (f *functionChecker) enter(op wasmbin.Op) {
	f.open = append(f.open, op)
	switch op {
	case wasmbin.OpIf:
		f.ifs++
	case wasmbin.OpLoop:
		f.loops++
		f.loopDepth++
	default: // a block
	}
	f.maxDepth = max(f.maxDepth, len(f.open))
	f.maxIfs = max(f.maxIfs, f.ifs)
	f.maxLoopDepth = max(f.maxLoopDepth, f.loopDepth)
}

func (f *functionChecker) leave() {
	if len(f.open) == 0 {
		return // the end of the function
	}
	last := len(f.open) - 1
	switch f.open[last] {
	case wasmbin.OpIf:
		f.ifs--
	case wasmbin.OpLoop:
		f.loopDepth--
	default:
	}
	f.open = f.open[:last]
}

func badInstruction(in wasmbin.Instruction) *RefusedError {
	switch in.Op {
	case wasmbin.PrefixSIMD:
		return &RefusedError{Code: CodeUnsupportedFeature, Reason: "uses SIMD; views may use WebAssembly 2.0 without simd"}
	case wasmbin.PrefixAtomic:
		return &RefusedError{Code: CodeUnsupportedFeature, Reason: "uses atomic instructions; views have no threads"}
	default:
		return &RefusedError{Code: CodeInvalidModule, Reason: fmt.Sprintf(
			"has an instruction 0x%02x at byte %d of its code that is malformed or not in WebAssembly 2.0", uint16(in.Op), in.At)}
	}
}
