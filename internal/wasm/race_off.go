//go:build !race

package wasm

// slowness is how much longer compiling takes because of how this program was built.
const slowness = 1

// compilerSettings are variables of a compiling process's environment.
var compilerSettings []string

// copyImage copies an image to the memory of an instance.
func copyImage(to, from []byte) { copy(to, from) }
