package view

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

func isNotFound(err error) bool { return errors.Is(err, db.ErrNotFound) }

// Load reads the live views of logs and their state, as tx sees them, and joins them with the heads into snapshots. tx must hold the heads'
// locks, or be one snapshot of the database in which the heads were read. The memory is booked in room, one of LoadRoom: state that
// does not fit is not loaded, and read key by key later. The error may be memory.ErrFull.
func (v *Views) Load(ctx context.Context, tx dbsqlc.DBTX, heads []dbsqlc.LogHead, room *memory.Hold) (map[uuid.UUID]*Snapshot, error) {
	snapshots := make(map[uuid.UUID]*Snapshot, len(heads))
	ids := make([]uuid.UUID, len(heads))
	for i := range heads {
		recent, err := parseRecent(heads[i].Recent)
		if err != nil {
			return nil, fmt.Errorf("log %s: %w", heads[i].LogID, err)
		}
		ids[i] = heads[i].LogID
		snapshots[ids[i]] = &Snapshot{Log: ids[i], Head: HeadOf(&heads[i]), recent: recent}
	}
	rows, err := v.db.LiveViews(ctx, db.Booked(tx, room), ids)
	if err != nil {
		return nil, fmt.Errorf("reading live views: %w", db.Classify(err))
	}
	for _, row := range rows {
		s := snapshots[row.LogID]
		if Status(row.Status) != Live {
			s.unguarded = append(s.unguarded, row.Name)
			continue
		}
		version, err := v.version(ctx, tx, versionRow{
			ID: row.VersionID, Name: row.Name, ModuleSHA256: row.ModuleSha256, Config: row.Config, Fields: row.Fields, FoldGas: row.FoldGas,
			CostModel: row.CostModel, Guard: row.Guard, OnHalt: OnHalt(row.OnHalt),
		})
		if err != nil {
			return nil, fmt.Errorf("preparing view %s of log %s: %w", row.Name, row.LogID, err)
		}
		s.views = append(s.views, liveView{version: version})
	}
	loading := stateLoading{views: v, tx: tx, room: room}
	if err := loading.run(ctx, snapshots); err != nil {
		return nil, err
	}
	for _, s := range snapshots {
		s.uniteFields(&v.fields)
	}
	return snapshots, nil
}

// HeadOf returns the head that a row holds.
func HeadOf(row *dbsqlc.LogHead) event.Head {
	return event.Head{
		Sequence: row.Sequence, Hash: event.Hash(row.Hash), RecordedAt: row.RecordedAt.UnixMicro(), ViewsEpoch: row.ViewsEpoch,
	}
}

// prefixEnd returns the least text that is greater than every text with the prefix; "" when there is none. It adds
// one to the last byte that can take it: keys compare by their bytes, but must stay valid UTF-8, so a character is
// raised rather than a byte.
func prefixEnd(prefix string) string {
	const lastRune, firstSurrogate, afterSurrogates = 0x10FFFF, 0xD800, 0xE000
	runes := []rune(prefix)
	for i := len(runes) - 1; i >= 0; i-- {
		if runes[i] == lastRune {
			continue
		}
		if runes[i]++; runes[i] == firstSurrogate {
			runes[i] = afterSurrogates
		}
		return string(runes[:i+1])
	}
	return ""
}
