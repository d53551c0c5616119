package view

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// maxRecentBytes is how much of its views' state a log's head row holds. The row stays below the 2,000 bytes or so from which
	// PostgreSQL stores values elsewhere, and a page has room for three more versions of it, which keeps its updates heap-only.
	maxRecentBytes = 1200
	// keptRecentBytes is what stays there when there is more: room for the next keys, and yet those that are written again and again.
	keptRecentBytes = maxRecentBytes / 2
	// recentVersion and recentKey are in front of each version, and of each key and value, in the head row (migration 00011).
	recentVersion = "\x1e"
	recentKey     = "\x1f"
)

// recentState is what a log's head row holds of its live views' state, the values written longest ago first: it counts before the rows of
// view_state_rows. So an append that changes a few keys, mostly the same ones as the append before it, writes no row but the head's. It is
// never changed; with returns another.
type recentState []recentValue

type recentValue struct {
	version uuid.UUID
	key     string
	value   []byte
	stored  bool // the key is known to have a row too, with an older value
}

// size is what the value takes in the head row, besides its version.
func (v *recentValue) size() int { return 2*len(recentKey) + len(v.key) + len(v.value) }

// versionSize is what naming a version takes there.
const versionSize = len(recentVersion) + len("00000000-0000-0000-0000-000000000000")

// size is how long String is.
func (r recentState) size() (n int) {
	for i := range r {
		n += r[i].size()
		if r.isFirst(i) {
			n += versionSize
		}
	}
	return n
}

// isFirst reports whether the value is the first of its version.
func (r recentState) isFirst(i int) bool {
	return !slices.ContainsFunc(r[:i], func(v recentValue) bool { return v.version == r[i].version })
}

// with returns what the head row holds once the changes are made, and the changes that go to rows instead: values for which it has no room,
// and removals. halted are versions that are no longer live.
func (r recentState) with(changes []Change, halted []Halt) (next recentState, rows []Change) {
	changed := 0
	for i := range changes {
		changed += versionSize + (&recentValue{key: changes[i].Key, value: changes[i].Value}).size()
	}
	fits := changed <= maxRecentBytes
	next = slices.Clone(r)
	for _, c := range changes {
		stored := c.Existed
		if at := next.index(c.Version, c.Key); at >= 0 {
			stored = next[at].stored
			next = slices.Delete(next, at, at+1)
		}
		if c.Value == nil || !fits || strings.ContainsAny(c.Key, recentVersion+recentKey) {
			c.Existed = stored
			rows = append(rows, c)
			continue
		}
		next = append(next, recentValue{version: c.Version, key: c.Key, value: c.Value, stored: stored})
	}
	over := 0 // what has to leave, the oldest first
	if n := next.size(); n > maxRecentBytes {
		over = n - keptRecentBytes
	}
	kept := next[:0]
	for _, v := range next {
		if over > 0 || isHalted(halted, v.version) {
			over -= v.size()
			rows = append(rows, Change{Version: v.version, Key: v.key, Value: v.value, Existed: v.stored})
			continue
		}
		kept = append(kept, v)
	}
	clear(next[len(kept):])
	return kept, rows
}

func isHalted(halted []Halt, version uuid.UUID) bool {
	return slices.ContainsFunc(halted, func(h Halt) bool { return h.Version == version })
}

func (r recentState) index(version uuid.UUID, key string) int {
	return slices.IndexFunc(r, func(v recentValue) bool { return v.key == key && v.version == version })
}

func (r recentState) get(version uuid.UUID, key string) (value []byte, found bool) {
	if at := r.index(version, key); at >= 0 {
		return r[at].value, true
	}
	return nil, false
}

// String is the form in which the head row holds it: each version's values together, so that the version is named once. In which order
// values of different versions were written is lost there; it only decides which go to rows first.
func (r recentState) String() string {
	var b strings.Builder
	b.Grow(r.size())
	for i := range r {
		if !r.isFirst(i) {
			continue
		}
		b.WriteString(recentVersion)
		b.WriteString(r[i].version.String())
		for j := i; j < len(r); j++ {
			if v := &r[j]; v.version == r[i].version {
				b.WriteString(recentKey)
				b.WriteString(v.key)
				b.WriteString(recentKey)
				b.Write(v.value)
			}
		}
	}
	return b.String()
}

// parseRecent reads what String writes.
func parseRecent(text string) (r recentState, err error) {
	for version := range strings.SplitSeq(text, recentVersion) {
		if version == "" {
			continue
		}
		fields := strings.Split(version, recentKey)
		id, err := uuid.Parse(fields[0])
		if err != nil || len(fields)%2 == 0 {
			return nil, fmt.Errorf("the head row's state is not in its form: %d fields, of version %q", len(fields), fields[0])
		}
		for i := 1; i < len(fields); i += 2 {
			r = append(r, recentValue{version: id, key: fields[i], value: []byte(fields[i+1])})
		}
	}
	return r, nil
}

// readRecent reads what the head row holds, in the same snapshot of the database as the rows.
func (v *Views) readRecent(ctx context.Context, tx dbsqlc.DBTX, log uuid.UUID) (recentState, error) {
	text, err := v.db.GetRecentState(ctx, tx, log)
	if err != nil {
		return nil, fmt.Errorf("reading the head's state: %w", db.Classify(err))
	}
	return parseRecent(text)
}

// over merges a version's values that begin with prefix and follow a key into a page of rows; more: rows follow the page.
func (r recentState) over(page []wasm.Entry, more bool, version uuid.UUID, prefix, after string) []wasm.Entry {
	var merged []wasm.Entry
	for i := range r {
		v := &r[i]
		beyond := more && v.key > string(page[len(page)-1].Key)
		if v.version == version && v.key > after && strings.HasPrefix(v.key, prefix) && !beyond {
			merged = append(merged, wasm.Entry{Key: []byte(v.key), Value: v.value})
		}
	}
	if len(merged) == 0 {
		return page
	}
	merged = append(merged, page...)
	slices.SortStableFunc(merged, func(a, b wasm.Entry) int { return bytes.Compare(a.Key, b.Key) })
	return slices.CompactFunc(merged, func(a, b wasm.Entry) bool { return bytes.Equal(a.Key, b.Key) }) // the first stays
}
