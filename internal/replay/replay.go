// Package replay folds events in memory, without a database: in every way in which a server might, which must agree. Rehearsals and audits
// of views are made of it.
package replay

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

// longSession is how many events the way of large batches folds in one session: as many as a group of appends may hold. A
// build folds longer ones; what a view remembers shows long before.
const longSession = 10_000

// unevenBatches are the sizes of the third way's batches, in turn and then again: single events, and lengths that share no
// factor with anything that a view might count by.
var unevenBatches = []int{1, 7, 2, 31, 3, 127, 1, 509, 13, 4, 1021}

// maxShown bounds a value in a Difference: it is read by people, and may be 64 KiB.
const maxShown = 200

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

// StateTooLargeError: the state does not fit into the memory that a replay may take.
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
	result  Outcome // of the event at hand
}

// Outcome is what a view makes of an event.
type Outcome struct {
	Failed  *wasm.ViewError
	Ignored bool
}

func (o Outcome) String() string {
	switch {
	case o.Failed != nil:
		return Shown([]byte(o.Failed.Error()))
	case o.Ignored:
		return "ignored"
	}
	return "applied"
}

// same leaves the words of a trap and of a limit out: they may name addresses and sizes of the guest's memory, which is not
// the same from batch to batch, and the view halts at the same event all the same.
func (o Outcome) same(other Outcome) bool {
	if o.Failed == nil || other.Failed == nil {
		return o == other
	}
	if o.Failed.Kind != other.Failed.Kind {
		return false
	}
	return o.Failed.Kind != wasm.KindRefused || o.Failed.Message == other.Failed.Message
}

// Replay folds the same events in several ways at once, event by event, and stops at the first difference. So all ways
// have one state between them, and each only what it wrote for the event at hand.
type Replay struct {
	settings wasm.Settings
	fields   *Fields
	ways     []*way
	batches  batches
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

// errTooDear: an event takes more than Replay.mostGas.
var errTooDear = errors.New("folding the event takes too much gas to do so in every way")

// New folds with module and, as a server would that was started anew, with restarted: the same module in another
// engine. It must be closed.
func New(module, restarted *wasm.Module, settings wasm.Settings, fields *Fields, limit int64) *Replay {
	r := &Replay{settings: settings, fields: fields, limit: limit, values: make([]jsonscan.Value, len(fields.Names))}
	r.ways = []*way{
		{name: "one event at a time", module: module, sizes: []int{1}},
		{name: fmt.Sprintf("batches of %d events", longSession), module: module, sizes: []int{longSession}},
		{name: "uneven batches after a restart", module: restarted, sizes: unevenBatches},
	}
	for _, w := range r.ways {
		w.layer.base = &r.base
	}
	r.batches.module = restarted
	return r
}

// Ways are the names of the ways.
func (r *Replay) Ways() (names []string) {
	for _, w := range r.ways {
		names = append(names, w.name)
	}
	return append(names, wayBatches)
}

// Close gives back what the ways hold.
func (r *Replay) Close() {
	for _, w := range r.ways {
		w.end()
	}
}

// Fold folds one event in every way. The Outcome is the one that all have, unless they differ. A view that fails over the
// event has written nothing for it.
func (r *Replay) Fold(ctx context.Context, e *event.Recorded) (Outcome, *Difference, error) {
	if len(r.values) > 0 {
		if err := r.fields.Pointers.Scan(e.Data, r.values); err != nil {
			return Outcome{}, nil, fmt.Errorf("reading event %d: %w", e.Sequence, err)
		}
	}
	r.event = wasm.Event{Sequence: e.Sequence, Time: e.Time, RecordedAt: e.RecordedAt, Data: e.Data, Fields: r.values}
	for i, w := range r.ways {
		gas, err := w.fold(ctx, r.settings, &r.event)
		if err != nil {
			return Outcome{}, nil, fmt.Errorf("folding event %d with %s: %w", e.Sequence, w.name, err)
		}
		r.gas += gas
		if i == 0 && r.mostGas > 0 && gas > r.mostGas {
			return Outcome{}, nil, errTooDear
		}
	}
	first := r.ways[0]
	for _, w := range r.ways[1:] {
		if difference := first.compare(w); difference != nil {
			difference.Sequence = e.Sequence
			return Outcome{}, difference, nil
		}
	}
	if first.result.Failed == nil {
		r.batches.add(&r.event, first)
	}
	if r.merge(); r.bytes > r.limit {
		return Outcome{}, nil, &StateTooLargeError{Limit: r.limit, Sequence: e.Sequence}
	}
	if first.result.Failed == nil && !r.batches.full() {
		return first.result, nil, nil
	}
	difference, err := r.Finish(ctx)
	return first.result, difference, err
}

// Finish has the way of batches catch up with the others: at the end, and where an event fails.
func (r *Replay) Finish(ctx context.Context) (*Difference, error) {
	return r.batches.fold(ctx, r.settings)
}

// State is an iterator over what folding gave, in byte order of keys. It is good until the next Fold.
func (r *Replay) State() btree.MapIter[string, []byte] { return r.base.Iter() }

// entryOverhead is about what a key and its value cost in memory besides their bytes.
const entryOverhead = 64

func cost(key string, value []byte) int { return len(key) + len(value) + entryOverhead }

// merge makes what all ways wrote for the event part of the state that they share.
func (r *Replay) merge() {
	r.ways[0].layer.written.Scan(func(key string, value []byte) bool {
		var old []byte
		var had bool
		if value == nil {
			old, had = r.base.Delete(key)
		} else {
			old, had = r.base.Set(key, value)
			r.bytes += int64(cost(key, value))
		}
		if had {
			r.bytes -= int64(cost(key, old))
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

// Shown cuts a value to what a person can read.
func Shown(value []byte) string {
	if len(value) <= maxShown {
		return string(value)
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(value[end]) {
		end--
	}
	return string(slices.Clip(value[:end])) + "…"
}
