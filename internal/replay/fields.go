package replay

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Fields are the JSON pointers that one or more versions of views read. Equal ones are shared, and never changed.
type Fields struct {
	Names    []string
	Pointers *jsonscan.Pointers
}

// FieldCache shares equal fields between versions and logs: ten thousand logs with the same views have them once. The zero value is
// ready, and safe for concurrent use.
type FieldCache struct {
	mu     sync.Mutex
	fields map[string]*Fields
}

// maxCachedFields bounds the memory of a cache, which is emptied when it is full.
const maxCachedFields = 10_000

// Of returns the fields with these names, in this order. The error names the one that is no JSON pointer.
func (c *FieldCache) Of(names []string) (*Fields, error) {
	key := strings.Join(names, "\n")
	c.mu.Lock()
	defer c.mu.Unlock()
	if fields, ok := c.fields[key]; ok {
		return fields, nil
	}
	pointers, err := jsonscan.Compile(names)
	if err != nil {
		return nil, fmt.Errorf("reading the view's fields: %w", err)
	}
	if c.fields == nil || len(c.fields) >= maxCachedFields {
		c.fields = map[string]*Fields{}
	}
	fields := &Fields{Names: names, Pointers: pointers}
	c.fields[key] = fields
	return fields, nil
}

// Union returns all fields together and, for each of them, the indexes of its own in that.
func (c *FieldCache) Union(all []*Fields) (union *Fields, indexes [][]int) {
	var names []string
	indexes = make([][]int, len(all))
	for i, fields := range all {
		for _, name := range fields.Names {
			at := slices.Index(names, name)
			if at < 0 {
				at = len(names)
				names = append(names, name)
			}
			indexes[i] = append(indexes[i], at)
		}
	}
	union, err := c.Of(names)
	if err != nil {
		panic(err) // every name compiled before, as one of those
	}
	return union, indexes
}
