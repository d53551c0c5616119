package wasm

import (
	"context"
	"slices"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/tallystick/tallystick/internal/gas"
)

// refills is a function listener for gas.ExportRefill alone, the function that metering adds to refill the gas counter. It is called
// about once a millisecond, and is the only point at which a guest that calls no imports leaves its own code.
type refills struct{}

// NewFunctionListener implements experimental.FunctionListenerFactory.
func (refills) NewFunctionListener(f api.FunctionDefinition) experimental.FunctionListener {
	if slices.Contains(f.ExportNames(), gas.ExportRefill) {
		return refills{}
	}
	return nil
}

// Before implements experimental.FunctionListener. It runs Settings.Pause on the goroutine that called the guest.
func (refills) Before(ctx context.Context, _ api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator) {
	in := ctx.(instanceContext).in //nolint:forcetypeassert // newInstance made it
	if in.pause == nil {
		return
	}
	if err := in.pause(); err != nil {
		in.unwind(err)
	}
}

// After implements experimental.FunctionListener.
func (refills) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort implements experimental.FunctionListener.
func (refills) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
