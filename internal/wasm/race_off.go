//go:build !race

package wasm

// slowness is how much longer compiling takes because of how this program was built.
const slowness = 1
