package view

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// refoldBatch is how many events the way of large batches folds in one session: as many as a group of appends may hold. A
// build folds longer ones; what a view remembers shows long before.
const refoldBatch = 10_000

// unevenBatches are the sizes of the third way's batches, in turn and then again: single events, and lengths that share no
// factor with anything that a view might count by.
var unevenBatches = []int{1, 7, 2, 31, 3, 127, 1, 509, 13, 4, 1021}

// maxShownBytes bounds a value in a Difference: it is read by people, and may be 64 KiB.
const maxShownBytes = 200

// Difference says where two ways of arriving at a view's state part.
type Difference struct {
	Way      string // the way that differs from folding one event at a time
	Sequence int64  // after this event
	Key      string // the first key that differs, in byte order; "" when the ways differ over what they say of the event
	Expected string // what it is one event at a time, cut at 200 bytes; "" for a key that is not there
	Found    string // what it is the other way
}

func (d *Difference) String() string {
	if d.Key == "" {
		return fmt.Sprintf("event %d is %s one event at a time, and %s with %s", d.Sequence, d.Expected, d.Found, d.Way)
	}
	return fmt.Sprintf("after event %d the key %q is %s one event at a time, and %s with %s",
		d.Sequence, d.Key, orMissing(d.Expected), orMissing(d.Found), d.Way)
}

func orMissing(value string) string {
	if value == "" {
		return "missing"
	}
	return value
}

// StateTooLargeError: the state does not fit into the memory that refolding it may take.
type StateTooLargeError struct {
	Limit    int64 // bytes
	Sequence int64 // the event that went beyond it
}

func (e *StateTooLargeError) Error() string {
	return fmt.Sprintf("the view's state takes more than the %d bytes of memory that an audit may use, from event %d on", e.Limit, e.Sequence)
}

// way is one manner of folding events: in sessions of so many each.
type way struct {
	name   string
	module *wasm.Module
	sizes  []int // of its sessions, in turn

	turn    int
	left    int // events until the session ends
	session *wasm.Session
	layer   layer
	result  outcome // of the event at hand
}

// outcome is what a view makes of an event.
type outcome struct {
	failed  *wasm.ViewError
	ignored bool
}

func (o outcome) String() string {
	switch {
	case o.failed != nil:
		return shown([]byte(o.failed.Error()))
	case o.ignored:
		return "ignored"
	}
	return "applied"
}

// same leaves the words of a trap and of a limit out: they may name addresses and sizes of the guest's memory, which is not
// the same from batch to batch, and the view halts at the same event all the same.
func (o outcome) same(other outcome) bool {
	if o.failed == nil || other.failed == nil {
		return o == other
	}
	if o.failed.Kind != other.failed.Kind {
		return false
	}
	return o.failed.Kind != wasm.KindRefused || o.failed.Message == other.failed.Message
}

// refolding folds the same events in several ways at once, event by event, and stops at the first difference. So all ways
// have one state between them, and each only what it wrote for the event at hand.
type refolding struct {
	settings wasm.Settings
	fields   *fieldSet
	ways     []*way
	batches  batchWay
	limit    int64 // for bytes

	base  btree.Map[string, []byte]
	bytes int64 // about what base costs in memory
	gas   int64 // used by all ways
	// mostGas is what an event may take in the first way to be folded in the others; 0 for any.
	mostGas int64
	rest    func(ctx context.Context) // between events; may be nil
	event   wasm.Event
	values  []jsonscan.Value
}

// errTooDear: an event takes more than refolding.mostGas.
var errTooDear = errors.New("folding the event takes too much gas to do so in every way")

// newRefolding folds with module and, as a server would that was started anew, with restarted: the same module in another
// engine. It must be closed.
func newRefolding(module, restarted *wasm.Module, settings wasm.Settings, fields *fieldSet, limit int64) *refolding {
	r := &refolding{settings: settings, fields: fields, limit: limit, values: make([]jsonscan.Value, len(fields.names))}
	r.ways = []*way{
		{name: "one event at a time", module: module, sizes: []int{1}},
		{name: fmt.Sprintf("batches of %d events", refoldBatch), module: module, sizes: []int{refoldBatch}},
		{name: "uneven batches after a restart", module: restarted, sizes: unevenBatches},
	}
	for _, w := range r.ways {
		w.layer.base = &r.base
	}
	r.batches.module = restarted
	return r
}

