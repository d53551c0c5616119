package view

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// unknownLogs are logs of which memory lacked what a query needs, with their heads at that time.
type unknownLogs struct {
	mu    sync.Mutex
	heads map[uuid.UUID]headOf
}

// headOf identifies a log's head within one history.
type headOf struct{ sequence, epoch int64 }

// maxUnknownLogs bounds their memory to about a megabyte; past it they are forgotten.
const maxUnknownLogs = 10_000

// secondAsk records a query, and reports whether it is the second one at that head.
func (u *unknownLogs) secondAsk(log uuid.UUID, head headOf) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if before, asked := u.heads[log]; asked && before == head {
		delete(u.heads, log)
		return true
	}
	if u.heads == nil || len(u.heads) >= maxUnknownLogs {
		u.heads = map[uuid.UUID]headOf{}
	}
	u.heads[log] = head
	return false
}

// warm loads a log of which memory knows nothing, or something older than row, and reports whether it did. It does so only for a log
// that is queried again at the same head: one that is queried once, or that another server appends to, would be loaded for nothing.
// Errors are left to the query itself, which needs less.
func (v *Views) warm(ctx context.Context, log uuid.UUID, row *dbsqlc.GetViewRow) bool {
	if !v.unknown.secondAsk(log, headOf{row.Head, row.ViewsEpoch}) {
		return false
	}
	var loaded map[uuid.UUID]*Snapshot
	room := v.LoadRoom()
	defer room.Release()
	err := v.db.InTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		head, err := v.db.GetWholeHead(ctx, tx, log)
		if err != nil {
			return err
		}
		loaded, err = v.Load(ctx, tx, []dbsqlc.LogHead{head}, room)
		return err
	})
	if err != nil {
		return false
	}
	v.cache.warm(loaded[log])
	return true
}
