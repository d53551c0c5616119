package gas

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// Where is charged how much, by the prices of Model1: the rules of docs/gas.md one by one. Offsets are in bytes of the code.
func TestCharges(t *testing.T) {
	nop, end, get := op(wasmbin.OpNop), op(wasmbin.OpEnd), op(wasmbin.OpLocalGet, 0)
	nops := func(n int) []byte { return bytes.Repeat(nop, n) }
	block, loop, cond, other := opening(wasmbin.OpBlock), opening(wasmbin.OpLoop), opening(wasmbin.OpIf), op(wasmbin.OpElse)
	brIf, br, ret := op(wasmbin.OpBrIf, 0), op(wasmbin.OpBr, 0), op(wasmbin.OpReturn)
	tests := []struct {
		name, want string // cost@offset
		locals     int
		code       []byte
	}{
		{name: "nothing", want: ""},
		{name: "straight", want: "3@0", code: nops(3)},
		{name: "blocks are free", want: "2@0", code: code(block, nop, block, nop, end, end)},
		{name: "both arms of a short if", want: "6@0", code: code(get, cond, nop, other, nop, nop, end, nop)},
		{name: "a loop, and what is around it", want: "11@0 3@12", code: code(nops(10), loop, nop, nop, end, nop)},
		{name: "little before a loop joins it", want: "8@4", code: code(nops(2), loop, nop, nop, end, nops(3))},
		{name: "not after a call", want: "3@0 2@5", code: code(nops(1), op(wasmbin.OpCall, 0), loop, nop, end, nop)},
		{name: "not when a branch may leave", want: "3@0 2@9", code: code(block, get, brIf, end, loop, nop, end, nop)},
		{name: "a long stretch is split by br_if", want: "66@0 20@68", code: code(nops(64), get, brIf, nops(20))},
		{name: "and by if", want: "67@0 20@69 30@90", code: code(nops(64), get, nop, cond, nops(20), other, nops(30), end)},
		{name: "a short split joins", want: "73@0", code: code(nops(64), get, brIf, nops(7))},
		{name: "up to 128", want: "128@0 7@130", code: code(nops(126), get, brIf, nops(7))},
		{name: "behind a block", want: "66@0 20@71", code: code(block, nops(64), get, brIf, end, nops(20))},
		{name: "dead code", want: "3@0", code: code(block, nop, br, nops(50), loop, nops(9), end, end, nop)},
		{name: "behind return", want: "2@0", code: code(nop, ret, nops(9))},
		{name: "many locals", want: "5@0 5@7", locals: 256, code: code(block, end, get, loop, nops(0), end)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &wasmbin.Module{Types: []wasmbin.FuncType{{}}, Functions: []uint32{0}}
			b := body{module: m, prices: models[Model1], code: wasmbin.NewReader(code(tt.code, end)), variables: int64(tt.locals)}
			if err := b.cut(0); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range b.charges {
				got = append(got, fmt.Sprintf("%d@%d", c.cost, c.at))
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("%s; want %s", text, tt.want)
			}
		})
	}
}

// What the lengths of bulk memory instructions cost, in both cost models.
func TestDynamicCharges(t *testing.T) {
	for _, tt := range []struct {
		name  string
		code  []byte
		want  int64
		want2 int64
	}{
		{"copy of 800 bytes", code(num(0), num(0), num(800), append(op(wasmbin.OpMemoryCopy), 0, 0)), 4 + 100, 4 + 7 + 100},
		{"fill of 7 bytes", code(num(0), num(0), num(7), append(op(wasmbin.OpMemoryFill), 0)), 4, 4 + 31},
		{"growth by 2 pages", code(num(2), op(wasmbin.OpMemoryGrow, 0), op(wasmbin.OpDrop)), 3 + 2*8192, 3 + 50 + 2*24576},
		{
			"growth by 1,024 pages, which fails", code(num(1024), op(wasmbin.OpMemoryGrow, 0), op(wasmbin.OpDrop)),
			3 + 1024*8192, 3 + 50 + 1024*24576,
		},
		{"growth by 1,025 pages, which fails", code(num(1025), op(wasmbin.OpMemoryGrow, 0), op(wasmbin.OpDrop)), 3, 3 + 50},
		{"growth by -1 pages, which fails", code(num(-1), op(wasmbin.OpMemoryGrow, 0), op(wasmbin.OpDrop)), 3, 3 + 50},
		{"a copy that traps", code(num(0), num(0), num(-8), append(op(wasmbin.OpMemoryCopy), 0, 0)), 4 + (1<<32-8)/8, 4 + 7 + (1<<32-8)/8},
	} {
		m := &testModule{
			types: []wasmbin.FuncType{{}}, funcs: []testFunc{{code: tt.code}},
			exports: map[string]uint32{"tally_query": 0}, start: -1,
		}
		for model, want := range map[Model]int64{Model1: tt.want, Model2: tt.want2} {
			r := newRig(t, "compiler", meterBy(t, m.encode(), model), "")
			_, _ = r.call("tally_query")
			if got := plenty - r.gas(); got != want {
				t.Errorf("%s: %d units by model %d; want %d", tt.name, got, model, want)
			}
		}
	}
}

