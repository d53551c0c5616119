package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/internal/db"
)

// stalledAfter is how long a server may take to send a statement, or the data of a COPY, while it has the heads of logs locked: a thousand
// times as long as it takes.
const stalledAfter = 10 * time.Second

// endStalled ends what servers that froze in the middle of an append have left behind, until ctx ends: without it, nobody could append to
// those logs until the server goes on, or its process ends.
func (g *Ingester) endStalled(ctx context.Context) {
	after := g.config.StalledAfter
	look := time.NewTicker(after / 2)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		ended, err := g.db.EndStalled(ctx, after)
		switch {
		case ctx.Err() != nil || errors.Is(err, db.ErrUnavailable): // which the server's health tells
		case err != nil:
			g.config.Log.LogAttrs(ctx, slog.LevelError, "looking for appends of servers that are frozen failed", slog.Any("error", err))
		case ended > 0:
			g.config.Log.LogAttrs(ctx, slog.LevelWarn, "ended appends of a server that had stopped in the middle of them: is it frozen, "+
				"or cut off?", slog.Int64("appends", ended))
		}
	}
}
