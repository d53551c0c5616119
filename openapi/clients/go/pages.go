package tally

import (
	"fmt"
	"iter"
)

// The most that the server lists in one answer.
const (
	listPage  = 1000
	auditPage = 200 // of the audit log, and of a view's versions
)

// ListOptions select a page of a list.
type ListOptions struct {
	Cursor string // the NextCursor of the page before; "" for the first page
	Limit  int    // of entries; 0 for the server's default
}

// pages iterates over all pages. An error ends the iteration, as its last pair.
func pages[T any](page func(cursor string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := ""; ; {
			entries, next, err := page(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entry := range entries {
				if !yield(entry, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			if next == cursor {
				var none T
				yield(none, &Error{Code: CodeUnexpectedAnswer, Detail: fmt.Sprintf("page %.100q leads to itself", next)})
				return
			}
			cursor = next
		}
	}
}

// Collect returns what an iterator of this package yields, up to its first error.
func Collect[T any](all iter.Seq2[T, error]) ([]T, error) {
	list := []T{}
	for entry, err := range all {
		if err != nil {
			return list, err
		}
		list = append(list, entry)
	}
	return list, nil
}

// orNew is options, or their zero value in place of nil.
func orNew[T any](options *T) *T {
	if options == nil {
		return new(T)
	}
	return options
}
