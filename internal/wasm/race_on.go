//go:build race

package wasm

// slowness is how much longer compiling takes because this program was built with the race detector.
const slowness = 20

// compilerSettings have a compiling process end at once: with the race detector, programs sleep for a second before they exit.
var compilerSettings = []string{"GORACE=atexit_sleep_ms=0"}
