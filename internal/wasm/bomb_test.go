//go:build linux && !race

// The race detector makes compiling many times slower, and says nothing about it.

package wasm

import (
	"bytes"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/tallystick/tallystick/internal/gas"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

// maxTimesOrdinary is how many times the processor time of ordinary code, of some 1.5 MB, the dearest module that passes the checks may
// take to compile: that is three seconds on a core of some years ago. The dearest shape below takes about 20 times as much.
const maxTimesOrdinary = 60

// bomb makes the code of a function of about n bytes that does one thing over and over.
type bomb struct {
	name    string
	locals  int
	code    func(n int) []byte
	locals8 byte // their type, i32 where 0
}

// repeat gives the pieces of code for 0, 1, 2 … up to n bytes.
func repeat(n int, piece func(i int) []byte) (out []byte) {
	for i := 0; ; i++ {
		p := piece(i)
		if len(out)+len(p) > n {
			return out
		}
		out = append(out, p...)
	}
}

const manyLocals = maxLocals - 12

// mixed is code that moves one local to another.
func mixed(i int) []byte { return code(opGet(i%manyLocals), opSet((i*5+2)%manyLocals)) }

func flat(n int, parts ...[]byte) []byte {
	piece := code(parts...)
	return bytes.Repeat(piece, n/len(piece))
}

// nested opens depth blocks with some code in each, and closes them; again and again up to n bytes.
func nested(n, depth int, open func(i int) []byte, closing ...[]byte) []byte {
	var one []byte
	for i := range depth {
		one = append(one, open(i)...)
	}
	for range depth {
		one = append(append(one, code(closing...)...), opEnd...)
	}
	return bytes.Repeat(one, n/len(one))
}

var (
	opElse       = []byte{0x05}
	opMemoryCopy = []byte{0xfc, 10, 0, 0}
	opSelect     = []byte{0x1b}
)

func opCallIndirect(t int) []byte { return append(append([]byte{0x11}, leb(t)...), 0) }

func opBrTable(labels ...int) []byte {
	out := append([]byte{0x0e}, leb(len(labels)-1)...)
	for _, label := range labels {
		out = append(out, leb(label)...)
	}
	return out
}

// bombs are shapes of code that compilers have been slow for. Function 0 is (), () -> (); 1 is (i32 × 32) -> (i32 × 32).
var bombs = []bomb{
	{name: "moves", locals: manyLocals, code: func(n int) []byte { return repeat(n, mixed) }},
	{name: "empty blocks", code: func(n int) []byte { return flat(n, opBlock, opEnd) }},
	{name: "empty ifs", locals: 1, code: func(n int) []byte { return flat(n, opGet(0), opIf, opEnd) }},
	{name: "ifs", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte { return code(opGet(i%manyLocals), opIf, mixed(i), opEnd) })
	}},
	{name: "if else", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte {
			return code(opGet(i%manyLocals), opIf, mixed(i), opElse, mixed(3*i), opEnd)
		})
	}},
	{name: "ifs of few locals", locals: 50, code: func(n int) []byte {
		return repeat(n, func(i int) []byte { return code(opGet(i%50), opIf, opGet((i+1)%50), opSet((i*5+2)%50), opEnd) })
	}},
	{name: "deep ifs", locals: manyLocals, code: func(n int) []byte {
		return nested(n, maxIfNesting, func(i int) []byte { return code(opGet(i%manyLocals), opIf, mixed(i)) })
	}},
	{name: "deep ifs of few locals", locals: 100, code: func(n int) []byte {
		return nested(n, maxIfNesting, func(i int) []byte { return code(opGet(i%100), opIf) }, opGet(0), opSet(1))
	}},
	{name: "deep blocks", locals: 100, code: func(n int) []byte {
		return nested(n, 500, func(i int) []byte { return opBlock }, opGet(1), opSet(2), opGet(0), opBrIf(0))
	}},
	{name: "deep br_table", locals: 20, code: func(n int) []byte {
		var labels []int
		for i := range 900 {
			labels = append(labels, i)
		}
		head := code(bytes.Repeat(opBlock, 900), opGet(0), opBrTable(labels...))
		one := code(head, bytes.Repeat(code(opEnd, opGet(1), opSet(2)), 900))
		return bytes.Repeat(one, n/len(one))
	}},
	{name: "branches to one place", locals: manyLocals, code: func(n int) []byte {
		return code(opBlock, repeat(n-3, func(i int) []byte { return code(mixed(i), opGet(0), opBrIf(0)) }), opEnd)
	}},
	{name: "returns", locals: 1, code: func(n int) []byte { return flat(n, opGet(0), opIf, opReturn, opEnd) }},
	{name: "traps", locals: 1, code: func(n int) []byte { return flat(n, opGet(0), opIf, opUnreachable, opEnd) }},
	{name: "loops", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte { return code(opLoop, mixed(i), opGet(0), opBrIf(0), opEnd) })
	}},
	{name: "long loops", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte {
			return code(opLoop, repeat(300, func(j int) []byte { return mixed(i + j) }), opGet(0), opBrIf(0), opEnd)
		})
	}},
	{name: "nested loops", locals: manyLocals, code: func(n int) []byte {
		return nested(n, maxLoopNesting, func(i int) []byte { return opLoop }, repeat(40, mixed), opGet(0), opBrIf(0))
	}},
	{name: "nested loops of few locals", locals: 20, code: func(n int) []byte {
		return nested(n, maxLoopNesting, func(i int) []byte { return opLoop }, opGet(1), opSet(2), opGet(0), opBrIf(0))
	}},
	{name: "calls", code: func(n int) []byte { return flat(n, opCall(0)) }},
	{name: "calls with values", locals: 1, code: func(n int) []byte {
		return code(bytes.Repeat(opGet(0), maxValues), flat(n-3*maxValues, opCall(1)), bytes.Repeat(opDrop, maxValues))
	}},
	{name: "calls between globals", code: func(n int) []byte {
		return repeat(n, func(i int) []byte {
			return code(opCall(0), []byte{0x23, byte(i % maxVariables), 0x24, byte((i + 7) % maxVariables)})
		})
	}},
	{name: "indirect calls", locals: 1, code: func(n int) []byte { return flat(n, opGet(0), opCallIndirect(0)) }},
	{name: "stores", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte { return code(opGet(i%manyLocals), opGet((i+1)%manyLocals), opStore(i)) })
	}},
	{name: "loads on the stack", code: func(n int) []byte {
		n /= 7
		return code(bytes.Repeat(code(opConst(40), opLoad(0)), n), bytes.Repeat(opI32Add, n-1), opDrop)
	}},
	{name: "divisions", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte {
			return code(opGet(i%manyLocals), opGet((i+1)%manyLocals), opI32DivU, opSet((i+3)%manyLocals))
		})
	}},
	{name: "conversions", locals: manyLocals, locals8: wasmbin.TypeF64, code: func(n int) []byte {
		return repeat(n, func(i int) []byte { return code(opGet(i%manyLocals), []byte{0xb0}, opDrop) })
	}},
	{name: "copies", locals: 3, code: func(n int) []byte { return flat(n, opGet(0), opGet(1), opGet(2), opMemoryCopy) }},
	{name: "growth", locals: 1, code: func(n int) []byte { return flat(n, opGet(0), opMemoryGrow(), opSet(0)) }},
	{name: "selects", locals: manyLocals, code: func(n int) []byte {
		return repeat(n, func(i int) []byte {
			return code(opGet(i%manyLocals), opGet((i+1)%manyLocals), opGet((i+2)%manyLocals), opSelect, opSet((i+3)%manyLocals))
		})
	}},
	{name: "values across ifs", locals: 1, code: func(n int) []byte {
		return code(bytes.Repeat(code(opConst(40), opLoad(0)), n/12), flat(n/3, opGet(0), opIf, opCall(0), opEnd),
			bytes.Repeat(opDrop, n/12))
	}},
}

