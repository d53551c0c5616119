package view

import "github.com/tallystick/tallystick/internal/stats"

// Stats count what this server's views do.
type Stats struct {
	AppendGas stats.Counter // of folding for appends, attempts that were undone included
	BuildGas  stats.Counter // of folding for builds
	QueryGas  stats.Counter // of queries and live answers
	Queries   stats.Counter // likewise
	Halts     stats.Counter // versions that halted here
}

// Stats returns the counts.
func (v *Views) Stats() *Stats { return &v.counts }

// CountHalts counts versions that halted, once that is committed.
func (v *Views) CountHalts(n int) { v.counts.Halts.Add(int64(n)) }

func (f *Folding) countGas(gas int64) {
	if f.bounds == serveBounds {
		f.views.counts.AppendGas.Add(gas)
	} else {
		f.views.counts.BuildGas.Add(gas)
	}
}

// CacheStats is how full the memory for snapshots of logs is, and how often a log was found in it.
type CacheStats struct {
	Entries, Bytes, Limit int
	Hits, Misses          int64
}

// Cache returns the state of the memory for snapshots.
func (v *Views) Cache() CacheStats {
	c := &v.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	return CacheStats{Entries: c.recent.Len(), Bytes: c.bytes, Limit: c.limit, Hits: c.hits, Misses: c.misses}
}
