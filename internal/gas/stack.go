package gas

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// The native stack has a fixed limit, and the compiler decides how much of it a function takes: a recursion would get deeper on
// one machine than on another. So depth is metered too, in bytes that are an upper bound for any compiler. Only functions that may
// be called again before they return are metered: those in a cycle of the call graph. All others are on the stack at most once,
// which is bounded statically.
const (
	// StackBytes is the limit for all running functions of cycles together. wazero allows 50 MB in all.
	StackBytes = 32 << 20
	// maxStraightBytes is the limit for the functions that are in no cycle, on the longest path of calls.
	maxStraightBytes = 8 << 20

	frameBytes       = 128 // for every frame: saved registers, the return address
	instructionBytes = 16  // for each instruction: its result, and values derived from it
	valueBytes       = 8   // for each value passed to and from functions, and each variable where branches meet
)

// ExportStack is a mutable i32 global in modules with recursive functions: the bytes of stack left. It is StackBytes whenever
// no export runs, unless one trapped; a call that makes it negative traps.
const ExportStack = "tally:stack"

// calls are the targets of a function's calls.
type calls struct {
	functions []uint32
	types     []uint32 // of indirect calls
}

// node is a function, or stands for all functions of one type that indirect calls may reach.
type node struct {
	calls  []int
	weight int64 // bytes of its frame

	// State of Tarjan's algorithm, which finds the cycles; numbers start at 1.
	number, low int
	onStack     bool
	cyclic      bool
	path        int64 // bytes of the longest path of calls from here, without frames of cycles
}

// graph is the call graph of a module: its own functions first, then a node for each type of indirect calls.
type graph struct {
	nodes  []node
	stack  []int
	number int
}

// callGraph builds the call graph. referred are the functions that indirect calls may reach.
func callGraph(m *wasmbin.Module, plans []plan, referred []uint32) *graph {
	imported := len(m.Imports)
	g := &graph{nodes: make([]node, len(plans))}
	byType := map[wasmbin.FuncType]int{}
	typeNode := func(t wasmbin.FuncType) int {
		n, ok := byType[t]
		if !ok {
			n = len(g.nodes)
			byType[t] = n
			g.nodes = append(g.nodes, node{})
		}
		return n
	}
	for i := range plans {
		var to []int
		for _, f := range plans[i].calls.functions {
			if own := int(f) - imported; own >= 0 && own < len(plans) {
				to = append(to, own)
			}
		}
		for _, index := range plans[i].calls.types {
			if t, ok := m.Type(index); ok {
				to = append(to, typeNode(t))
			}
		}
		g.nodes[i].calls, g.nodes[i].weight = to, plans[i].frame
	}
	for _, f := range referred {
		own := int(f) - imported
		if own < 0 || own >= len(plans) {
			continue
		}
		if t, ok := m.Type(m.Functions[own]); ok {
			if n, ok := byType[t]; ok {
				g.nodes[n].calls = append(g.nodes[n].calls, own)
			}
		}
	}
	return g
}

// find marks the cycles and measures the paths.
func (g *graph) find() {
	for n := range g.nodes {
		if g.nodes[n].number == 0 {
			g.visit(n)
		}
	}
}

func (g *graph) visit(n int) {
	g.number++
	v := &g.nodes[n]
	v.number, v.low, v.onStack = g.number, g.number, true
	g.stack = append(g.stack, n)
	for _, to := range v.calls {
		w := &g.nodes[to]
		if w.number == 0 {
			g.visit(to)
			v.low = min(v.low, w.low)
		} else if w.onStack {
			v.low = min(v.low, w.number)
		}
		v.cyclic = v.cyclic || to == n
	}
	if v.low < v.number {
		return
	}
	// n and the nodes above it on the stack are a strongly connected component.
	at := len(g.stack) - 1
	for g.stack[at] != n {
		at--
	}
	component := g.stack[at:]
	g.stack = g.stack[:at]
	longest, cyclic := int64(0), v.cyclic || len(component) > 1
	for _, i := range component {
		g.nodes[i].onStack = false
		for _, to := range g.nodes[i].calls {
			longest = max(longest, g.nodes[to].path) // 0 inside the component
		}
	}
	for _, i := range component {
		g.nodes[i].cyclic, g.nodes[i].path = cyclic, longest
		if !cyclic {
			g.nodes[i].path += g.nodes[i].weight
		}
	}
}

// longest returns the node where the longest path starts, and its bytes.
func (g *graph) longest() (n int, bytes int64) {
	for i := range g.nodes {
		if g.nodes[i].path > bytes {
			n, bytes = i, g.nodes[i].path
		}
	}
	return n, bytes
}

// LimitError reports a module that may need more stack than there is.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

// limitStack finds the functions that have to meter the stack.
func (r *rewriter) limitStack(plans []plan) error {
	m := r.module
	referred := append([]uint32(nil), m.ConstFunctions...)
	for _, e := range m.Elements {
		referred = append(referred, e.Functions...)
	}
	for i := range plans {
		referred = append(referred, plans[i].refers...)
	}
	g := callGraph(m, plans, referred)
	g.find()
	if n, bytes := g.longest(); bytes > maxStraightBytes {
		return &LimitError{fmt.Sprintf("function %d and those that it calls may take %d bytes of stack, recursion not counted; "+
			"at most %d are allowed; make large functions smaller", len(m.Imports)+n, bytes, maxStraightBytes)}
	}
	for i := range plans {
		if plans[i].cyclic = g.nodes[i].cyclic; !plans[i].cyclic {
			continue
		}
		r.recursive = true
		if plans[i].frame > StackBytes {
			return &LimitError{fmt.Sprintf("function %d, which is recursive, may take %d bytes of stack; at most %d are allowed; "+
				"make it smaller", len(m.Imports)+i, plans[i].frame, StackBytes)}
		}
	}
	return nil
}
