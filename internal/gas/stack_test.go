package gas

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

const (
	i32 = string(rune(wasmbin.TypeI32))
	i64 = string(rune(wasmbin.TypeI64))
)

// count adds 1 to the number at the start of memory.
var count = code(num(0), num(0), op(wasmbin.OpI32Load, 2, 0), num(1), op(wasmbin.OpI32Add), op(0x36, 2, 0))

// recursions are functions without parameters, exported as tally_query, that call themselves forever, and count how
// often. Each keeps the stack busy in another way.
func recursions() map[string]*testModule {
	query := map[string]uint32{"tally_query": 0}
	one := func(locals string, parts ...[]byte) *testModule {
		return &testModule{
			types: []wasmbin.FuncType{{}}, start: -1, exports: query,
			funcs: []testFunc{{locals: locals, code: code(parts...)}},
		}
	}
	drop, call := op(wasmbin.OpDrop), op(wasmbin.OpCall, 0)
	load := func(n int) (out []byte) {
		for i := range n {
			out = append(out, code(num(64), op(wasmbin.OpI32Load, 2, uint32(4*i)))...)
		}
		return out
	}
	var set, get []byte
	some := 0
	const locals = 500
	for i := range uint32(locals) {
		set = append(set, code(num(128), op(wasmbin.OpI32Load, 2, 4*i), op(wasmbin.OpLocalSet, i))...)
		if i == 20 {
			some = len(set)
		}
		get = append(get, code(num(256), op(wasmbin.OpLocalGet, i), op(0x36, 2, 4*i))...)
	}
	var merges []byte
	for i := range uint32(100) {
		merges = append(merges, code(num(64), op(wasmbin.OpI32Load, 2, 0), opening(wasmbin.OpIf), set[:some], op(wasmbin.OpEnd),
			op(wasmbin.OpLocalGet, i), drop)...)
	}
	many := strings.Repeat(i32, 32)
	var push []byte
	for i := range uint32(32) {
		push = append(push, op(wasmbin.OpLocalGet, i)...)
	}
	wide := one("", count, bytes.Repeat(num(7), 32), op(wasmbin.OpCall, 1), bytes.Repeat(drop, 32))
	wide.types = append(wide.types, wasmbin.FuncType{Params: many, Results: many})
	wide.funcs = append(wide.funcs, testFunc{kind: 1, code: code(count, push, op(wasmbin.OpCall, 1))})
	indirect := one("", count, num(0), []byte{0x11, 0, 0})
	indirect.table = []uint32{0}
	ping := one("", count, op(wasmbin.OpCall, 1))
	ping.funcs = append(ping.funcs, testFunc{code: code(count, op(wasmbin.OpCall, 0))})
	return map[string]*testModule{
		"small":  one("", count, call),
		"values": one("", count, load(1000), call, bytes.Repeat(drop, 1000)),
		"values used": one(i32, count, load(1000), op(wasmbin.OpCall, 0), bytes.Repeat(op(wasmbin.OpI32Add), 999),
			op(wasmbin.OpLocalSet, 0),
			num(8), op(wasmbin.OpLocalGet, 0), op(0x36, 2, 0)),
		"addresses": one(i32+i32, count, num(64), op(wasmbin.OpI32Load, 2, 0), op(wasmbin.OpLocalSet, 0), wander(200), call,
			wander(200), num(8), op(wasmbin.OpLocalGet, 1), op(0x36, 2, 0)),
		"locals":           one(strings.Repeat(i32, locals), count, set, call, get),
		"merges":           one(strings.Repeat(i32, locals), count, merges, call, get),
		"params":           wide,
		"indirect":         indirect,
		"two":              ping,
		"wide and returns": one("", count, num(1), opening(wasmbin.OpIf), call, op(wasmbin.OpReturn), op(wasmbin.OpEnd), call),
	}
}

// wander loads from n places that depend on each other, so that all addresses may be kept.
func wander(n int) (out []byte) {
	for i := range uint32(n) {
		out = append(out, code(op(wasmbin.OpLocalGet, 0), num(int64(i)), op(wasmbin.OpI32Add), op(wasmbin.OpI32Load, 2, 0),
			op(wasmbin.OpLocalGet, 1), op(wasmbin.OpI32Add), op(wasmbin.OpLocalSet, 1))...)
	}
	return out
}

// A recursion ends where the cost model says, and never where the runtime's own stack does.
func TestRecursionEndsByTheCostModel(t *testing.T) {
	for name, m := range recursions() {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "compiler", meter(t, m.encode()), "")
			_, err := r.call("tally_query")
			stack := r.guest.ExportedGlobal(ExportStack)
			if err == nil || !strings.Contains(err.Error(), "unreachable") || int32(stack.Get()) >= 0 {
				t.Fatalf("%.100v, %d bytes left; want a trap for lack of stack", err, int32(stack.Get()))
			}
			depth := binary.LittleEndian.Uint32(r.memory())
			bare := newRig(t, "compiler", m.encode(), "")
			_, err = bare.call("tally_query")
			if err == nil || !strings.Contains(err.Error(), "stack overflow") {
				t.Fatalf("bare: %.100v; want a stack overflow", err)
			}
			native := binary.LittleEndian.Uint32(bare.memory())
			t.Logf("%d calls, each charged about %d bytes; the runtime has room for %d", depth, StackBytes/depth, native)
			if depth >= native/2 {
				t.Errorf("%d calls are allowed, and the runtime has room for %d", depth, native)
			}
		})
	}
}

