//go:build !unix

package wasm

import "time"

var began = time.Now()

func yield(time.Duration) {}

// processorTime is an upper bound of it: the time since this process began.
func processorTime() time.Duration { return time.Since(began) }
