package bench

import (
	"testing"

	"github.com/tallystick/tallystick/internal/wasm"
)

// TestSpinner: what makes noise takes as much gas as it says, or its view would halt.
func TestSpinner(t *testing.T) {
	engine, err := wasm.NewEngine(t.Context(), wasm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context()) //nolint:errcheck // of no use any more
	n := &noisy{}
	if err := n.measureSpin(t.Context()); err != nil {
		t.Fatal(err)
	}
	module, err := engine.Compile(t.Context(), n.spinner())
	if err != nil {
		t.Fatal(err)
	}
	session, err := module.Start(t.Context(), wasm.Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	check := func(what string, want int64, err error) {
		t.Helper()
		if got := session.GasUsed(); err != nil || got < want-want/100 || got > want+want/100 {
			t.Errorf("%s takes %d units of gas, %v; want about %d", what, got, err, want)
		}
	}
	_, err = session.Fold(&wasm.Event{Data: []byte(`{}`)})
	check("a fold", noisyFoldGas, err)
	_, err = session.Query("")
	check("a query", noisyQueryGas, err)
}
