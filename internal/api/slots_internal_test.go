package api

import (
	"testing"

	"github.com/tallystick/tallystick/internal/uuid"
)

func TestSlotsLeaveOneForOthers(t *testing.T) {
	s, greedy, other := newSlots(4), uuid.New(), uuid.New()
	var gives []func()
	for {
		give, ok := s.take(greedy)
		if !ok {
			break
		}
		gives = append(gives, give)
	}
	if len(gives) != 3 {
		t.Fatalf("one tenant has %d of 4 slots", len(gives))
	}
	give, ok := s.take(other)
	if !ok {
		t.Fatal("another tenant has none")
	}
	if _, ok := s.take(other); ok {
		t.Error("there are more slots than 4")
	}
	give()
	give()
	gives[0]()
	if taken, most := s.inUse(); taken != 2 || most != 4 || len(s.of) != 1 {
		t.Errorf("%d of %d slots are taken, by %d tenants", taken, most, len(s.of))
	}
	if _, ok := newSlots(1).take(greedy); !ok {
		t.Error("the only slot is for nobody")
	}
}