// Engines agree on where a recursion ends. The interpreter has few frames, so these must be large.
func TestRecursionEndsAtTheSameCall(t *testing.T) {
	for _, name := range []string{"locals", "merges"} {
		wasm := meter(t, recursions()[name].encode())
		var images [][]byte
		for _, engine := range []string{"compiler", "interpreter"} {
			r := newRig(t, engine, wasm, "")
			if _, err := r.call("tally_query"); err == nil || int32(r.guest.ExportedGlobal(ExportStack).Get()) >= 0 {
				t.Fatalf("%s, %s: %.100v", name, engine, err)
			}
			images = append(images, append(bytes.Clone(r.memory()), fmt.Sprint(r.gas())...))
		}
		if !bytes.Equal(images[0], images[1]) {
			t.Errorf("%s: the engines stop in other states", name)
		}
	}
}

// Who returns gives the stack back, from wherever it returns, and results pass.
func TestStackIsGivenBack(t *testing.T) {
	const down, sum = 0, 1
	pair := wasmbin.FuncType{Params: i32, Results: i32 + i64}
	m := &testModule{
		types: []wasmbin.FuncType{{Params: i32, Results: i32}, pair},
		funcs: []testFunc{
			{kind: 0, code: code( // down(n) = n by recursion, and a return from the depth of a block
				op(wasmbin.OpLocalGet, 0), op(wasmbin.OpI32Eqz), opening(wasmbin.OpIf), num(0), op(wasmbin.OpReturn), op(wasmbin.OpEnd),
				op(wasmbin.OpLocalGet, 0), num(1), op(wasmbin.OpI32Sub), op(wasmbin.OpCall, down), num(1), op(wasmbin.OpI32Add),
			)},
			{kind: 1, code: code( // sum(n) = n, n by recursion, by a branch out of the function
				op(wasmbin.OpLocalGet, 0), op(wasmbin.OpI32Eqz), opening(wasmbin.OpIf), num(0), appendI64(nil, 0), op(wasmbin.OpBr, 1),
				op(wasmbin.OpEnd), op(wasmbin.OpLocalGet, 0), num(1), op(wasmbin.OpI32Sub), op(wasmbin.OpCall, sum), op(wasmbin.OpDrop),
				num(1), op(wasmbin.OpI32Add), op(wasmbin.OpLocalGet, 0), op(wasmbin.OpI64ExtendU),
			)},
		},
		exports: map[string]uint32{"tally_alloc": down, "tally_query": sum}, start: -1,
	}
	r := newRig(t, "compiler", meter(t, m.encode()), "")
	for range 3 {
		got, err := r.call("tally_alloc", 1000)
		if err != nil || got != 1000 {
			t.Fatalf("down(1000) = %d, %v", got, err)
		}
		r.setGas(plenty)
		both, err := r.guest.ExportedFunction("tally_query").Call(r.ctx, 900)
		if err != nil || both[0] != 900 || both[1] != 900 {
			t.Fatalf("sum(900) = %v, %v", both, err)
		}
		if left := int32(r.guest.ExportedGlobal(ExportStack).Get()); left != StackBytes {
			t.Fatalf("%d bytes of stack are left; there were %d", left, StackBytes)
		}
	}
}

// Modules without recursion carry no stack counter.
func TestNoRecursionNoCounter(t *testing.T) {
	m, err := Meter(corpus(t)["monthly_totals"], CostModel)
	if err != nil || m.Stack {
		t.Errorf("stack %v, %v", m.Stack, err)
	}
}

func TestLargeFramesAreRefused(t *testing.T) {
	chain := &testModule{types: []wasmbin.FuncType{{}}, start: -1, exports: map[string]uint32{"tally_query": 0}}
	const functions = 40
	for i := range uint32(functions) {
		body := bytes.Repeat(code(num(0), op(wasmbin.OpDrop)), 8000)
		if i < functions-1 {
			body = append(body, op(wasmbin.OpCall, i+1)...)
		}
		chain.funcs = append(chain.funcs, testFunc{code: body})
	}
	_, err := Meter(chain.encode(), CostModel)
	var limit *LimitError
	if !errors.As(err, &limit) || !strings.Contains(limit.Reason, "at most 8388608 are allowed") {
		t.Errorf("a long path: %v", err)
	}
	if _, err := Meter(recursions()["small"].encode(), CostModel); err != nil {
		t.Errorf("a small one: %v", err)
	}
}
