package gas

import (
	"math/rand/v2"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// generator writes valid modules at random: branches, loops that end or do not, calls of all kinds, recursion, and
// bulk memory, over one page of memory. With counting, each instruction also counts itself in a global.
type generator struct {
	*rand.Rand
	counting bool
	out      []byte
	labels   []bool // of open blocks, the innermost last: true for one whose branches carry a value
	left     int    // statements that may still be written
	locals   int
}

const (
	generatedFunctions = 4 // all (i32, i32) -> (i32), but for the first, () -> ()
	generatedGlobals   = 3 // i32, and behind them the counter
	counterGlobal      = generatedGlobals
	generatedLocals    = 5
)

// generate is the module of a seed. It is the same with and without counting, but for that.
func generate(seed uint64, counting bool) []byte {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), counting: counting}
	m := &testModule{
		types:   []wasmbin.FuncType{{}, {Params: i32 + i32, Results: i32}},
		exports: map[string]uint32{"tally_query": 0}, start: -1,
		table: []uint32{1, 2, 3, 1}, data: []string{"some passive data"},
	}
	for range generatedGlobals {
		m.globals = append(m.globals, wasmbin.Global{Type: wasmbin.TypeI32, Mutable: true})
	}
	m.globals = append(m.globals, wasmbin.Global{Type: wasmbin.TypeI64, Mutable: true})
	for i := range uint32(generatedFunctions) {
		f := testFunc{kind: min(i, 1), locals: i32 + i32 + i32 + i32 + i32}
		g.out, g.labels, g.left, g.locals = nil, []bool{i > 0}, 4+g.IntN(40), generatedLocals
		if i > 0 {
			g.locals += 2
		}
		g.statements()
		if i > 0 {
			g.value(3)
		} else {
			g.left = 0
			g.keepGlobals()
		}
		f.code = g.out
		m.funcs = append(m.funcs, f)
	}
	return m.encode()
}

// keepGlobals writes the globals into memory, where a test sees them.
func (g *generator) keepGlobals() {
	for i := range uint32(generatedGlobals) {
		g.write(num(int64(60000 + 4*i)))
		g.write(op(wasmbin.OpGlobalGet, i))
		g.write(op(0x36, 2, 0))
	}
}

// write writes an instruction.
func (g *generator) write(instruction []byte) {
	switch o := wasmbin.Op(instruction[0]); o {
	case wasmbin.OpBlock, wasmbin.OpElse, wasmbin.OpEnd: // cost nothing
	default:
		if g.counting {
			g.out = append(g.out, code(op(wasmbin.OpGlobalGet, counterGlobal), appendI64(nil, 1), op(wasmbin.OpI64Add),
				op(wasmbin.OpGlobalSet, counterGlobal))...)
		}
	}
	g.out = append(g.out, instruction...)
}

func (g *generator) local() uint32 { return uint32(g.IntN(g.locals)) }

// statements writes a few statements, each of which leaves the stack as it was.
func (g *generator) statements() {
	for range 1 + g.IntN(5) {
		if g.left--; g.left < 0 {
			return
		}
		g.statement()
	}
}

func (g *generator) statement() {
	switch g.IntN(17) {
	case 0, 1:
		g.value(3)
		g.write(op(wasmbin.OpLocalSet, g.local()))
	case 2:
		g.address()
		g.value(2)
		g.write(op(0x36, 2, 0)) // i32.store
	case 3, 4:
		g.value(3)
		g.enter(wasmbin.OpIf, blockEmpty, false)
		if g.IntN(2) == 0 {
			g.write(op(wasmbin.OpElse))
			g.statements()
		}
		g.leave()
	case 5:
		g.enter(wasmbin.OpBlock, blockEmpty, false)
		g.leave()
	case 6, 7:
		g.loop()
	case 8, 9:
		if depth, ok := g.target(); ok {
			g.value(2)
			g.write(op(wasmbin.OpBrIf, depth))
		}
	case 10:
		if depth, ok := g.target(); ok {
			g.write(op(wasmbin.OpBr, depth))
		}
	case 11:
		g.switchOn()
	case 12:
		g.value(3)
		g.write(op(wasmbin.OpDrop))
	case 13:
		g.bulk()
	case 14:
		g.value(2)
		g.write(op(wasmbin.OpGlobalSet, uint32(g.IntN(generatedGlobals))))
	case 15:
		if g.IntN(4) == 0 {
			if g.labels[0] {
				g.value(1)
			}
			g.write(op(wasmbin.OpReturn))
		}
	case 16:
		if g.IntN(20) == 0 {
			g.write(op(wasmbin.OpUnreachable))
		} else {
			g.write(op(wasmbin.OpNop))
		}
	}
}

