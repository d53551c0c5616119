package ingest

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// DryRun says what Append would do with the request at the log's present head, and stores nothing: the same answers, and the same errors.
// It does not wait in a lane, but shares cores with queries. What views set and read is booked in room, which may be nil. The error may
// also be view.ErrBusy.
//
// What it says holds for the moment: another append may come before that of the same request.
func (g *Ingester) DryRun(ctx context.Context, log uuid.UUID, request Request, room *memory.Hold) (appended []Appended, err error) {
	err = g.views.DryRun(ctx, log, room, func(from dbsqlc.DBTX, s *view.Snapshot, f *view.Folding) error {
		w := &waiter{log: log, request: request}
		l := newLane(g.db, g.views, g.config, g.router, g.router.slowStats)
		l.room, l.slow, l.budget.Time = room, true, slowFoldTime
		known, err := l.findKeys(ctx, from, []*waiter{w})
		if err != nil {
			return db.Classify(err)
		}
		p := newPlan([]*waiter{w}, map[uuid.UUID]*view.Snapshot{log: s}, nil, known, l.now())
		p.logs[0].reset()
		if err := l.admitRequest(p, p.logs[0], w, f); err != nil {
			return err
		}
		appended = w.appended
		return w.err
	})
	if err != nil {
		return nil, fmt.Errorf("a dry run: %w", err)
	}
	return appended, nil
}
