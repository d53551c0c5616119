package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// lyingGuest calls one import with the numbers that the event's bytes are, while tally_alloc answers with another of
// them.
func lyingGuest(call int) *guest {
	const (
		lyingAt  = 64 // not 0: tally_alloc returns what is at answerAt
		answerAt = 68
		words    = 5 // of arguments; the next one is the answer of tally_alloc
	)
	word := func(i int) []byte { return code(opGet(0), opLoad(24), opLoad(4*i)) }
	f := tallyFunctions[call]
	instructions := [][]byte{
		opConst(answerAt), word(words), opStore(0),
		opConst(lyingAt), opConst(1), opStore(0),
	}
	for i := range len(f.signature.params) {
		instructions = append(instructions, word(i))
	}
	instructions = append(instructions, opCall(call))
	if f.signature.results != "" {
		instructions = append(instructions, opDrop)
	}
	g := newGuest().fold(append(instructions, opConst(0))...)
	bump := slices.Clone(g.function("tally_alloc").body)
	return g.alloc(opConst(lyingAt), opLoad(0), opIf, opConst(answerAt), opLoad(0), opReturn, opEnd, bump)
}

// Whatever a guest passes to an import, the fold succeeds or returns a *ViewError, and its writes are within the limits.
func FuzzHostCalls(f *testing.F) {
	e := newEngine(f)
	var modules []*Module
	for call := range tallyFunctions {
		modules = append(modules, compile(f, e, lyingGuest(call)))
	}
	for call := range tallyFunctions {
		for _, words := range [][]int32{
			{16, 4, 16, 4, 1, 4096},
			{-1, -1, -1, -1, -1, -1},
			{16, 4, 16, 4, 100, 2<<16 - 8},
			{2<<16 - 4, 4, 2<<16 - 4, 4, 1<<31 - 1, 8},
			{16, 0, 16, 0, 3, 0},
		} {
			var data []byte
			for _, word := range words {
				data = binary.LittleEndian.AppendUint32(data, uint32(word))
			}
			f.Add(byte(call), data)
		}
	}
	f.Fuzz(func(t *testing.T, call byte, data []byte) {
		state := newState("null", `{"a":1}`, "null/2", "2")
		s, err := modules[int(call)%len(modules)].Start(context.Background(), Settings{}, state)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Fold(&Event{Data: data}); err != nil && !errors.As(err, new(*ViewError)) {
			t.Fatalf("Fold = %v, want a *ViewError", err)
		}
		for _, entry := range state.sets {
			if checkKey(entry.Key) != nil || checkJSON("value", entry.Value, MaxValueBytes) != nil {
				t.Fatalf("it could set %q to %q", entry.Key, entry.Value)
			}
		}
	})
}
