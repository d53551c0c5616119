package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// shape is a guest whose fold does one thing until its gas is used up, or it fails for another reason.
type shape struct {
	name string
	g    *guest
}

// maxTimesPlain is how many times the time of plain computing, with as much gas, a shape may take: what BenchmarkShapes is to find on a
// quiet machine. A test allows twice as much, since other work on the machine slows memory more than computing.
const maxTimesPlain = 5

// plainGuest counts down.
func plainGuest() *guest {
	return newGuest().fold(opConst(1<<30), opSet(1), opLoop, opGet(1), opConst(-1), opI32Add, opTee(1), opBrIf(0), opEnd, opConst(0))
}

// times repeats instructions.
func times(n int, instructions ...[]byte) []byte { return slices.Repeat(code(instructions...), n) }

func endlessly(instructions ...[]byte) []byte {
	return code(opLoop, code(instructions...), opBr(0), opEnd, opUnreachable)
}

func withPages(g *guest, pages int) *guest {
	g.memory = append([]byte{0}, leb(pages)...)
	return g
}

var (
	opMul  = []byte{0x6c}
	opShl  = []byte{0x74}
	opShrU = []byte{0x76}
	opFill = []byte{0xfc, 11, 0}
	// opNext takes local 1 to the next of a row of numbers that looks like chance.
	opNext = code(opGet(1), opConst(1664525), opMul, opConst(1013904223), opI32Add, opTee(1))
)

// chase loads without end what the next load's address is: each has to wait for the one before. Its _initialize lays the chain out over all
// of the memory, one link in each 1 << shift bytes, in an order that no processor foresees.
func chase(pages, shift int) *guest {
	links := int32(pages) << 16 >> shift
	next := code(opGet(0), opConst(1664525), opMul, opConst(1013904223), opI32Add, opConst(links-1), opI32And)
	g := withPages(newGuest(), pages).initialize(
		opLoop,
		opGet(0), opConst(int32(shift)), opShl, next, opConst(int32(shift)), opShl, opStore(32),
		opGet(0), opConst(1), opI32Add, opTee(0), opConst(links), opI32GeU, opI32Eqz, opBrIf(0),
		opEnd)
	g.function("_initialize").locals = i32
	return g.fold(endlessly(opGet(1), times(40, opLoad(32)), opSet(1)))
}

func memoryShapes() (shapes []shape) {
	add := func(name string, g *guest) { shapes = append(shapes, shape{name: name, g: g}) }
	for _, pages := range []int{2, 4, 16, 32, 64, 128, 256, 1024} {
		shift := 6
		if pages > 128 {
			shift = 8 // within the gas of _initialize
		}
		add(fmt.Sprintf("dependent loads over %d pages", pages), chase(pages, shift))
	}
	for _, pages := range []int{2, 16, 64, 256, 1024} {
		anywhere := code(opNext, opConst(4), opShrU, opConst(int32(pages)<<16-4), opI32And)
		stride := code(opGet(1), opConst(4096+64), opI32Add, opTee(1), opConst(int32(pages)<<16-4), opI32And)
		add(fmt.Sprintf("scattered loads over %d pages", pages),
			withPages(newGuest().fold(endlessly(times(10, anywhere, opLoad(0), opGet(2), opI32Add, opSet(2)))), pages))
		add(fmt.Sprintf("scattered stores over %d pages", pages),
			withPages(newGuest().fold(endlessly(times(10, anywhere, opGet(1), opStore(0)))), pages))
		add(fmt.Sprintf("a store to each of %d pages", pages),
			withPages(newGuest().fold(endlessly(times(10, stride, opGet(1), opStore(0)))), pages))
	}
	for _, n := range []int32{1, 7, 64, 1000, 60_000, 30 << 20} {
		pages := 2
		if n > 60_000 {
			pages = 1024
		}
		add(fmt.Sprintf("filling %d bytes", n), withPages(newGuest().fold(endlessly(opConst(64), opConst(1), opConst(n), opFill)), pages))
		add(fmt.Sprintf("copying %d bytes", n),
			withPages(newGuest().fold(endlessly(opConst(64), opConst(int32(pages)<<15), opConst(n), []byte{0xfc, 10, 0, 0})), pages))
	}
	add("growing by nothing", newGuest().fold(endlessly(opConst(0), opMemoryGrow(), opDrop)))
	add("growing, and filling it", newGuest().fold(opLoop,
		opConst(1), opMemoryGrow(), opTee(1), opConst(16), opShl, opConst(7), opConst(1<<16), opFill, opBr(0), opEnd, opUnreachable))
	return shapes
}

// operation is an instruction that takes values of a type, or several that give back what they take.
type operation struct {
	name, kind string
	value      []byte
	code       []byte
	second     bool // it takes two values
}

