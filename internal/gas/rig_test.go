package gas

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// plenty is more gas than any test's guest needs.
const plenty = math.MaxInt64

// rig runs a view, metered or bare, by the smallest host that the ABI allows: what a test sees of it is the guest's doing.
type rig struct {
	tb       testing.TB
	ctx      context.Context
	runtime  wazero.Runtime
	guest    api.Module
	alloc    api.Function
	config   string
	fields   *jsonscan.Pointers
	state    map[string]string
	failText string
	room     uint64 // bytes of the last event
	counter  api.MutableGlobal
}

// Engines that run WebAssembly in two ways.
var engines = map[string]wazero.RuntimeConfig{
	"compiler":    wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(MaxGrowPages),
	"interpreter": wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(MaxGrowPages),
}

// caches keep compiled code from one rig to the next.
var caches = map[string]wazero.CompilationCache{
	"compiler":    wazero.NewCompilationCache(),
	"interpreter": wazero.NewCompilationCache(),
}

// worthKeeping is the size from which compiling a module again takes long.
const worthKeeping = 64 << 10

// newRig starts a module: its start function and _initialize have run.
func newRig(tb testing.TB, engine string, wasm []byte, config string) *rig {
	tb.Helper()
	r := &rig{tb: tb, ctx: context.Background(), config: config, state: map[string]string{}}
	settings := engines[engine]
	if len(wasm) > worthKeeping {
		settings = settings.WithCompilationCache(caches[engine])
	}
	r.runtime = wazero.NewRuntimeWithConfig(r.ctx, settings)
	tb.Cleanup(func() { _ = r.runtime.Close(r.ctx) })
	if bytes.Contains(wasm, []byte(wasi_snapshot_preview1.ModuleName)) {
		wasi_snapshot_preview1.MustInstantiate(r.ctx, r.runtime)
	}
	r.link()
	var err error
	r.guest, err = r.runtime.InstantiateWithConfig(r.ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		tb.Fatalf("instantiate: %v", err)
	}
	r.counter, _ = r.guest.ExportedGlobal(ExportGas).(api.MutableGlobal)
	r.alloc = r.guest.ExportedFunction("tally_alloc")
	for _, name := range []string{ExportStart, "_initialize"} {
		if r.guest.ExportedFunction(name) == nil {
			continue
		}
		if _, err := r.call(name); err != nil {
			tb.Fatal(err)
		}
	}
	if r.guest.ExportedFunction("tally_fields") != nil {
		answer, err := r.call("tally_fields")
		if err != nil {
			tb.Fatal(err)
		}
		if r.fields, err = jsonscan.Compile(strings.Split(string(r.read(answer)), "\n")); err != nil {
			tb.Fatal(err)
		}
	}
	return r
}

// link gives the guest the imports of the ABI.
func (r *rig) link() {
	b := r.runtime.NewHostModuleBuilder("tally")
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	add := func(name string, params, results []api.ValueType, f func(stack []uint64)) {
		call := api.GoFunc(func(_ context.Context, stack []uint64) { f(stack) })
		b.NewFunctionBuilder().WithGoFunction(call, params, results).Export(name)
	}
	add("get", []api.ValueType{i32, i32}, []api.ValueType{i64}, func(stack []uint64) {
		value, ok := r.state[string(r.bytes(stack[0], stack[1]))]
		if stack[0] = math.MaxUint64; ok {
			stack[0] = r.hand(value)
		}
	})
	add("get_into", []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i32}, func(stack []uint64) {
		value, ok := r.state[string(r.bytes(stack[0], stack[1]))]
		if len(value) <= int(api.DecodeI32(stack[3])) { // the upper half of a parameter may hold anything
			copy(r.bytes(stack[2], uint64(len(value))), value)
		}
		if stack[0] = api.EncodeI32(-1); ok {
			stack[0] = uint64(len(value))
		}
	})
	add("set", []api.ValueType{i32, i32, i32, i32}, nil, func(stack []uint64) {
		r.state[string(r.bytes(stack[0], stack[1]))] = string(r.bytes(stack[2], stack[3]))
	})
	add("delete", []api.ValueType{i32, i32}, nil, func(stack []uint64) {
		delete(r.state, string(r.bytes(stack[0], stack[1])))
	})
	add("scan", []api.ValueType{i32, i32, i32, i32, i32}, []api.ValueType{i64}, func(stack []uint64) {
		stack[0] = r.hand(r.scan(string(r.bytes(stack[0], stack[1])), string(r.bytes(stack[2], stack[3])), int(int32(stack[4]))))
	})
	add("config", nil, []api.ValueType{i64}, func(stack []uint64) { stack[0] = r.hand(r.config) })
	add("fail", []api.ValueType{i32, i32}, nil, func(stack []uint64) { r.failText = string(r.bytes(stack[0], stack[1])) })
	add("content_type", []api.ValueType{i32, i32}, nil, func([]uint64) {})
	add("answer", []api.ValueType{i32, i32}, nil, func([]uint64) {})
	add("retry_after", []api.ValueType{i32}, nil, func([]uint64) {})
	if _, err := b.Instantiate(r.ctx); err != nil {
		r.tb.Fatal(err)
	}
}

