package wasm

import (
	"context"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/memory"
)

// TestGuestsAreBooked: a guest whose memory has no room to grow does not get to see that. What it does after it is of no account, and the
// error is not the view's.
func TestGuestsAreBooked(t *testing.T) {
	const pages, mib = 48, 1 << 20
	// It ignores that it got no memory, and then fails on purpose.
	g := newGuest().fold(opConst(pages), opMemoryGrow(), []byte{0x41, 0, 0x48},
		opIf, opConst(0), opLoad(1<<27), opSet(0), []byte{0x0b}, opConst(0))
	book := memory.NewBook(8*mib, 0, 0)
	e := engineIn(t, Config{CacheDir: testCache, Memory: book})
	m := compile(t, e, g)
	first, second := start(t, m, "", newState()), start(t, m, "", newState())
	for i, s := range []*Session{first, second} {
		_, err := s.Fold(&Event{})
		if i == 0 && err != nil {
			t.Errorf("a guest with room: %v", err)
		}
		if view, ok := errors.AsType[*ViewError](err); i == 1 && (ok || !errors.Is(err, memory.ErrFull)) {
			t.Errorf("a guest without room: %v (%v)", err, view)
		}
	}
	if _, err := second.Fold(&Event{}); err == nil {
		t.Error("its session goes on")
	}
	first.Close()
	second.Close()
	third := start(t, m, "", newState())
	if _, err := third.Fold(&Event{}); err != nil {
		t.Errorf("once there is room again: %v", err)
	}
	third.Close()
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if held := book.Held(); held != 0 {
		t.Errorf("%d bytes are booked in the end", held)
	}
}

// TestUnusedGuestsMakeRoom: what waits for the next session goes before anybody is refused, and comes back.
func TestUnusedGuestsMakeRoom(t *testing.T) {
	const pages, mib = 16, 1 << 20 // 1 MiB, for an instance and for the image
	book := memory.NewBook(4*mib, 0, 0)
	e := engineIn(t, Config{CacheDir: testCache, Memory: book})
	modules := make([]*Module, 4)
	for i := range modules {
		g := newGuest().fold(opConst(int32(i)), opConst(0), []byte{0x6c}) // i * 0
		g.memory = append([]byte{0}, leb(pages)...)
		modules[i] = compile(t, e, g)
	}
	for round := range 2 {
		for i, m := range modules {
			s := start(t, m, "", newState())
			if _, err := s.Fold(&Event{}); err != nil {
				t.Errorf("round %d, module %d: %v", round, i, err)
			}
			s.Close()
		}
	}
	if peak := book.Peak(); peak > 3*mib {
		t.Errorf("%d bytes were booked", peak)
	}
}
