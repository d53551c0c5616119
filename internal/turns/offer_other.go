//go:build !linux

package turns

import "runtime"

// offerCore has other goroutines go first.
func offerCore() { runtime.Gosched() }
