package wasm

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// segmented is a module with these data segments, in its third page of memory. Its fold copies the second segment, as far as it
// is still there, to 400.
func segmented(count bool, segments ...[]byte) *guest {
	g := newGuest().fold(opConst(0))
	g.memory = []byte{0, 3}
	g.sections = map[byte][]byte{wasmbin.SectionData: vector(segments...)}
	if count {
		g.sections[wasmbin.SectionDataCount] = leb(len(segments))
		g.fold(opConst(400), opConst(0), opConst(3), []byte{0xfc, 8, 1, 0}, opConst(0)) // memory.init 1
	}
	return g
}

// Memory begins as the runtime itself would have it, whatever the segments.
func TestDataIsLaidOut(t *testing.T) {
	const at = 2 << 16
	bump := code([]byte{0}, opConst(bumpAt), opEnd, text("\x00\x10\x00\x00"))
	active := func(at int32, content string) []byte { return code([]byte{0}, opConst(at), opEnd, text(content)) }
	e := newEngine(t)
	for name, tt := range map[string]struct {
		guest *guest
		taken int
	}{
		"one":         {segmented(false, bump, active(at, "one")), 2},
		"overlapping": {segmented(false, bump, active(at, "aaaaaa"), active(at+2, "bb")), 3},
		"of memory 0": {segmented(false, bump, code([]byte{2, 0}, opConst(at), opEnd, text("two"))), 2},
		"last byte":   {segmented(false, bump, active(3<<16-1, "x")), 2},
		"empty":       {segmented(false, bump, active(3<<16, "")), 2},
		"passive":     {segmented(true, bump, code([]byte{1}, text("abc")), active(at, "active")), 2},
	} {
		t.Run(name, func(t *testing.T) {
			module := tt.guest.encode()
			if _, segments := takeData(module); len(segments) != tt.taken {
				t.Errorf("%d segments were taken out, want %d", len(segments), tt.taken)
			}
			bare := wazero.NewRuntimeWithConfig(t.Context(), runtimeConfig)
			defer bare.Close(t.Context()) //nolint:errcheck // it holds nothing but memory
			if err := linkHost(t.Context(), bare); err != nil {
				t.Fatal(err)
			}
			want, err := bare.Instantiate(t.Context(), module)
			if err != nil {
				t.Fatal(err)
			}
			s := start(t, compile(t, e, tt.guest), "", newState())
			wanted, _ := want.Memory().Read(0, want.Memory().Size())
			memory, _ := s.in.memory.Read(0, s.in.memory.Size())
			if !bytes.Equal(memory, wanted) {
				t.Error("the memory begins otherwise")
			}
			if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
				t.Error(err)
			}
			if name == "passive" && string(memory[400:403]) != "abc" {
				t.Errorf("memory.init of a passive segment gave %q", memory[400:403])
			}
		})
	}
	s := start(t, compile(t, e, segmented(true, bump, active(at, "gone"))), "", newState())
	_, err := s.Fold(&Event{Data: []byte("{}")}) // an active segment is dropped once it was laid out
	viewError(t, err, KindTrap, "out of bounds memory access")
	for _, beyond := range [][]byte{active(3<<16-1, "xy"), active(-1, "x"), active(3<<16+1, "")} {
		refused(t, e, segmented(false, bump, beyond).encode(), CodeInitFailed, "goes beyond the memory of 196608 bytes")
	}
}

func TestConstantAddress(t *testing.T) {
	for _, v := range []int32{0, 1, 63, 64, -1, -64, -65, 1 << 20, 1<<31 - 1, -1 << 31, 8191, 8192, 1 << 27, -1 << 27} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			if at, ok := constantAddress(wasmbin.NewReader(code(opConst(v), opEnd))); !ok || at != uint32(v) {
				t.Errorf("%d, %t", int32(at), ok)
			}
		})
	}
	for _, bad := range [][]byte{nil, {0x23, 0, 0x0b}, {0x41}, {0x41, 0}, {0x41, 0, 0x41}, {0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}} {
		if at, ok := constantAddress(wasmbin.NewReader(bad)); ok {
			t.Errorf("% x is %d", bad, at)
		}
	}
}
