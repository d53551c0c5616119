//go:build !race

package wasm

// slowness is the factor by which the build mode of this program slows compiling down.
const slowness = 1

// compilerSettings are environment variables for compiler processes.
var compilerSettings []string

// copyImage copies an image into the memory of an instance.
func copyImage(to, from []byte) { copy(to, from) }
