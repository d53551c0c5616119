package view

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// fieldSets shares equal sets of fields between versions and logs: ten thousand logs with the same views have one.
type fieldSets struct {
	mu   sync.Mutex
	sets map[string]*fieldSet
}

// maxFieldSets bounds the memory of shared sets; past it they are forgotten, not refused.
const maxFieldSets = 10_000

// of returns the set of the pointers in that order. The error says which is no JSON pointer.
func (f *fieldSets) of(names []string) (*fieldSet, error) {
	key := strings.Join(names, "\n")
	f.mu.Lock()
	defer f.mu.Unlock()
	if set, ok := f.sets[key]; ok {
		return set, nil
	}
	pointers, err := jsonscan.Compile(names)
	if err != nil {
		return nil, fmt.Errorf("reading the view's fields: %w", err)
	}
	if f.sets == nil || len(f.sets) >= maxFieldSets {
		f.sets = map[string]*fieldSet{}
	}
	set := &fieldSet{names: names, pointers: pointers}
	f.sets[key] = set
	return set, nil
}

// union returns what all the views want together and, for each view, where its fields are in that.
func (f *fieldSets) union(views []liveView) (*fieldSet, [][]int) {
	var names []string
	places := make([][]int, len(views))
	for i, v := range views {
		for _, name := range v.version.fields.names {
			at := slices.Index(names, name)
			if at < 0 {
				at = len(names)
				names = append(names, name)
			}
			places[i] = append(places[i], at)
		}
	}
	set, err := f.of(names)
	if err != nil {
		panic(err) // every name compiled before, as part of its version
	}
	return set, places
}
