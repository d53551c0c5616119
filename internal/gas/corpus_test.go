package gas

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// corpus are real modules by name: the ready views, written in C, and guests of other languages from testdata, whose
// sources say how they were built.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob("../../views/dist/*.wasm")
	if err != nil || len(paths) < 3 {
		tb.Fatalf("%d views in dist, %v", len(paths), err)
	}
	paths = append(paths, "testdata/rust/guest.wasm", "testdata/assemblyscript/guest.wasm")
	modules := map[string][]byte{"go": goGuest(tb)}
	for _, path := range paths {
		wasm, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".wasm")
		if name == "guest" {
			name = filepath.Base(filepath.Dir(path))
		}
		modules[name] = wasm
	}
	return modules
}

// goGuest builds testdata/go, once for all tests.
func goGuest(tb testing.TB) []byte {
	tb.Helper()
	builtGuest.Do(func() {
		dir, err := os.MkdirTemp("", "guest")
		if err != nil {
			tb.Fatal(err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is in the folder for such
		out := filepath.Join(dir, "guest.wasm")
		cmd := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-buildmode=c-shared", "-o", out, ".")
		cmd.Dir = "testdata/go"
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off")
		if text, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("build the Go guest: %v\n%s", err, text)
		}
		if goModule, err = os.ReadFile(out); err != nil {
			tb.Fatal(err)
		}
	})
	if goModule == nil {
		tb.Fatal("the Go guest did not build")
	}
	return goModule
}

var (
	builtGuest sync.Once
	goModule   []byte
)

// corpusEvents are folded by every module of the corpus.
var corpusEvents = []string{
	benchEvent,
	`{"type":"api.call","tokens_in":0,"tokens_out":7.25,"model":"gpt-4","team":"søk \u00e9","nested":{"a":[1,2,{"b":null}]}}`,
	`{"type":"api.call","tokens_in":"150","tokens_out":null,"model":"gpt-4o"}`,
	`{"type":"call","cost":"1.5","user":"u1","seconds":3,"amount":"2.10","tokens":7,"model":"gpt-4",` +
		`"tokens_in":123456789012345678901234567890,"tokens_out":1e-7,"team":""}`,
	benchEvent,
}

// configOf is the configuration of a ready view's worked example.
func configOf(tb testing.TB, name string) string {
	tb.Helper()
	config, err := os.ReadFile("../../views/testdata/" + name + "/readme/config.json")
	if errors.Is(err, fs.ErrNotExist) {
		return "{}"
	} else if err != nil {
		tb.Fatal(err)
	}
	return string(config)
}

// outcome is everything that can be seen of a run.
type outcome struct {
	results  []int32
	state    map[string]string
	failText string
	memory   []byte
	globals  []uint64 // of a metered module
	gas      []int64  // for each event
}

// play folds the events, the last of them with so much gas; it may trap.
func play(tb testing.TB, engine string, wasm []byte, config string, last int64) (o outcome, err error) {
	tb.Helper()
	events := corpusEvents
	r := newRig(tb, engine, wasm, config)
	for i, text := range events {
		if i == len(events)-1 {
			defer func() { o.memory = slices.Clone(r.memory()) }()
		}
		r.setGas(plenty)
		event := r.event(uint64(i+1), text)
		units := int64(plenty)
		if i == len(events)-1 {
			units = last
		}
		r.setGas(units)
		result, failed := r.guest.ExportedFunction("tally_fold").Call(r.ctx, event)
		if failed != nil {
			return outcome{state: r.state, globals: r.globals(), gas: []int64{r.gas()}}, failed
		}
		o.results = append(o.results, int32(result[0]))
		if r.counter != nil {
			o.gas = append(o.gas, units-r.gas())
		}
	}
	o.state, o.failText, o.globals = r.state, r.failText, r.globals()
	return o, nil
}

// A metered module does what the bare one does, and is charged the same in every instance and in both engines.
func TestCorpus(t *testing.T) {
	for name, wasm := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			metered, config := meter(t, wasm), configOf(t, name)
			bare, err := play(t, "compiler", wasm, config, plenty)
			if err != nil {
				t.Fatal(err)
			}
			if len(bare.state) == 0 {
				t.Fatal("the guest wrote nothing")
			}
			first, err := play(t, "compiler", metered, config, plenty)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "metered", bare, first)
			for _, engine := range []string{"compiler", "interpreter"} {
				again, err := play(t, engine, metered, config, plenty)
				if err != nil {
					t.Fatal(err)
				}
				same(t, engine, bare, again)
				if !slices.Equal(again.gas, first.gas) || !slices.Equal(again.globals, first.globals) {
					t.Errorf("%s: gas %v, globals %v; in another instance %v, %v",
						engine, again.gas, again.globals, first.gas, first.globals)
				}
			}
			t.Log("gas", first.gas)
			budget(t, metered, config, first.gas[len(first.gas)-1])
		})
	}
}

