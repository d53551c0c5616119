package view

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// maxWholeKeys is how large a state may be to be held in memory whole, so that neither a fold nor a query has to
	// ask the database for a key. It bounds what one log costs to load.
	maxWholeKeys = 1024
	// maxKnownKeys is how many keys of a larger state are remembered before all are forgotten.
	maxKnownKeys = 16_384
	// maxKnownBytes is how much of one state is remembered: a few large values must not push out many small states.
	maxKnownBytes = 1 << 20
	// maxBuiltKeys and maxBuiltBytes are how much of the state of a version that is being built is held in memory.
	maxBuiltKeys  = 1 << 20
	maxBuiltBytes = 128 << 20 // where Config says nothing
	// loadedKeys of such a state are read at once: some 16 MiB of the largest values.
	loadedKeys = 256
	// entryOverhead is about what a key and its value cost in memory besides their bytes.
	entryOverhead = 64
)

// state is what is known of one version's state on one log. A state that a Snapshot holds is never written again:
// a fold works on a copy, which shares what it does not change.
type state struct {
	// known maps keys to values; nil stands for a key that is known not to exist.
	known btree.Map[string, []byte]
	// whole is true when known holds every key there is.
	whole bool
	bytes int // about what known costs in memory
}

func entryBytes(key string, value []byte) int { return len(key) + len(value) + entryOverhead }

func (s *state) copy() *state {
	return &state{known: *s.known.Copy(), whole: s.whole, bytes: s.bytes}
}

func (s *state) put(key string, value []byte) {
	old, had := s.known.Set(key, value)
	if had {
		s.bytes -= entryBytes(key, old)
	}
	s.bytes += entryBytes(key, value)
}

// putRecent adds what the head row holds of a version.
func (s *state) putRecent(recent recentState, version uuid.UUID) {
	for i := range recent {
		if recent[i].version == version {
			s.put(recent[i].key, recent[i].value)
		}
	}
}

func (s *state) forget(key string) {
	if old, had := s.known.Delete(key); had {
		s.bytes -= entryBytes(key, old)
	}
}

// bounds is how much of a state is held in memory between batches.
type bounds struct {
	wholeKeys int // up to this many keys a state is held whole
	keys      int // past this many, and these bytes, all is forgotten
	bytes     int
}

// serveBounds is for the states of logs that are appended to and asked: there are many.
var serveBounds = bounds{maxWholeKeys, maxKnownKeys, maxKnownBytes}

// buildBounds is for the state of a version that is being built, one at a time in a server: each key that is not in memory costs a
// statement, and a build needs all of them.
func (c *Config) buildBounds() bounds {
	return bounds{maxBuiltKeys, maxBuiltKeys, cmp.Or(c.BuildBytes, maxBuiltBytes)}
}

// trim returns what is kept of a state between batches.
func (s *state) trim(b bounds) *state {
	keys := s.known.Len()
	if s.bytes > b.bytes || keys > b.keys {
		return &state{}
	}
	s.whole = s.whole && keys <= b.wholeKeys // an outgrown state is still known in part
	return s
}

// reader reads a version's committed state where a state is not whole.
type reader interface {
	get(ctx context.Context, key string) ([]byte, bool, error)
	scan(ctx context.Context, prefix, after string, limit int) ([]wasm.Entry, error)
}

// stateReader reads the committed state of one version on one log, each time as it is then. What it reads belongs to
// the caller's snapshot as long as the log's head has not moved, which the append transaction checks.
type stateReader struct {
	db      *db.DB
	tx      dbsqlc.DBTX  // nil: the read pool
	room    *memory.Hold // of what is read; nil: nobody's
	log     uuid.UUID
	version uuid.UUID
	recent  recentState // what the log's head row holds; nothing for a version that is not live
	read    bool        // the database was asked
}

func (r *stateReader) source() dbsqlc.DBTX {
	if r.tx != nil {
		return db.Booked(r.tx, r.room)
	}
	return db.Booked(r.db.Read, r.room)
}

func (r *stateReader) get(ctx context.Context, key string) ([]byte, bool, error) {
	if value, found := r.recent.get(r.version, key); found {
		return value, true, nil
	}
	r.read = true
	value, err := r.db.GetViewState(ctx, r.source(), dbsqlc.GetViewStateParams{LogID: r.log, VersionID: r.version, Key: key})
	switch kind := db.Classify(err); {
	case isNotFound(kind):
		return nil, false, nil
	case kind != nil:
		return nil, false, fmt.Errorf("reading view state: %w", kind)
	}
	return value, true, nil
}

func (r *stateReader) scan(ctx context.Context, prefix, after string, limit int) ([]wasm.Entry, error) {
	limit = min(limit, wasm.MaxScanKeys)
	r.read = true
	rows, err := r.db.ScanViewState(ctx, r.source(), dbsqlc.ScanViewStateParams{
		LogID: r.log, VersionID: r.version, FromKey: prefix, ToKey: prefixEnd(prefix), After: after,
		MaxRows: int32(limit), //nolint:gosec // bounded above
	})
	if err != nil {
		return nil, fmt.Errorf("scanning view state: %w", db.Classify(err))
	}
	entries := make([]wasm.Entry, len(rows))
	for i, row := range rows {
		entries[i] = wasm.Entry{Key: []byte(row.Key), Value: row.Value}
	}
	entries = r.recent.over(entries, len(rows) == limit, r.version, prefix, after)
	return entries[:min(limit, len(entries))], nil
}
