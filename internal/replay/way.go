package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/wasm"
)

// longSession is how many events the way of large batches folds in one session: as many as a group of appends may hold. The
// sessions of a build are longer, but what a view remembers shows long before.
const longSession = 10_000

// unevenBatches are the sizes of the third way's batches, over and over: single events, and numbers that share no factor with
// anything that a view might count by.
var unevenBatches = []int{1, 7, 2, 31, 3, 127, 1, 509, 13, 4, 1021}

// way is one way of folding events: in sessions of certain sizes.
type way struct {
	name  string
	view  View
	sizes []int // of its sessions, over and over

	guarded bool // the view's guard is asked before each event, as a server does before an append

	turn    int
	left    int // events until the session ends
	session *wasm.Session
	layer   layer
	// Of the event at hand, in the attempt that counts:
	result Outcome
	gas    int64
}

// begin opens a session unless one is open.
func (w *way) begin(ctx context.Context) (err error) {
	if w.session != nil {
		return nil
	}
	if w.session, err = w.view.Start(ctx, &w.layer); err != nil {
		return fmt.Errorf("starting the view: %w", err)
	}
	w.left = w.sizes[w.turn%len(w.sizes)]
	w.turn++
	return nil
}

// fold folds the event in the way's session, and returns the gas of all attempts. The error is never the view's fault.
func (w *way) fold(ctx context.Context, e *wasm.Event) (gas int64, err error) {
	if w.guarded {
		if gas, err = w.askGuard(ctx, e); err != nil {
			return gas, err
		}
	}
	spent, err := w.foldOnly(ctx, e)
	return gas + spent, err
}

// askGuard asks the view's guard, whatever it says. What it leaves in the guest's memory is there when the event is folded.
func (w *way) askGuard(ctx context.Context, e *wasm.Event) (gas int64, err error) {
	if err := w.begin(ctx); err != nil {
		return 0, err
	}
	_, err = w.session.Guard(e)
	gas = w.session.GasUsed()
	if failed, ok := errors.AsType[*wasm.ViewError](err); ok && failed.Kind != wasm.KindRefused {
		w.end()
	} else if !ok && err != nil {
		return gas, err
	}
	return gas, nil
}

func (w *way) foldOnly(ctx context.Context, e *wasm.Event) (gas int64, err error) {
	if err := w.begin(ctx); err != nil {
		return 0, err
	}
	ignored, err := w.session.Fold(e)
	w.gas = w.session.GasUsed()
	gas = w.gas
	if w.session.Again() {
		w.layer.written.Clear()
		w.end()
		again, err := w.foldOnly(ctx, e)
		return gas + again, err
	}
	w.result = Outcome{Ignored: ignored}
	if err != nil {
		if !errors.As(err, &w.result.Failed) {
			return gas, err
		}
		w.layer.written.Clear()
	}
	if w.left--; w.left == 0 || err != nil {
		w.end()
	}
	return gas, nil
}

func (w *way) end() {
	if w.session != nil {
		w.session.Close()
		w.session = nil
	}
}

// compare returns how another way's event differs from this one's.
func (w *way) compare(other *way) *Difference {
	if !w.result.same(other.result) {
		return &Difference{Way: other.name, Expected: w.result.String(), Found: other.result.String()}
	}
	var different *string
	look := func(key string, _ []byte) bool {
		if bytes.Equal(w.layer.current(key), other.layer.current(key)) {
			return true
		}
		if different == nil || key < *different {
			different = &key
		}
		return false
	}
	w.layer.written.Scan(look)
	other.layer.written.Scan(look)
	if different == nil {
		return nil
	}
	return &Difference{
		Way: other.name, Key: *different, Expected: Shown(w.layer.current(*different)), Found: Shown(other.layer.current(*different)),
	}
}