// ordinary is code without anything that compilers are slow for.
var ordinary = bomb{name: "ordinary", locals: 10, code: func(n int) []byte {
	return repeat(n, func(i int) []byte { return code(opGet(i%10), opGet((i+1)%10), opI32Add, opSet((i+3)%10)) })
}}

// module repeats a function of n bytes so often.
func (b *bomb) module(n, copies int) []byte {
	many := string(bytes.Repeat([]byte(i32), maxValues))
	kind := b.locals8
	if kind == 0 {
		kind = wasmbin.TypeI32
	}
	locals := vector()
	if b.locals > 0 {
		locals = code([]byte{1}, leb(b.locals), []byte{kind})
	}
	one := text(string(code(locals, b.code(n), opEnd)))
	types := vector(functionType(signature{}), functionType(signature{many, many}))
	functions := code(leb(copies+2), []byte{0, 1}, make([]byte, copies))
	g := newGuest()
	g.imports, g.functions, g.table = nil, nil, []byte{0x70, 0, 100}
	var pass []byte
	for i := range maxValues {
		pass = append(pass, opGet(i)...)
	}
	bodies := code(leb(copies+2), []byte{2, 0}, opEnd, text(string(code([]byte{0}, pass, opEnd))), bytes.Repeat(one, copies))
	global := code([]byte{wasmbin.TypeI64, 1}, opConst64(0), opEnd)
	g.sections = map[byte][]byte{
		wasmbin.SectionType: types, wasmbin.SectionFunction: functions, wasmbin.SectionCode: bodies,
		wasmbin.SectionGlobal: code(leb(maxVariables), bytes.Repeat(global, maxVariables)),
	}
	return g.encode()
}

