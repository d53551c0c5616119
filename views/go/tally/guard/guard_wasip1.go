// Package guard has the server ask a view's guard, tally.View.Guard, before it appends an event.
package guard

import "github.com/tallystick/tallystick/views/go/tally"

var ask = tally.ExportGuard()

//go:wasmexport tally_guard
func tallyGuard(event *tally.Event) int32 { return ask(event) }
