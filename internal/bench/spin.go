package bench

import (
	"context"
	"strconv"

	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

// spin is a loop that does nothing for a number of rounds. It uses the first local.
func spin(rounds int64) []byte {
	return code(opConst(rounds), opWith(wasmbin.OpLocalSet, 0), opStart(wasmbin.OpLoop),
		opWith(wasmbin.OpLocalGet, 0), opConst(1), op(opI32Subtract), opWith(wasmbin.OpLocalTee, 0),
		opWith(wasmbin.OpBrIf, 0), op(wasmbin.OpEnd))
}

// spinner returns a view that takes the gas of noisy views, a new module each time.
func (n *noisy) spinner() []byte {
	n.number++
	g := guest{
		pages: 1, nonce: []byte(strconv.Itoa(n.number)), fold: code(spin(noisyFoldGas*spinRounds/n.foldGas), opConst(0)),
		query: code(spin(noisyQueryGas*spinRounds/n.queryGas), opConst64(nullAt<<32|int64(len("null")))),
	}
	return g.encode()
}

// spinRounds is the number of rounds of spin that are measured.
const spinRounds = 10_000

// measureSpin measures the gas of spinRounds rounds of spin in a fold and in a query, by this version's cost model.
func (n *noisy) measureSpin(ctx context.Context) error {
	const plenty = 1 << 40
	engine, err := wasm.NewEngine(ctx, wasm.Config{})
	if err != nil {
		return err
	}
	defer engine.Close(ctx) //nolint:errcheck // of no use any more
	n.foldGas, n.queryGas = noisyFoldGas, noisyQueryGas
	module, err := engine.Compile(ctx, n.spinner())
	if err != nil {
		return err
	}
	session, err := module.Start(ctx, wasm.Settings{FoldGas: plenty, QueryGas: plenty}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	if _, err := session.Fold(&wasm.Event{Data: []byte(`{}`)}); err != nil {
		return err
	}
	n.foldGas = session.GasUsed()
	_, err = session.Query("")
	n.queryGas = session.GasUsed()
	return err
}