func operations() []operation {
	f64, f32 := string(rune(wasmbin.TypeF64)), string(rune(wasmbin.TypeF32))
	minus64, most64 := opConst64(-5), opConst64(1<<63-1)
	one := []byte{0x44, 1, 2, 3, 4, 5, 6, 0xf0, 0x3f}
	tiny, huge := []byte{0x44, 1, 0, 0, 0, 0, 0, 0, 0}, []byte{0x44, 0, 0, 0, 0, 0, 0, 0xe8, 0x43}
	return []operation{
		{"i32.div_u", i32, opConst(-5), []byte{0x6e}, true},
		{"i32.rem_u", i32, opConst(-5), []byte{0x70}, true},
		{"i64.mul", i64, most64, []byte{0x7e}, true},
		{"i64.div_s", i64, most64, []byte{0x7f}, true},
		{"i64.div_u", i64, minus64, []byte{0x80}, true},
		{"i64.rem_s", i64, most64, []byte{0x81}, true},
		{"i64.rem_u", i64, minus64, []byte{0x82}, true},
		{"i64.rotl", i64, most64, []byte{0x89}, true},
		{"i64.clz", i64, most64, []byte{0x79}, false},
		{"i64.ctz", i64, most64, []byte{0x7a}, false},
		{"i64.popcnt", i64, most64, []byte{0x7b}, false},
		{"f64.add", f64, one, []byte{0xa0}, true},
		{"f64.mul", f64, one, []byte{0xa2}, true},
		{"f64.mul of tiny numbers", f64, tiny, []byte{0xa2}, true},
		{"f64.div", f64, one, []byte{0xa3}, true},
		{"f64.div of tiny numbers", f64, tiny, []byte{0xa3}, true},
		{"f32.div", f32, []byte{0x43, 1, 2, 0x80, 0x3f}, []byte{0x95}, true},
		{"f64.min", f64, one, []byte{0xa4}, true},
		{"f64.copysign", f64, one, []byte{0xa6}, true},
		{"f64.abs", f64, one, []byte{0x99}, false},
		{"f64.neg", f64, one, []byte{0x9a}, false},
		{"f64.ceil", f64, one, []byte{0x9b}, false},
		{"f64.nearest", f64, one, []byte{0x9e}, false},
		{"f64.sqrt", f64, one, []byte{0x9f}, false},
		{"f64 to i64 and back", f64, one, []byte{0xb0, 0xb9}, false},
		{"f64 to u64 and back", f64, huge, []byte{0xb1, 0xba}, false},
		{"f64 to u32 and back", f64, one, []byte{0xab, 0xb8}, false},
		{"f64 to i64, saturating, and back", f64, one, []byte{0xfc, 6, 0xb9}, false},
		{"f64 to u64, saturating, and back", f64, huge, []byte{0xfc, 7, 0xba}, false},
		{"f64 to f32 and back", f64, one, []byte{0xb6, 0xbb}, false},
		{"i64 as f64 and back", i64, most64, []byte{0xbf, 0xbd}, false},
	}
}

func operationShapes() (shapes []shape) {
	for _, o := range operations() {
		g := newGuest()
		g.function("tally_fold").locals = o.kind + o.kind
		body := endlessly(opGet(1), times(40, o.code), opSet(1))
		if o.second {
			body = endlessly(opGet(1), times(20, opGet(2), o.code), opSet(1))
		}
		shapes = append(shapes, shape{name: o.name, g: g.fold(o.value, opSet(1), o.value, opSet(2), body)})
	}
	return shapes
}

func callShapes() (shapes []shape) {
	many := func(n int) string { return strings.Repeat(i32, n) }
	calls := func(name string, f function, before, after []byte) {
		g := newGuest()
		f.export = "called"
		g.functions = append(g.functions, f)
		shapes = append(shapes, shape{name: name, g: g.fold(endlessly(before, times(10, opCall(ownFunctions+3)), after))})
	}
	var all []byte
	for i := range 32 {
		all = append(all, opGet(i)...)
	}
	calls("calls", function{}, nil, nil)
	calls("calls of 50 locals", function{locals: many(50)}, nil, nil)
	calls("calls that pass 32 values to and fro", function{signature: signature{many(32), many(32)}, body: all}, times(32, opGet(1)),
		times(32, opDrop))
	recursive := newGuest()
	recursive.functions = append(recursive.functions, function{export: "called", signature: signature{i32, ""}, body: code(
		opGet(0), opIf, opGet(0), opConst(-1), opI32Add, opCall(ownFunctions+3), opEnd)})
	shapes = append(shapes, shape{name: "a recursion 60,000 deep", g: recursive.fold(endlessly(opConst(60_000), opCall(ownFunctions+3)))})

	jump := code(opLoop, times(16, opBlock), opNext, opConst(20), opShrU, opConst(15), opI32And, []byte{0x0e, 15})
	for i := range 16 {
		jump = append(jump, leb(i)...)
	}
	for i := range 16 {
		jump = code(jump, opEnd, opBr(15-i))
	}
	table := func(name string, instructions ...[]byte) {
		g := newGuest()
		g.table = []byte{0x70, 0, 10}
		shapes = append(shapes, shape{name: name, g: g.fold(endlessly(times(10, instructions...)))})
	}
	table("table.get", opConst(3), []byte{0x25, 0, 0xd1}, opDrop)
	table("table.size", []byte{0xfc, 16, 0}, opDrop)
	table("ref.func", []byte{0xd2, ownFunctions}, opDrop)
	return append(shapes,
		shape{name: "branches by chance", g: newGuest().fold(endlessly(times(8, opNext, opConst(16), opShrU, opConst(1), opI32And,
			opIf, opGet(2), opConst(1), opI32Add, opSet(2), opEnd)))},
		shape{name: "loops by chance", g: newGuest().fold(endlessly(opNext, opConst(0), []byte{0x48}, opBrIf(0)))},
		shape{name: "br_table by chance", g: newGuest().fold(jump, opEnd, opUnreachable)},
		shape{name: "an empty loop", g: newGuest().fold(endlessly())},
	)
}

