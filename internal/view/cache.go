package view

import (
	"container/list"
	"sync"

	"github.com/tallystick/tallystick/internal/uuid"
)

// cache holds the latest known snapshot of logs, up to a number of bytes; the least recently used go first.
// They may be out of date, or of a history that a restore has undone: appends and queries believe them only where the
// database's head agrees.
type cache struct {
	mu       sync.Mutex
	limit    int
	bytes    int
	elements map[uuid.UUID]*list.Element
	recent   *list.List // of *cached, most recently used first

	hits, misses int64 // of Cached
}

type cached struct {
	snapshot *Snapshot
	bytes    int
}

func newCache(limit int) cache {
	return cache{limit: limit, elements: map[uuid.UUID]*list.Element{}, recent: list.New()}
}

// Cached returns the latest snapshot of the log that this server knows, nil when it knows none.
func (v *Views) Cached(log uuid.UUID) *Snapshot {
	c := &v.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.elements[log]
	if !ok {
		c.misses++
		return nil
	}
	c.hits++
	c.recent.MoveToFront(element)
	return element.Value.(*cached).snapshot //nolint:forcetypeassert // the list holds nothing else
}

// Remember keeps snapshots that a commit has made true.
func (v *Views) Remember(snapshots []*Snapshot) {
	v.commits.Add(int64(len(snapshots)))
	c := &v.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range snapshots {
		c.put(s)
	}
	c.shrink()
}

// warm keeps a snapshot that was read, unless an append has made a later one known meanwhile.
func (c *cache) warm(s *Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.elements[s.Log]; ok {
		known := element.Value.(*cached).snapshot //nolint:forcetypeassert // as above
		if known.Head.Sequence > s.Head.Sequence {
			return
		}
	}
	c.put(s)
	c.shrink()
}

func (c *cache) put(s *Snapshot) {
	c.remove(s.Log)
	entry := &cached{snapshot: s, bytes: s.bytes()}
	c.elements[s.Log] = c.recent.PushFront(entry)
	c.bytes += entry.bytes
}

// shrink forgets what there is no room for.
func (c *cache) shrink() {
	for c.bytes > c.limit && c.recent.Len() > 0 {
		c.remove(c.recent.Back().Value.(*cached).snapshot.Log) //nolint:forcetypeassert // the list holds nothing else
	}
}

// Forget drops what is known of a log, because it turned out not to be true.
func (v *Views) Forget(log uuid.UUID) {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.cache.remove(log)
}

func (c *cache) remove(log uuid.UUID) {
	element, ok := c.elements[log]
	if !ok {
		return
	}
	c.bytes -= element.Value.(*cached).bytes //nolint:forcetypeassert // the list holds nothing else
	c.recent.Remove(element)
	delete(c.elements, log)
}
