package access

import (
	"context"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

const (
	// usedEvery is how often at most it is recorded that a key was used; notedEvery, how often a server looks whether there is anything to
	// record.
	usedEvery  = time.Minute
	notedEvery = 5 * time.Second
)

// recordUse records which keys were used.
func (g *Gate) recordUse(ctx context.Context) {
	tick := time.NewTicker(notedEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.noteUse(ctx)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollTimeout)
			defer cancel()
			g.noteUse(ctx)
			return
		}
	}
}

func (g *Gate) noteUse(ctx context.Context) {
	var params dbsqlc.NoteKeysUsedParams
	g.mu.Lock()
	for id, key := range g.keys {
		if used := key.used.Load(); used > key.recorded+int64(usedEvery) {
			key.recorded = used
			params.KeyIds, params.UsedAts = append(params.KeyIds, id), append(params.UsedAts, time.Unix(0, used))
		}
	}
	g.mu.Unlock()
	if len(params.KeyIds) == 0 {
		return
	}
	if err := g.db.NoteKeysUsed(ctx, g.db.Access, params); err != nil && ctx.Err() == nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "recording that keys were used failed", slog.Any("error", db.Classify(err)))
	}
}
