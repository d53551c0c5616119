//go:build !unix

package wasm

import "time"

var began = time.Now()

func yield(time.Duration) {}

// processorTime returns an upper bound of the processor time used: the time since this process started.
func processorTime() time.Duration { return time.Since(began) }