// allowed reports whether the limits on code let a module pass.
func allowed(tb testing.TB, wasm []byte) bool {
	if len(wasm) > MaxModuleBytes {
		return false
	}
	m, err := wasmbin.Parse(wasm)
	if err != nil {
		tb.Fatal(err)
	}
	c := checker{m}
	return c.sizes() == nil && c.code() == nil
}

// largest is the largest n up to limit that is good, by halves.
func largest(limit int, good func(n int) bool) int {
	low, high := 0, limit
	for low < high {
		if middle := (low + high + 1) / 2; good(middle) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// As many as pass the checks of the largest functions that do compile in time, for each shape.
func TestBombs(t *testing.T) {
	plain := ordinary.module(20_000, 75)
	for i := range bombs {
		b := &bombs[i]
		body := largest(maxBodyBytes-100, func(n int) bool { return allowed(t, b.module(n, 1)) })
		copies := largest(MaxModuleBytes/body+1, func(n int) bool { return allowed(t, b.module(body, n)) })
		t.Run(fmt.Sprintf("%s/%d×%d", b.name, copies, body), func(t *testing.T) {
			worst := b.module(body, copies)
			times := timesAsMuch(maxTimesOrdinary,
				func() time.Duration { return compileTime(t, worst) }, func() time.Duration { return compileTime(t, plain) })
			t.Logf("%.1f times the time of ordinary code", times)
			if times > maxTimesOrdinary {
				t.Errorf("that is too much; %d are allowed", maxTimesOrdinary)
			}
		})
	}
}

// compileTime is the CPU time that this thread takes to meter and compile a module.
func compileTime(t *testing.T, wasm []byte) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := wazero.NewRuntimeWithConfig(t.Context(), runtimeConfig)
	defer r.Close(t.Context()) //nolint:errcheck // it holds nothing but memory
	before := threadTime(t)
	metered, err := gas.Meter(wasm, gas.CostModel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CompileModule(t.Context(), metered.Wasm); err != nil {
		t.Fatal(err)
	}
	return threadTime(t) - before
}

// threadTime is the CPU time of this thread so far.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	const thisThread = 1
	var usage syscall.Rusage
	if err := syscall.Getrusage(thisThread, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
