package gas

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// fuzzGas is enough for most generated modules, and soon used up by those that do not end.
const fuzzGas = 200_000

// ran is what is left of a run.
type ran struct {
	failed  string
	memory  []byte
	gas     int64
	globals []uint64
}

func run(tb testing.TB, engine string, wasm []byte) ran {
	tb.Helper()
	r := newRig(tb, engine, wasm, "")
	defer r.runtime.Close(r.ctx) //nolint:errcheck // there are thousands of them
	r.setGas(fuzzGas)
	_, err := r.guest.ExportedFunction("tally_query").Call(r.ctx)
	left := ran{memory: slices.Clone(r.memory()), gas: r.gas(), globals: r.globals()}
	if err != nil {
		left.failed, _, _ = strings.Cut(err.Error(), "\n")
	}
	return left
}

// differ runs a generated module in every way, and compares.
func differ(t *testing.T, seed uint64) (ended bool) {
	t.Helper()
	bare := generate(seed, false)
	metered := meter(t, bare)
	compiled, interpreted := run(t, "compiler", metered), run(t, "interpreter", metered)
	if strings.Contains(interpreted.failed, "stack overflow") { // it has 2,000 frames only
		return false
	}
	if compiled.failed != interpreted.failed || compiled.gas != interpreted.gas ||
		!bytes.Equal(compiled.memory, interpreted.memory) || !slices.Equal(compiled.globals, interpreted.globals) {
		t.Fatalf("seed %d: the engines differ: %s with %d units left, and %s with %d", seed,
			compiled.failed, compiled.gas, interpreted.failed, interpreted.gas)
	}
	if compiled.gas < 0 || compiled.failed != "" && strings.Contains(compiled.failed, "unreachable") {
		return false // out of gas, or of stack
	}
	plain := run(t, "compiler", bare)
	if plain.failed != compiled.failed || !bytes.Equal(plain.memory, compiled.memory) {
		t.Fatalf("seed %d: metered %q, bare %q, or memory differs", seed, compiled.failed, plain.failed)
	}
	counted := newRig(t, "compiler", meter(t, generate(seed, true)), "")
	defer counted.runtime.Close(counted.ctx) //nolint:errcheck // as above
	_, _ = counted.call("tally_query")
	count := int64(counted.globals()[counterGlobal])
	if used := fuzzGas - compiled.gas; used < count && compiled.failed == "" {
		t.Fatalf("seed %d: %d instructions ran and were charged %d units", seed, count, used)
	}
	return true
}

func TestRandomModules(t *testing.T) {
	const seeds = 300
	ended := 0
	for seed := range uint64(seeds) {
		if differ(t, seed) {
			ended++
		}
	}
	if ended < seeds/4 {
		t.Errorf("%d of %d modules ended by themselves; more are wanted", ended, seeds)
	}
}

// Whatever a generated module does, metering changes nothing but its gas, which is at least its instructions.
func FuzzRandomModules(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { differ(t, seed) })
}

// Hostile bytes never panic; and a module is valid after metering if and only if it was before.
func FuzzMeter(f *testing.F) {
	for _, m := range recursions() {
		if wasm := m.encode(); len(wasm) < maxFuzzed {
			f.Add(wasm)
		}
	}
	for seed := range uint64(20) {
		f.Add(generate(seed, false))
	}
	f.Add(append(generate(1, false), section(wasmbin.SectionCustom, []byte("\x04name\x01\x04\x01\x00\x01f"))...))
	pages := wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(MaxGrowPages).
		WithCoreFeatures(api.CoreFeaturesV2 &^ api.CoreFeatureSIMD)
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := Meter(wasm, CostModel)
		if err != nil || len(wasm) > maxFuzzed || hungry(wasm) {
			return
		}
		runtime := wazero.NewRuntimeWithConfig(ctx, pages)
		defer runtime.Close(ctx) //nolint:errcheck // it holds nothing but memory
		_, after := runtime.CompileModule(ctx, m.Wasm)
		if bytes.Contains(wasm, []byte(customNames)) {
			return // whose lengths the runtime believes
		}
		_, before := runtime.CompileModule(ctx, wasm)
		if before == nil && after != nil {
			t.Errorf("valid before metering, and after it: %v", after)
		}
		if before != nil && after == nil && !excused(before.Error()) {
			t.Errorf("valid after metering, and before it: %v", before)
		}
	})
}

// maxFuzzed keeps the compiler quick, in bytes.
const maxFuzzed = 8 << 10

// hungry reports whether compiling takes more memory than a fuzzer has, which the checks before metering refuse.
func hungry(wasm []byte) bool {
	m, err := wasmbin.Parse(wasm)
	if err != nil {
		return true
	}
	for i := range m.Bodies {
		if m.Bodies[i].LocalCount() > 1000 {
			return true
		}
	}
	return false
}

// excused are faults in what metering leaves out: sections of its own, and exports that the ABI does not know.
func excused(fault string) bool {
	return strings.Contains(fault, "export") || strings.Contains(fault, "custom") || strings.Contains(fault, "start")
}
