package view

import (
	"context"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Writer collects what folds change and queues it as a few statements for any number of logs.
type Writer struct {
	put, update dbsqlc.PutViewStateParams
	del         dbsqlc.DeleteViewStateParams
	halts       []dbsqlc.HaltViewVersionParams
}

// Add adds the changes and halts of one log's fold.
func (w *Writer) Add(log uuid.UUID, fold Fold) {
	for _, c := range fold.Changes {
		if c.Value == nil {
			w.del.LogIds = append(w.del.LogIds, log)
			w.del.VersionIds = append(w.del.VersionIds, c.Version)
			w.del.Keys = append(w.del.Keys, c.Key)
			continue
		}
		p := &w.put
		if c.Existed {
			p = &w.update
		}
		p.LogIds = append(p.LogIds, log)
		p.VersionIds = append(p.VersionIds, c.Version)
		p.Keys = append(p.Keys, c.Key)
		p.Values = append(p.Values, c.Value)
	}
	for _, halt := range fold.Halts {
		w.halts = append(w.halts, dbsqlc.HaltViewVersionParams{
			LogID: log, VersionID: halt.Version, AppliedSequence: halt.Sequence - 1, HaltedSequence: &halt.Sequence, Error: &halt.Reason,
		})
	}
}

// Queue adds the statements to the pipeline, which fails with db.ErrStale when a key to update is not there.
func (w *Writer) Queue(ctx context.Context, queries *dbsqlc.Queries, to *db.Pipeline) error {
	if len(w.update.Keys) > 0 {
		if err := queries.UpdateViewState(ctx, to, dbsqlc.UpdateViewStateParams(w.update)); err != nil {
			return err
		}
	}
	if len(w.put.Keys) > 0 {
		if err := queries.PutViewState(ctx, to, w.put); err != nil {
			return err
		}
	}
	if len(w.del.Keys) > 0 {
		if err := queries.DeleteViewState(ctx, to, w.del); err != nil {
			return err
		}
	}
	for _, halt := range w.halts {
		if err := queries.HaltViewVersion(ctx, to, halt); err != nil {
			return err
		}
	}
	return nil
}
