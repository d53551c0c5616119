//go:build !race

// The race detector makes what this program does many times slower, and what the guest does not: they cannot be compared.

package wasm

import (
	"slices"
	"testing"
	"time"
)

// TestGasIsHonest: whatever a module does, and however large its memory is, its gas bounds the time that it takes.
func TestGasIsHonest(t *testing.T) {
	e := newEngine(t)
	plain := compile(t, e, plainGuest())
	for _, s := range slices.Concat(memoryShapes(), operationShapes(), callShapes(), hostShapes()) {
		const most = 2.0 * maxTimesPlain
		m := compile(t, e, s.g)
		perUnit := func(m *Module) func() time.Duration {
			return func() time.Duration { return time.Duration(cost(t, m) * 1e6) } // of a million units
		}
		if times := timesAsMuch(most, perUnit(m), perUnit(plain)); times > most {
			t.Errorf("%s: as much gas takes %.1f times as long as plain computing; %.0f are allowed", s.name, times, most)
		}
	}
}
