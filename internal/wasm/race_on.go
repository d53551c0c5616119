//go:build race

package wasm

// slowness is how much longer compiling takes because this program was built with the race detector.
const slowness = 20
