package wasm

import (
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// Functions of a runtime that keeps its stacks in another way.
type (
	byValue     struct{ api.Function }
	withNone    struct{ api.Function }
	withAnother struct {
		api.Function
		stack int
	}
	withInner struct {
		api.Function
		inner
	}
	inner struct{ stack []byte }
)

// TestStackIsKnown: the runtime keeps its stacks where this package looks for them. Where a new version of it does not, no instance is
// used twice, and every session costs a new one.
func TestStackIsKnown(t *testing.T) {
	m := compile(t, newEngine(t), newGuest())
	s := start(t, m, "", newState())
	defer s.Close()
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if size, known := s.in.largestStack(); !known || size == 0 {
		t.Errorf("after a fold the stack has %d bytes (known: %t)", size, known)
	}
}

// TestUnknownStack: what is not known of a stack fails nothing, and costs no more than the instance.
func TestUnknownStack(t *testing.T) {
	m := compile(t, newEngine(t), newGuest())
	for name, strange := range map[string]func(api.Function) api.Function{
		"by value":      func(f api.Function) api.Function { return byValue{f} },
		"no stack":      func(f api.Function) api.Function { return &withNone{f} },
		"another type":  func(f api.Function) api.Function { return &withAnother{f, 1} },
		"further down":  func(f api.Function) api.Function { return &withInner{f, inner{nil}} },
		"a nil pointer": func(api.Function) api.Function { return (*withNone)(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, m, "", newState())
			in := s.in
			if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			in.query = strange(in.query)
			s.Close()
			next := start(t, m, "", newState())
			defer next.Close()
			if next.in == in {
				t.Error("the instance is used again")
			}
			if _, err := next.Fold(&Event{Data: []byte("{}")}); err != nil {
				t.Error(err)
			}
		})
	}
}
