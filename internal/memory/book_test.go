package memory_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kib = 1 << 10
	mib = 1 << 20
	// patient is far longer than anything here takes, impatient as good as nothing.
	patient, impatient = time.Minute, time.Nanosecond
)

// TestBook: no more is taken down than there is, a part of it is for small holds only, and what is given back can be taken again.
func TestBook(t *testing.T) {
	book := memory.NewBook(4*mib, 0, impatient)
	large, other, small := book.Hold(), book.Hold(), book.Hold()
	if err := large.Grow(t.Context(), 3*mib); err != nil {
		t.Fatalf("three quarters: %v", err)
	}
	if err := other.Grow(t.Context(), memory.Small+1); !errors.Is(err, memory.ErrFull) {
		t.Errorf("a large hold beside it: %v", err)
	}
	if err := small.TryGrow(memory.Small); err != nil {
		t.Errorf("a small hold beside it: %v", err)
	}
	if err := small.TryGrow(memory.Small + 1); !errors.Is(err, memory.ErrFull) || small.Bytes() != memory.Small {
		t.Errorf("a small hold that becomes large: %v, and it has %d", err, small.Bytes())
	}
	if held := book.Held(); held != 3*mib+memory.Small {
		t.Errorf("%d bytes are held", held)
	}
	large.Shrink(mib)
	if err := other.TryGrow(mib); err != nil {
		t.Errorf("after a part was given back: %v", err)
	}
	for _, hold := range []*memory.Hold{large, other, small, small} {
		hold.Release()
	}
	if held, peak := book.Held(), book.Peak(); held != 0 || peak != 3*mib+memory.Small {
		t.Errorf("%d bytes are held in the end, at most %d were", held, peak)
	}
	if err := book.Hold().Grow(t.Context(), 4*mib); !errors.Is(err, memory.ErrFull) {
		t.Errorf("more than there ever is: %v", err)
	}
}

// TestUnbounded: without a book everything fits.
func TestUnbounded(t *testing.T) {
	var book *memory.Book
	hold := book.Hold()
	if err := errors.Join(hold.Grow(t.Context(), 1<<50), hold.TryGrow(1<<51)); err != nil {
		t.Error(err)
	}
	hold.Release()
	if none := (*memory.Hold)(nil); none.TryGrow(1) != nil || none.Bytes() != 0 {
		t.Error("no hold has a bound")
	}
}

// TestWaiting: who finds no room waits for it, in order, and small ones do not wait for large ones. Who gives up leaves no trace.
func TestWaiting(t *testing.T) {
	book := memory.NewBook(4*mib, 0, patient)
	first := book.Hold()
	if err := first.Grow(t.Context(), 3*mib); err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- book.Hold().Grow(gone, 2*mib) }()
	second := make(chan *memory.Hold)
	go func() {
		hold := book.Hold()
		if err := hold.Grow(t.Context(), 2*mib); err != nil {
			t.Errorf("the second: %v", err)
		}
		second <- hold
	}()
	if err := book.Hold().TryGrow(kib); err != nil {
		t.Errorf("a small hold while large ones wait: %v", err)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up has %v", err)
	}
	first.Release()
	(<-second).Release()
	if held := book.Held(); held != kib {
		t.Errorf("%d bytes are held in the end", held)
	}
}

// TestTooMuch: who asks for more than there ever is, with what it has, does not wait, and is told so.
func TestTooMuch(t *testing.T) {
	book := memory.NewBook(4*mib, 2*mib, time.Hour)
	hold := book.Hold()
	defer hold.Release()
	if err := hold.Grow(t.Context(), 2*mib); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hold *memory.Hold
		to   int64
	}{{hold, 3*mib + 1}, {hold, 5 * mib}, {book.Hold(), 3*mib + 1}} { // a quarter is for small ones
		if err := c.hold.Grow(t.Context(), c.to); !errors.Is(err, memory.ErrTooMuch) || !errors.Is(err, memory.ErrFull) {
			t.Errorf("to %d: %v", c.to, err)
		}
	}
	if err := hold.Grow(t.Context(), 3*mib); err != nil {
		t.Error(err)
	}
}

// TestLeader: of holds that grow as they go, and have taken half of what they need until there was no room, one after the other gets the
// rest.
func TestLeader(t *testing.T) {
	const each = mib
	book := memory.NewBook(4*mib, each, patient)
	var halves []*memory.Hold
	for {
		hold := book.Hold()
		if hold.TryGrow(each/2) != nil {
			break
		}
		halves = append(halves, hold)
	}
	var work sync.WaitGroup
	for _, hold := range halves {
		work.Go(func() {
			defer hold.Release()
			if err := hold.Grow(t.Context(), each); err != nil {
				t.Errorf("the other half: %v", err)
			}
		})
	}
	work.Wait()
	if held := book.Held(); held != 0 || len(halves) < 4 {
		t.Errorf("%d bytes are held in the end; %d were halfway", held, len(halves))
	}
}

// TestBookHammer: whatever many do at once, no more is held than there is, and in the end nothing.
func TestBookHammer(t *testing.T) {
	book := memory.NewBook(mib, 300*kib, time.Millisecond)
	var held atomic.Int64
	var work sync.WaitGroup
	for worker := range 16 {
		work.Go(func() {
			for round := range 500 {
				hold := book.Hold()
				bytes := int64((worker*7919+round*104729)%(300*kib) + 1)
				err := hold.Grow(t.Context(), bytes)
				if round%2 == 0 && err == nil {
					err = hold.TryGrow(bytes + kib)
				}
				if err != nil && !errors.Is(err, memory.ErrFull) {
					t.Errorf("growing: %v", err)
				}
				if now := held.Add(hold.Bytes()); now > mib {
					t.Errorf("%d bytes are held at once", now)
				}
				held.Add(-hold.Bytes())
				hold.Release()
			}
		})
	}
	work.Wait()
	if book.Held() != 0 || book.Peak() > mib {
		t.Errorf("%d bytes are held in the end, %d were", book.Held(), book.Peak())
	}
}
