// Package tally is the kit for Tallystick views in Go: it hides the ABI between a view and the server (docs/abi.md), and
// provides what views need: typed fields, exact decimals, state, JSON, times and query strings.
//
// A view registers itself when its module starts:
//
//	func init() {
//		tally.Register(&tally.View{Fields: []string{"/amount"}, Fold: fold, Query: query})
//	}
//
//	func main() {}
//
// and is built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o view.wasm
//
// # Memory
//
// The server may reset a view's memory to its state after start before any batch of events. A view must not count in
// variables: what must be known at the next event is stored with [Set].
//
// Texts and values that the kit returns (of fields, [Get], [Scan], [Query.All], [Room]) are valid until the call of Fold or
// Query returns; strings.Clone what must live longer. In exchange, folding allocates nothing that must be collected.
package tally

import "errors"

// View is the view that a module implements. Register it in an init function.
type View struct {
	// Fields are the members of the event that Fold reads, as JSON Pointers: "/model", "/usage/tokens", "/items/0".
	Fields []string

	// Configure reads the configuration that the view was deployed with, "{}" if there was none. Optional. An error refuses
	// the deploy, with its text as the reason. It is called before Fields is read, so it may set v.Fields, and again
	// whenever memory was reset.
	Configure func(v *View, config []byte) error

	// Fold folds one event. nil applies it, [Ignored] reports that the view has no use for it, and any other error halts
	// the view at this event, with nothing written: reserve errors for what must never happen, whatever events hold. A
	// panic halts the view, too.
	Fold func(e *Event) error

	// Guard decides on an event before it is appended, on the state with every earlier one folded: it reads, and must not write. Optional;
	// a view that has one imports package guard, for its effect, which makes the server ask. An error or a panic halts the view. Fold must
	// still take every event: what the log held before the view was deployed, no guard was asked about.
	Guard func(e *Event) (Verdict, error)

	// Query answers a query with JSON, or with another [ContentType]. It must not write. An error refuses the
	// query, and its text is shown to the client. nil if the view is only read through its state.
	Query func(q Query) ([]byte, error)
}

// Ignored is what Fold returns for an event that the view has no use for.
var Ignored = errors.New("ignored") //nolint:staticcheck // ST1012: it is a result, and reads as one

// registered is the module's view.
var registered *View

// Register makes v the view of this module. Call it once, from an init function.
func Register(v *View) {
	switch {
	case registered != nil:
		panic("tally.Register was called twice: a module holds one view")
	case v.Fold == nil:
		panic("tally.Register: the view has no Fold")
	case v.Guard != nil && !guardExported:
		panic(`tally.Register: the view has a Guard, but nothing lets the server ask it: import _ "` + guardPackage + `"`)
	case v.Guard == nil && guardExported:
		panic("tally.Register: the module imports " + guardPackage + ", but the view has no Guard")
	}
	registered = v
}

// configured tells that Configure has been called since memory was last set back.
var configured bool

// ready returns the view, configured.
func ready() (*View, error) {
	v := registered
	if v == nil {
		return nil, errors.New("the module registers no view: call tally.Register in an init function")
	}
	if !configured && v.Configure != nil {
		if err := v.Configure(v, Config()); err != nil {
			return nil, err
		}
	}
	configured = true
	return v, nil
}
