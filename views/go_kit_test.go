package views_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

// goProbe is the module of views/go/testdata/probe.
func goProbe(t *testing.T) *wasm.Module {
	t.Helper()
	main, err := os.ReadFile("go/testdata/probe/main.go")
	if err != nil {
		t.Fatal(err)
	}
	built, err := buildGo(main)
	if err != nil {
		t.Fatal(err)
	}
	module, err := engine(t).Compile(t.Context(), built)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// TestGoKitInAServer tries what only a server shows: panics, the collector at work, values larger than the room, configurations.
func TestGoKitInAServer(t *testing.T) {
	module := goProbe(t)
	deploy := func(config string) (*deployed, error) {
		v, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(config), FoldGas: 20_000_000_000})
		return &deployed{v}, err
	}
	d, err := deploy(`{"fields":["/key"]}`)
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{
		`{"do":"panic"}`:       "panic: no panic",
		`{"do":"index","n":7}`: "panic: runtime error: index out of range [7] with length 0",
		`{"do":"field"}`:       "panic: tally: the view reads a field that it did not ask for in View.Fields",
		`{"do":"fail"}`:        "as asked",
	} {
		t.Run(data, func(t *testing.T) {
			session := d.start(t, memoryState{})
			defer session.Close()
			_, err := session.Fold(d.event(t, 1, []byte(data)))
			if failed, ok := errors.AsType[*wasm.ViewError](err); !ok || !strings.Contains(failed.Error(), want) {
				t.Errorf("%v; %q is wanted", err, want)
			}
		})
	}
	t.Run("configuration", func(t *testing.T) {
		if _, err := deploy(`{"refuse":"a reason"}`); err == nil || refusal(t, err) != "a reason" {
			t.Errorf("the refused configuration: %v", err)
		}
		if _, err := deploy(`{"refuse":1}`); err == nil || !strings.Contains(refusal(t, err), "cannot unmarshal number") {
			t.Errorf("the configuration that does not fit: %v", err)
		}
	})
	t.Run("queries", func(t *testing.T) {
		for _, mediaType := range []string{"text/csv", "text/plain"} {
			answer, err := d.Ask(t.Context(), memoryState{}, "type="+mediaType)
			if err != nil || answer.Type != mediaType || string(answer.Text) != "a,b\n1,2\n" {
				t.Errorf("%s: %s of type %s, %v", mediaType, answer.Text, answer.Type, err)
			}
		}
		if got := d.ask(t, memoryState{}, ""); got != `{"config":"{\"fields\":[\"/key\"]}"}` {
			t.Errorf("the configuration reads %s", got)
		}
		_, err := d.Ask(t.Context(), memoryState{}, "panic=1")
		if err == nil || !strings.Contains(err.Error(), "panic: assignment to entry in nil map") ||
			!strings.Contains(err.Error(), "main.go:") {
			t.Errorf("a query that panics: %v; the reason and the place are wanted", err)
		}
		if _, err := d.Ask(t.Context(), memoryState{}, "write=1"); err == nil || !strings.Contains(err.Error(), "a query must not write") {
			t.Errorf("a query that writes: %v", err)
		}
	})
	t.Run("memory", func(t *testing.T) {
		state := memoryState{"gone": []byte("1")}
		session := d.start(t, state)
		defer session.Close()
		for i := range 300 {
			for _, data := range []string{
				`{"do":"allocate","n":2000}`, fmt.Sprintf(`{"do":"large","n":%d,"padding":%q}`, 65_000-i, strings.Repeat("p", 1000*i)),
				`{"do":"delete","key":"gone"}`, `{}`,
			} {
				ignored, err := session.Fold(d.event(t, 1, []byte(data)))
				if err != nil || ignored != (data == `{}`) {
					t.Fatalf("round %d, %.100s: %v, ignored: %v", i, data, err, ignored)
				}
			}
		}
		const sum = 2000*512 + 7*(255*256/2) + (2000-7*256)*(2000-7*256-1)/2
		if got := string(state["sum"]); got != fmt.Sprint(sum) || len(state) != 2 {
			t.Errorf("the sum is %s, not %d, in a state of %d keys", got, sum, len(state))
		}
	})
}