func (r *rig) scan(prefix, after string, limit int) string {
	var keys []string
	for key := range r.state {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var out []byte
	for _, key := range keys[:min(limit, len(keys))] {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(key)))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(r.state[key])))
		out = append(append(out, key...), r.state[key]...)
	}
	return string(out)
}

// bytes is what the guest has at ptr.
func (r *rig) bytes(ptr, length uint64) []byte {
	b, ok := r.guest.Memory().Read(uint32(ptr), uint32(length))
	if !ok {
		panic("a pointer beyond memory")
	}
	return b
}

// read is what a packed pair points at.
func (r *rig) read(packed uint64) []byte { return r.bytes(packed>>32, packed&math.MaxUint32) }

// hand gives the guest some bytes, as a packed pair.
func (r *rig) hand(text string) uint64 {
	stack := []uint64{uint64(len(text))}
	if err := r.alloc.CallWithStack(r.ctx, stack); err != nil {
		panic(err)
	}
	copy(r.bytes(stack[0], uint64(len(text))), text)
	return stack[0]<<32 | uint64(len(text))
}

// call calls an export with plenty of gas.
func (r *rig) call(name string, params ...uint64) (uint64, error) {
	r.setGas(plenty)
	results, err := r.guest.ExportedFunction(name).Call(r.ctx, params...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// setGas sets the counter of a metered guest.
func (r *rig) setGas(units int64) {
	if r.counter == nil {
		return
	}
	r.counter.Set(uint64(units))
	r.guest.ExportedGlobal(ExportReserve).(api.MutableGlobal).Set(0)
	if rate := r.guest.ExportedGlobal(ExportRate); rate != nil {
		rate.(api.MutableGlobal).Set(1)
	}
}

// gas is what the counter of a metered guest says.
func (r *rig) gas() int64 {
	if r.counter == nil {
		return 0
	}
	left, reserve := int64(r.counter.Get()), r.guest.ExportedGlobal(ExportReserve).Get()
	if rate := r.guest.ExportedGlobal(ExportRate); rate != nil {
		left *= int64(rate.Get())
	}
	return left + int64(reserve)
}

// event lays an event out in the guest's memory and returns its place.
func (r *rig) event(sequence uint64, data string) uint64 {
	const header, slot = 40, 24
	var values []jsonscan.Value
	if r.fields != nil {
		values = make([]jsonscan.Value, r.fields.Len())
		if err := r.fields.Scan([]byte(data), values); err != nil {
			r.tb.Fatal(err)
		}
	}
	texts := header + slot*len(values)
	room := texts + len(data)
	for _, v := range values {
		room += len(v.Text)
	}
	r.room = uint64(room)
	at := r.hand(strings.Repeat("\x00", room)) >> 32
	b := r.bytes(at, uint64(room))
	le := binary.LittleEndian
	le.PutUint64(b, sequence)
	le.PutUint64(b[8:], 1740823530123456+sequence*3_600_000_000)
	le.PutUint64(b[16:], 1740823530123456+sequence*3_600_000_000)
	le.PutUint32(b[24:], uint32(at)+uint32(texts))
	le.PutUint32(b[28:], uint32(len(data)))
	le.PutUint32(b[32:], uint32(len(values)))
	texts += copy(b[texts:], data)
	for i, v := range values {
		s := b[header+slot*i:]
		le.PutUint32(s, uint32(v.Kind))
		le.PutUint32(s[4:], uint32(at)+uint32(texts))
		le.PutUint32(s[8:], uint32(len(v.Text)))
		le.PutUint64(s[16:], math.Float64bits(v.Number))
		texts += copy(b[texts:], v.Text)
	}
	return at
}

// memory is all of the guest's memory.
func (r *rig) memory() []byte {
	b, _ := r.guest.Memory().Read(0, r.guest.Memory().Size())
	return b
}

// globals are the module's own mutable globals.
func (r *rig) globals() (values []uint64) {
	for i := 0; ; i++ {
		global := r.guest.ExportedGlobal(ExportGlobal + strconv.Itoa(i))
		if global == nil {
			return values
		}
		values = append(values, global.Get())
	}
}

// meter rewrites a module that a test knows to be good, by the model of today.
func meter(tb testing.TB, wasm []byte) []byte {
	tb.Helper()
	return meterBy(tb, wasm, CostModel)
}

func meterBy(tb testing.TB, wasm []byte, model Model) []byte {
	tb.Helper()
	m, err := Meter(wasm, model)
	if err != nil {
		tb.Fatal(err)
	}
	return m.Wasm
}