// The start function is taken out of its section, and metered.
func TestStart(t *testing.T) {
	m := &testModule{
		types: []wasmbin.FuncType{{}}, start: 0, exports: map[string]uint32{"tally_query": 1},
		funcs: []testFunc{{code: code(opening(wasmbin.OpLoop), op(wasmbin.OpBr, 0), op(wasmbin.OpEnd))}, {}},
	}
	metered, err := Meter(m.encode(), CostModel)
	if err != nil || !metered.Start {
		t.Fatalf("start %v, %v", metered.Start, err)
	}
	if strings.Contains(string(metered.Wasm), string([]byte{wasmbin.SectionStart, 1, 0})) {
		t.Error("the start section is still there")
	}
}

// What would mean something else after rewriting is refused.
func TestMeterRefuses(t *testing.T) {
	for reason, m := range map[string]*testModule{
		"uses global 0; there are 0": {funcs: []testFunc{{code: code(op(wasmbin.OpGlobalGet, 0), op(wasmbin.OpDrop))}}, start: -1},
		"start function is function 1": {
			funcs: []testFunc{{}, {kind: 1}}, start: 1,
		},
		"function 9; there are 1": {funcs: []testFunc{{}}, exports: map[string]uint32{"tally_fold": 9}, start: -1},
		"blocks do not match":     {funcs: []testFunc{{code: op(wasmbin.OpEnd)}}, start: -1},
		"unknown, or malformed":   {funcs: []testFunc{{code: []byte{0xfd, 12}}}, start: -1},
		"has type 7":              {funcs: []testFunc{{kind: 7}}, start: -1},
	} {
		m.types = []wasmbin.FuncType{{}, {Params: i32}}
		if _, err := Meter(m.encode(), CostModel); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%v; want …%s…", err, reason)
		}
	}
}

// Of a module's custom sections the names of its functions are kept, when they can be believed.
func TestNames(t *testing.T) {
	for _, tt := range []struct{ names, want string }{
		{"\x01\x07\x02\x00\x01a\x01\x01b", "\x01\x07\x02\x00\x01a\x01\x01b"},
		{"\x00\x02\x01m\x01\x04\x01\x01\x01b\x02\x01\x00", "\x01\x04\x01\x01\x01b"},
		{"\x01\x06\xff\xff\xff\xff\x0f\x00", ""},     // 4 billion names
		{"\x02\x06\xff\xff\xff\xff\x0f\x00", ""},     // of locals
		{"\x01\x04\x01\x02\x01c", ""},                // of a function that is not there
		{"\x01\x07\x02\x01\x01a\x00\x01b", ""},       // out of order
		{"\x01\x05\x01\x00\x02a", ""},                // cut off
		{"\x01\x05\x01\x00\x01aa", ""},               // more than it says
		{"\x01\x07\x01\x00\x04\xff\xff\xff\x0f", ""}, // no UTF-8
	} {
		m := testModule{types: []wasmbin.FuncType{{}}, funcs: []testFunc{{}, {}}, start: -1}
		wasm := append(m.encode(), section(wasmbin.SectionCustom, []byte("\x04name"+tt.names))...)
		metered := meter(t, append(wasm, section(wasmbin.SectionCustom, []byte("\x05other"))...))
		_, got, found := strings.Cut(string(metered), "\x04name")
		if got != tt.want || found != (tt.want != "") {
			t.Errorf("%q became %q; want %q", tt.names, got, tt.want)
		}
	}
}
