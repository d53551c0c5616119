//go:build race

package wasm

import "encoding/binary"

// slowness is how much longer compiling takes because this program was built with the race detector.
const slowness = 20

// compilerSettings have a compiling process end at once: with the race detector, programs sleep for a second before they exit.
var compilerSettings = []string{"GORACE=atexit_sleep_ms=0"}

// copyImage copies an image, whose length is a multiple of eight, to the memory of an instance. Built-in copy would have the race
// detector look at every byte, for many times as long, and find nothing: an image is never changed, and the memory of an instance is
// not Go's.
//
//go:norace
func copyImage(to, from []byte) {
	const word = 8
	for at := 0; at < len(from); at += word {
		binary.NativeEndian.PutUint64(to[at:], binary.NativeEndian.Uint64(from[at:]))
	}
}
