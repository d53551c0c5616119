// Package tally is the kit that Tallystick views are written with in Go: it hides the ABI that a view and the server
// speak (docs/abi.md) and brings what views need: typed fields, exact decimals, state, JSON, times and query strings.
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
// The server may set a view's memory back to what it was after start before any batch of events. A view must not count
// in variables: whatever is to be known at the next event goes through [Set].
//
// Texts and values that the kit hands out (of fields, [Get], [Scan], [Query.All], [Room]) are good until the call of Fold
// or Query returns; strings.Clone what is kept longer. In exchange, folding allocates nothing that has to be collected.
package tally

import "errors"

// View is what a module does. Register it in an init function.
type View struct {
	// Fields are the members of the event that Fold reads, as JSON Pointers: "/model", "/usage/tokens", "/items/0".
	Fields []string

	// Configure reads the configuration that the view was deployed with, "{}" where none was given; nil when the view
	// has none. An error refuses the deploy, and its text tells the deployer why. It is called before Fields is read, so
	// it may set v.Fields, and again whenever memory was set back.
	Configure func(v *View, config []byte) error

	// Fold counts one event. nil applies it, [Ignored] says that the view had no use for it, and any other error halts
	// the view at this event, with nothing written: no event may cause one, only what must never happen. A panic
	// halts it too.
	Fold func(e *Event) error

	// Query answers a question with JSON, or with another [ContentType]. It must not write. An error refuses the
	// question and its text is shown to whoever asked. nil when the view is read through its state alone.
	Query func(q Query) ([]byte, error)
}

// Ignored is what Fold returns for an event that the view has no use for.
var Ignored = errors.New("ignored") //nolint:staticcheck // ST1012: it is a result, and reads as one

// registered is the module's view.
var registered *View

// Register makes v the view of this module. It is called once, from an init function.
func Register(v *View) {
	switch {
	case registered != nil:
		panic("tally.Register was called twice: a module holds one view")
	case v.Fold == nil:
		panic("tally.Register: the view has no Fold")
	}
	registered = v
}