// enter opens a block with statements; leave ends it.
func (g *generator) enter(o wasmbin.Op, kind byte, carries bool) {
	g.write([]byte{byte(o), kind})
	g.labels = append(g.labels, carries)
	g.statements()
}

func (g *generator) leave() {
	g.labels = g.labels[:len(g.labels)-1]
	g.write(op(wasmbin.OpEnd))
}

// loop goes round some times, mostly few, by a local that counts down.
func (g *generator) loop() {
	counter := g.local()
	g.write(num(int64(g.IntN(8))))
	g.write(op(wasmbin.OpLocalSet, counter))
	g.enter(wasmbin.OpLoop, blockEmpty, false)
	g.write(op(wasmbin.OpLocalGet, counter))
	g.write(num(1))
	g.write(op(wasmbin.OpI32Sub))
	g.write(op(wasmbin.OpLocalTee, counter))
	g.write(op(wasmbin.OpBrIf, 0))
	g.leave()
}

// target is a label whose branches carry nothing.
func (g *generator) target() (depth uint32, ok bool) {
	depth = uint32(g.IntN(len(g.labels)))
	return depth, !g.labels[len(g.labels)-1-int(depth)]
}

func (g *generator) switchOn() {
	var labels []uint32
	for range 1 + g.IntN(4) {
		if depth, ok := g.target(); ok {
			labels = append(labels, depth)
		}
	}
	if len(labels) == 0 {
		return
	}
	g.value(2)
	g.write(op(wasmbin.OpBrTable, append([]uint32{uint32(len(labels) - 1)}, labels...)...))
}

func (g *generator) bulk() {
	switch g.IntN(4) {
	case 0:
		g.address()
		g.address()
		g.write(num(int64(g.IntN(300))))
		g.write(append(op(wasmbin.OpMemoryCopy), 0, 0))
	case 1:
		g.address()
		g.value(1)
		g.write(num(int64(g.IntN(300))))
		g.write(append(op(wasmbin.OpMemoryFill), 0))
	case 2:
		g.address()
		g.write(num(0))
		g.write(num(int64(g.IntN(17))))
		g.write(append(op(wasmbin.OpMemoryInit, 0), 0))
	case 3:
		g.write(num(int64(g.IntN(3) * g.IntN(2000))))
		g.write(op(wasmbin.OpMemoryGrow, 0))
		g.write(op(wasmbin.OpLocalSet, g.local()))
	}
}

// address writes one that is nearly always in memory.
func (g *generator) address() {
	g.value(1)
	g.write(num(0xffc))
	g.write(op(0x71)) // i32.and
}

// value writes what leaves one i32 on the stack.
func (g *generator) value(depth int) {
	if depth == 0 {
		g.write(op(wasmbin.OpLocalGet, g.local()))
		return
	}
	switch g.IntN(11) {
	case 0:
		g.write(num(int64(int32(g.Uint32()))))
	case 1, 2:
		g.write(op(wasmbin.OpLocalGet, g.local()))
	case 3:
		g.address()
		g.write(op(wasmbin.OpI32Load, 2, 0))
	case 4, 5:
		g.value(depth - 1)
		g.value(depth - 1)
		g.write(op(wasmbin.Op(0x6a + g.IntN(9)))) // i32.add to i32.xor, division included
	case 6:
		g.value(depth - 1)
		g.value(depth - 1)
		g.value(depth - 1)
		g.write(op(wasmbin.OpSelect))
	case 7:
		g.write(op(wasmbin.OpGlobalGet, uint32(g.IntN(generatedGlobals))))
	case 8:
		g.enter(wasmbin.OpBlock, wasmbin.TypeI32, true)
		g.value(depth - 1)
		g.leave()
	case 9:
		g.value(depth - 1)
		g.enter(wasmbin.OpIf, wasmbin.TypeI32, true)
		g.value(depth - 1)
		g.write(op(wasmbin.OpElse))
		g.statements()
		g.value(depth - 1)
		g.leave()
	case 10:
		g.value(depth - 1)
		g.value(depth - 1)
		if g.IntN(3) > 0 {
			g.write(op(wasmbin.OpCall, uint32(1+g.IntN(generatedFunctions-1))))
			return
		}
		g.write(num(int64(g.IntN(4))))
		g.write(append(op(wasmbin.OpCallIndirect, 1), 0))
	}
}