func same(t *testing.T, what string, want, got outcome) {
	t.Helper()
	if !slices.Equal(got.results, want.results) || got.failText != want.failText || !maps.Equal(got.state, want.state) {
		t.Errorf("%s: results %v, said %q, state %v; bare %v, %q, %v",
			what, got.results, got.failText, got.state, want.results, want.failText, want.state)
	}
	if !bytes.Equal(got.memory, want.memory) {
		t.Errorf("%s: memory differs from that of the bare module", what)
	}
}

// budget checks that exactly the gas that the last event takes is enough for it, and that with less it stops in the
// same state wherever it runs.
func budget(t *testing.T, metered []byte, config string, units int64) {
	t.Helper()
	exact, err := play(t, "compiler", metered, config, units)
	if err != nil {
		t.Errorf("with %d units: %v", units, err)
	}
	if n := exact.gas[len(exact.gas)-1]; n != units {
		t.Errorf("it took %d units of %d", n, units)
	}
	for _, short := range []int64{units - 1, units * 2 / 3, units / 7, 0} {
		compiled, err := play(t, "compiler", metered, config, short)
		if err == nil || !strings.Contains(err.Error(), "unreachable") || compiled.gas[0] >= 0 {
			t.Fatalf("with %d units of %d: %v, %v left", short, units, err, compiled.gas)
		}
		interpreted, err := play(t, "interpreter", metered, config, short)
		if err == nil || compiled.gas[0] != interpreted.gas[0] || !slices.Equal(compiled.globals, interpreted.globals) ||
			!bytes.Equal(compiled.memory, interpreted.memory) || !maps.Equal(compiled.state, interpreted.state) {
			t.Errorf("with %d units of %d the engines stop in other states", short, units)
		}
	}
}

// Cost models are promises: these figures never change. A new model adds its own.
func TestGasIsAPromise(t *testing.T) {
	if len(models) != int(CostModel) {
		t.Fatal("write down the figures of the new cost model")
	}
	for name, promised := range map[string]map[Model]string{
		"rust":           {Model1: "[131122 118295 66708 138772 131122]", Model2: "[191605 173986 97874 200863 191605]"},
		"assemblyscript": {Model1: "[237369 229013 143847 309930 237362]", Model2: "[336752 328969 205768 444836 336729]"},
	} {
		wasm, err := os.ReadFile("testdata/" + name + "/guest.wasm")
		if err != nil {
			t.Fatal(err)
		}
		for model, want := range promised {
			o, err := play(t, "compiler", meterBy(t, wasm, model), "{}", plenty)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(o.gas); got != want {
				t.Errorf("%s: gas %s; by cost model %d it is %s", name, got, model, want)
			}
		}
	}
}

// TestBare: a module without charges does the same and leaves the counter alone.
func TestBare(t *testing.T) {
	wasm, err := os.ReadFile("../../views/dist/monthly_totals.wasm")
	if err != nil {
		t.Fatal(err)
	}
	bare, err := Bare(wasm, CostModel)
	if err != nil {
		t.Fatal(err)
	}
	metered, err := Meter(wasm, CostModel)
	if err != nil || bare.Globals != metered.Globals || bare.Start != metered.Start {
		t.Errorf("bare: %d globals, start %t; metered: %d, %t (%v)", bare.Globals, bare.Start, metered.Globals, metered.Start, err)
	}
	without, with := newRig(t, "compiler", bare.Wasm, "{}"), newRig(t, "compiler", metered.Wasm, "{}")
	for _, r := range []*rig{without, with} {
		if _, err := r.call("tally_fold", r.event(1, benchEvent)); err != nil {
			t.Fatal(err)
		}
	}
	if without.gas() != plenty || with.gas() >= plenty {
		t.Errorf("bare has %d units left, metered %d, of %d", without.gas(), with.gas(), int64(plenty))
	}
	if len(without.state) == 0 || !maps.Equal(without.state, with.state) {
		t.Errorf("bare made %v, metered %v", without.state, with.state)
	}
}
