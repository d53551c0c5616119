package replay

import (
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

// View is a module with a configuration, ready to fold events in memory.
type View struct {
	Module *wasm.Module
	// Restarted is the same module in another engine, as a server has it after a restart; nil: there is none to compare with.
	Restarted *wasm.Module
	Settings  wasm.Settings
	Fields    *Fields
}

// Start begins a session on a state. It must be closed.
func (v *View) Start(ctx context.Context, state wasm.State) (*wasm.Session, error) {
	return v.Module.Start(ctx, v.Settings, state)
}

// Read sets e to what the view sees of a recorded event. It reuses the room of e's fields.
func (v *View) Read(e *wasm.Event, recorded *event.Recorded) error {
	n := len(v.Fields.Names)
	fields := slices.Grow(e.Fields[:0], n)[:n]
	*e = wasm.Event{Sequence: recorded.Sequence, Time: recorded.Time, RecordedAt: recorded.RecordedAt, Data: recorded.Data, Fields: fields}
	if n == 0 {
		return nil
	}
	if err := v.Fields.Pointers.Scan(recorded.Data, fields); err != nil {
		return fmt.Errorf("reading event %d: %w", recorded.Sequence, err)
	}
	return nil
}