func hostShapes() (shapes []shape) {
	add := func(name string, g *guest) { shapes = append(shapes, shape{name: name, g: g}) }
	const textAt, room = 8192, 100_000
	withText := func(text string) *guest {
		g := withPages(newGuest(), 4)
		g.data[textAt] = text
		return g
	}
	key := code(opConst(16), opConst(4))
	set := func(text string) []byte {
		return code(key, opConst(textAt), opConst(int32(len(text))), opCall(callSet))
	}
	for _, n := range []int{1, 1000, 60_000} {
		text := `"` + strings.Repeat("x", n) + `"`
		add(fmt.Sprintf("set of %d bytes", n), withText(text).fold(endlessly(set(text))))
		add(fmt.Sprintf("get of %d bytes", n), withText(text).fold(set(text), endlessly(key, opCall(callGet), opDrop, resetArena)))
		add(fmt.Sprintf("get_into of %d bytes", n),
			withText(text).fold(set(text), endlessly(key, opConst(room), opConst(room), opCall(callGetInto), opDrop)))
	}
	for _, unit := range []string{`\u00e9`, "€", "1.5e9,", `{"a":1},`, strings.Repeat("[", 20) + strings.Repeat("]", 20) + ","} {
		text := strings.Repeat(unit, 60_000/len(unit))
		if strings.HasSuffix(unit, ",") {
			text = "[" + text + "0]"
		} else {
			text = `"` + text + `"`
		}
		add("set of "+unit, withText(text).fold(endlessly(set(text))))
	}
	add("get of what is not there", loopGuest(opConst(17), opConst(3), opCall(callGet), opDrop))
	add("delete", loopGuest(opConst(16), opConst(4), opCall(callDelete)))
	add("scan", loopGuest(opConst(0), opConst(0), opConst(0), opConst(0), opConst(1), opCall(callScan), opDrop))
	add("config", loopGuest(opCall(callConfig), opDrop, resetArena))
	add("fail", loopGuest(opConst(16), opConst(4), opCall(callFail)))
	add("fail with 60,000 bytes", loopGuest(opConst(16), opConst(60_000), opCall(callFail)))
	add("random_get of a byte", wasiLoopGuest("random_get", opConst(0), opConst(1)))
	add("random_get", wasiLoopGuest("random_get", opConst(0), opConst(2<<16)))
	add("fd_write", wasiLoopGuest("fd_write", opConst(2), opConst(256), opConst(16), opConst(8)))
	add("poll_oneoff", wasiLoopGuest("poll_oneoff", opConst(0), opConst(0), opConst(1000), opConst(8)))
	add("clock_time_get", wasiLoopGuest("clock_time_get", opConst(0), opConst64(0), opConst(8)))
	return shapes
}

// cost is what a fold of a module takes that uses its budget up: processor time, a session for it included, for each unit of gas.
func cost(tb testing.TB, m *Module) float64 {
	tb.Helper()
	began := processorTime()
	s, err := m.Start(context.Background(), Settings{}, newState("a", "1"))
	if err != nil {
		tb.Fatal(err)
	}
	_, err = s.Fold(&Event{Data: []byte("{}")})
	if !errors.As(err, new(*ViewError)) {
		tb.Fatalf("the fold ended with %v", err)
	}
	used := s.GasUsed()
	s.Close()
	return float64(processorTime()-began) / float64(used)
}

// BenchmarkShapes reports how many times as long as plain computing each shape takes for the same gas: medians, the two in turns.
func BenchmarkShapes(b *testing.B) {
	e := newEngine(b)
	plain := compile(b, e, plainGuest())
	for _, s := range slices.Concat(memoryShapes(), operationShapes(), callShapes(), hostShapes()) {
		b.Run(strings.ReplaceAll(s.name, " ", "_"), func(b *testing.B) {
			m := compile(b, e, s.g)
			var ratios, each []float64
			for b.Loop() {
				of := cost(b, plain)
				each = append(each, cost(b, m))
				ratios = append(ratios, each[len(each)-1]/of)
			}
			slices.Sort(ratios)
			slices.Sort(each)
			b.ReportMetric(ratios[len(ratios)/2], "×plain")
			b.ReportMetric(each[len(each)/2], "ns/gas")
			b.ReportMetric(0, "ns/op")
		})
	}
}