// names are those of all ways.
func (r *refolding) names() (names []string) {
	for _, w := range r.ways {
		names = append(names, w.name)
	}
	return append(names, wayBatches)
}

func (r *refolding) close() {
	for _, w := range r.ways {
		w.end()
	}
}

// fold folds one event in every way. The outcome is the one that all have, unless they differ. A view that fails over the
// event has written nothing for it.
func (r *refolding) fold(ctx context.Context, e *event.Recorded) (outcome, *Difference, error) {
	if len(r.values) > 0 {
		if err := r.fields.pointers.Scan(e.Data, r.values); err != nil {
			return outcome{}, nil, fmt.Errorf("reading event %d: %w", e.Sequence, err)
		}
	}
	r.event = wasm.Event{Sequence: e.Sequence, Time: e.Time, RecordedAt: e.RecordedAt, Data: e.Data, Fields: r.values}
	for i, w := range r.ways {
		gas, err := w.fold(ctx, r.settings, &r.event)
		if err != nil {
			return outcome{}, nil, fmt.Errorf("folding event %d with %s: %w", e.Sequence, w.name, err)
		}
		r.gas += gas
		if i == 0 && r.mostGas > 0 && gas > r.mostGas {
			return outcome{}, nil, errTooDear
		}
	}
	first := r.ways[0]
	for _, w := range r.ways[1:] {
		if difference := first.compare(w); difference != nil {
			difference.Sequence = e.Sequence
			return outcome{}, difference, nil
		}
	}
	if first.result.failed == nil {
		r.batches.add(&r.event, first)
	}
	if r.settle(); r.bytes > r.limit {
		return outcome{}, nil, &StateTooLargeError{Limit: r.limit, Sequence: e.Sequence}
	}
	if first.result.failed == nil && !r.batches.full() {
		return first.result, nil, nil
	}
	difference, err := r.finish(ctx)
	return first.result, difference, err
}

// finish has the way of batches catch up with the others: at the end, and where an event fails.
func (r *refolding) finish(ctx context.Context) (*Difference, error) {
	return r.batches.fold(ctx, r.settings)
}

// settle makes what all ways wrote for the event part of the state that they share.
func (r *refolding) settle() {
	r.ways[0].layer.written.Scan(func(key string, value []byte) bool {
		var old []byte
		var had bool
		if value == nil {
			old, had = r.base.Delete(key)
		} else {
			old, had = r.base.Set(key, value)
			r.bytes += int64(entryBytes(key, value))
		}
		if had {
			r.bytes -= int64(entryBytes(key, old))
		}
		return true
	})
	for _, w := range r.ways {
		if w.layer.written.Len() > 0 {
			w.layer.written.Clear()
		}
	}
}

// fold gives the event to the way's session. The error is never the view's fault.
func (w *way) fold(ctx context.Context, settings wasm.Settings, e *wasm.Event) (gas int64, err error) {
	if w.session == nil {
		if w.session, err = w.module.Start(ctx, settings, &w.layer); err != nil {
			return 0, fmt.Errorf("starting the view: %w", err)
		}
		w.left = w.sizes[w.turn%len(w.sizes)]
		w.turn++
	}
	ignored, err := w.session.Fold(e)
	gas = w.session.GasUsed()
	if w.session.Again() {
		w.layer.written.Clear()
		w.end()
		again, err := w.fold(ctx, settings, e)
		return gas + again, err
	}
	w.result = outcome{ignored: ignored}
	if err != nil {
		if !errors.As(err, &w.result.failed) {
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
		Way: other.name, Key: *different, Expected: shown(w.layer.current(*different)), Found: shown(other.layer.current(*different)),
	}
}

// shown cuts a value to what a person can read.
func shown(value []byte) string {
	if len(value) <= maxShownBytes {
		return string(value)
	}
	end := maxShownBytes
	for end > 0 && !utf8.RuneStart(value[end]) {
		end--
	}
	return string(slices.Clip(value[:end])) + "…"
}
