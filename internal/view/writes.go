package view

import (
	"context"
	"slices"
	"strings"
	"unsafe"

	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

// writes is a state that is being folded into. It is what a view's imports act on.
type writes struct {
	ctx   context.Context //nolint:containedctx // lives as long as one fold or query
	state *state
	from  reader
	pace  Pace         // nil: it takes no turns
	room  *memory.Hold // where from books what it reads; nil: nowhere
	// passing is how much of the room is of what was read last and is not kept in state: it is there until the next call.
	passing int64
	most    int                  // bytes up to which state keeps what is read; 0: no bound
	dirty   map[string]*dirtyKey // the keys that were written
	// pending are keys whose newest value is not in state yet. A busy key is written at every event, and needs to be in the tree once.
	pending []*dirtyKey
	// undo is how to take back what was written since the last keep; from mark on it is the current event's.
	undo    []undoEntry
	mark    int
	written int // bytes of keys and values that were set; whoever counts them sets it to 0
	// guess has Get assume that a key that is not in memory is absent, and record it in missed, instead of reading it: such a fold only
	// finds out which keys it needs.
	guess  bool
	missed []string
}

// dirtyKey is a key that was written.
type dirtyKey struct {
	key     string
	value   []byte // nil: removed
	origin  origin // whether it was in the database before
	pending bool
	// before and wasKnown are what state knew of the key before it was written, and knows again once it is reverted.
	before   []byte
	wasKnown bool
	reverted bool
}

type origin uint8

const (
	originUnknown origin = iota
	originPresent
	originAbsent
)

type undoEntry struct {
	dirty    *dirtyKey
	value    []byte
	wasDirty bool
}

func newWrites(ctx context.Context, s *state, from reader) *writes {
	return &writes{ctx: ctx, state: s, from: from}
}

// lookup views the bytes as a string without a copy: good for as long as the bytes stay, which is the call.
func lookup(key []byte) string { return unsafe.String(unsafe.SliceData(key), len(key)) } //nolint:gosec // see above

// Get implements wasm.State.
func (w *writes) Get(key []byte) ([]byte, bool, error) {
	if dirty, written := w.dirty[lookup(key)]; written {
		return dirty.value, dirty.value != nil, nil
	}
	if value, known := w.state.known.Get(lookup(key)); known {
		return value, value != nil, nil
	}
	if w.state.whole {
		return nil, false, nil
	}
	owned := string(key)
	if w.guess {
		w.missed = append(w.missed, owned)
		w.state.put(owned, nil)
		return nil, false, w.room.Use(int64(entryBytes(owned, nil)))
	}
	w.releasePassing()
	w.release()
	used := w.room.Used()
	value, found, err := w.from.get(w.ctx, owned)
	if err != nil {
		return nil, false, err
	}
	if !found {
		if value, err = nil, w.room.Use(int64(entryBytes(owned, nil))); err != nil {
			return nil, false, err
		}
	}
	if w.most > 0 && w.state.bytes+entryBytes(owned, value) > w.most {
		w.passing = w.room.Used() - used
		return value, found, nil
	}
	w.state.put(owned, value)
	return value, found, nil
}

// releasePassing releases the room of what was read last, which is no longer needed.
func (w *writes) releasePassing() {
	w.room.Unuse(w.room.Used() - w.passing)
	w.passing = 0
}

// release releases the core while the database is waited for.
func (w *writes) release() {
	if w.pace != nil {
		w.pace.Release()
	}
}

// Set implements wasm.State.
func (w *writes) Set(key, value []byte) error {
	w.write(key, slices.Clone(value))
	return nil
}

// Delete implements wasm.State.
func (w *writes) Delete(key []byte) error {
	w.write(key, nil)
	return nil
}

// write records a value, or nil for a removal.
func (w *writes) write(key []byte, value []byte) {
	dirty, wasDirty := w.dirty[lookup(key)]
	if !wasDirty {
		before, known := w.state.known.Get(lookup(key))
		dirty = &dirtyKey{key: string(key), origin: w.originOf(before, known), before: before, wasKnown: known}
		if w.dirty == nil {
			w.dirty = map[string]*dirtyKey{}
		}
		w.dirty[dirty.key] = dirty
	}
	w.undo = append(w.undo, undoEntry{dirty: dirty, value: dirty.value, wasDirty: wasDirty})
	w.written += len(key) + len(value)
	dirty.value = value
	w.markPending(dirty)
}

// markPending has flush bring the key up to date.
func (w *writes) markPending(dirty *dirtyKey) {
	if !dirty.pending {
		dirty.pending = true
		w.pending = append(w.pending, dirty)
	}
}

// flush brings state up to date with what was written.
func (w *writes) flush() {
	for _, dirty := range w.pending {
		dirty.pending = false
		switch {
		case dirty.reverted && dirty.wasKnown:
			w.state.put(dirty.key, dirty.before)
		case dirty.reverted, dirty.value == nil && w.state.whole:
			w.state.forget(dirty.key)
		default:
			w.state.put(dirty.key, dirty.value)
		}
	}
	clear(w.pending)
	w.pending = w.pending[:0]
}

func (w *writes) originOf(value []byte, known bool) origin {
	switch {
	case known && value != nil:
		return originPresent
	case known, w.state.whole:
		return originAbsent
	default:
		return originUnknown
	}
}

// Scan implements wasm.State.
func (w *writes) Scan(prefix, after []byte, limit int) ([]wasm.Entry, error) {
	if limit = min(limit, wasm.MaxScanKeys); limit <= 0 {
		return nil, nil
	}
	if w.state.whole {
		return w.scanKnown(string(prefix), string(after), limit), nil
	}
	return w.scanMerged(string(prefix), string(after), limit)
}

func (w *writes) scanKnown(prefix, after string, limit int) []wasm.Entry {
	w.flush()
	var entries []wasm.Entry
	w.state.known.Ascend(max(prefix, after), func(key string, value []byte) bool {
		switch {
		case !strings.HasPrefix(key, prefix):
			return key < prefix
		case key <= after || value == nil:
			return true
		}
		entries = append(entries, wasm.Entry{Key: []byte(key), Value: value})
		return len(entries) < limit
	})
	return entries
}

// scanMerged reads committed pairs page by page and lays this fold's own writes over them.
func (w *writes) scanMerged(prefix, after string, limit int) ([]wasm.Entry, error) {
	written := w.dirtyKeys(prefix, after)
	var entries []wasm.Entry
	addWritten := func(until string, all bool) {
		for len(written) > 0 && (all || written[0] < until) {
			if value := w.dirty[written[0]].value; value != nil {
				entries = append(entries, wasm.Entry{Key: []byte(written[0]), Value: value})
			}
			written = written[1:]
		}
	}
	w.releasePassing()
	used := w.room.Used()
	defer func() { w.passing = w.room.Used() - used }()
	for len(entries) < limit {
		w.release()
		page, err := w.from.scan(w.ctx, prefix, after, limit)
		if err != nil {
			return nil, err
		}
		for _, entry := range page {
			key := string(entry.Key)
			addWritten(key, false)
			if _, dirty := w.dirty[key]; !dirty {
				entries = append(entries, entry)
			}
			after = key
		}
		if len(page) < limit {
			addWritten("", true)
			break
		}
	}
	return entries[:min(limit, len(entries))], nil
}

func (w *writes) dirtyKeys(prefix, after string) []string {
	var keys []string
	for key := range w.dirty {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// keep makes what was written final.
func (w *writes) keep() { w.undo, w.mark = w.undo[:0], 0 }

// revert takes back what was written since mark, newest first.
func (w *writes) revert() {
	for _, u := range slices.Backward(w.undo[w.mark:]) {
		u.dirty.value = u.value
		if !u.wasDirty {
			u.dirty.reverted = true
			delete(w.dirty, u.dirty.key)
		}
		w.markPending(u.dirty)
	}
	w.undo = w.undo[:w.mark]
	w.flush() // the next write of a reverted key begins from what state knows
}

// changes appends what was written, in key order, and brings the state up to date with it.
func (w *writes) changes(to []Change, version uuid.UUID) []Change {
	w.flush()
	start := len(to)
	for key, dirty := range w.dirty {
		value := dirty.value
		if value == nil && dirty.origin == originAbsent {
			continue
		}
		to = append(to, Change{Version: version, Key: key, Value: value, Existed: dirty.origin == originPresent})
	}
	slices.SortFunc(to[start:], func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return to
}
