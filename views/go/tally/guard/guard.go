//go:build !wasip1

// Package guard has the server ask a view's guard, tally.View.Guard, before it appends an event. Import it for that effect:
//
//	import _ "github.com/tallystick/tallystick/views/go/tally/guard"
package guard

import "github.com/tallystick/tallystick/views/go/tally"

func init() { tally.ExportGuard() }
