package alert

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/uuid"
)

// Crash ends the evaluation of alerts as a crash of the server does: nothing that is under way is recorded, and others are not told.
func (a *Alerts) Crash() { _ = a.worker.Stop(context.Background()) }

// BeforeRecord has f called between each evaluation and its record. Call it before Start.
func (a *Alerts) BeforeRecord(f func(ctx context.Context, log uuid.UUID)) { a.beforeRecord = f }

// Refresh has the server know the alerts that there are now.
func (a *Alerts) Refresh(ctx context.Context) error { return a.known.refresh(ctx) }

// Round looks for what is due, now.
func (a *Alerts) Round(ctx context.Context) error { return a.round(ctx) }

// At returns when the window of a calendar begins and ends that a moment is in.
func (c Calendar) At(moment time.Time, zone *time.Location) (from, to time.Time) {
	return c.at(moment, zone)
}
