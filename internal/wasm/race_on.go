//go:build race

package wasm

import "encoding/binary"

// slowness is the factor by which the race detector slows compiling down.
const slowness = 20

// compilerSettings make a compiler process exit at once: with the race detector, programs sleep for a second before they exit.
var compilerSettings = []string{"GORACE=atexit_sleep_ms=0"}

// copyImage copies an image, whose length is a multiple of eight, into the memory of an instance. With the built-in copy the race
// detector would check every byte, which takes many times as long and can find nothing: an image is immutable, and the memory of
// an instance is not Go's.
//
//go:norace
func copyImage(to, from []byte) {
	const word = 8
	for at := 0; at < len(from); at += word {
		binary.NativeEndian.PutUint64(to[at:], binary.NativeEndian.Uint64(from[at:]))
	}
}
