package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// resetTurn is the number of sessions in a turn, so a turn's milliseconds are a session's microseconds.
	resetTurn = 1000
	// eventRoom, in bytes, is more than an event without fields takes and less than a page.
	eventRoom = 512
	// opI32Store is an opcode that wasmbin does not name.
	opI32Store = 0x36
)

// resetGuest is a guest whose fold writes to some pages of its memory.
type resetGuest struct {
	name    string
	pages   int // of memory, 64 KiB each
	touched int // pages of 4 KiB, spread evenly; the first one holds the event
}

var resetGuests = []resetGuest{
	{name: resetTiny, pages: 1, touched: 1},
	{name: resetMiB, pages: 16, touched: 4},
	{name: resetMiBWhole, pages: 16, touched: 256},
}

// module encodes the guest. It writes another value to each page, never the one that was there.
func (r *resetGuest) module() []byte {
	var body []byte
	for i := range r.touched {
		at := (roomAt + eventRoom + i*r.pages<<16/r.touched) % (r.pages << 16)
		body = append(body, code(opConst(int64(at)), opConst(int64(i+1)), []byte{opI32Store, 2, 0})...)
	}
	g := guest{pages: r.pages, fold: append(body, opConst(0)...)}
	return g.encode()
}

// resets measures the cost of a pristine instance.
type resets struct {
	modules []*wasm.Module
	event   wasm.Event
}

func newResets(ctx context.Context, engine *wasm.Engine) (*resets, error) {
	r := &resets{event: wasm.Event{Sequence: 1, Data: []byte("{}")}}
	for i := range resetGuests {
		module, err := engine.Compile(ctx, resetGuests[i].module())
		if err != nil {
			return nil, fmt.Errorf("compiling the guest of %s: %w", resetGuests[i].name, err)
		}
		r.modules = append(r.modules, module)
	}
	return r, nil
}

// measure starts a session, folds one event and closes the session, for each guest in turn. It also folds in one open session of the
// middle guest: the cost of such a session without the reset.
func (r *resets) measure(ctx context.Context, s *stage, report reporter) error {
	samples := make([]sample, len(resetGuests))
	var alone sample
	for until := time.Now().Add(s.config.Duration); time.Now().Before(until); {
		for i, module := range r.modules {
			took, err := r.sessions(ctx, module)
			if err != nil {
				return fmt.Errorf("%s: %w", resetGuests[i].name, err)
			}
			samples[i].add(resetTurn, took)
		}
		took, err := r.foldsAlone(ctx, r.modules[1])
		if err != nil {
			return fmt.Errorf("%s: %w", resetFold, err)
		}
		alone.add(resetTurn, took)
	}
	for i := range resetGuests {
		report(resetGuests[i].name, samples[i].sorted())
	}
	report(resetFold, alone.sorted())
	return nil
}

func (r *resets) sessions(ctx context.Context, module *wasm.Module) (time.Duration, error) {
	began := time.Now()
	for range resetTurn {
		session, err := module.Start(ctx, wasm.Settings{}, &oneValue{})
		if err != nil {
			return 0, err
		}
		_, err = session.Fold(&r.event)
		session.Close()
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

func (r *resets) foldsAlone(ctx context.Context, module *wasm.Module) (time.Duration, error) {
	session, err := module.Start(ctx, wasm.Settings{}, &oneValue{})
	if err != nil {
		return 0, err
	}
	defer session.Close()
	began := time.Now()
	for range resetTurn {
		if _, err := session.Fold(&r.event); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
