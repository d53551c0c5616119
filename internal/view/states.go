package view

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// StatesTime is how long a statement may take that looks at the views of all logs of a tenant.
const StatesTime = 5 * time.Second

// ErrNoPlace: the tenant has no version where a list is to go on.
var ErrNoPlace = errors.New("no such place in the list of versions")

// State is how a version of a view stands on a log.
type State struct {
	LogID          uuid.UUID
	Log            string
	View           string
	VersionID      uuid.UUID
	Version        int32
	ModuleSHA256   string
	Status         Status
	Applied        int64 // the sequence it has folded up to; the head's for a live one
	Head           int64
	HaltedSequence int64 // the event it could not fold; 0 unless it halted
	Error          string
	ChangedAt      time.Time // when it got its status; for one that is building, when it was asked for
	Progress       *Progress // nil unless it is building
}

// Selection selects versions of views of all logs of a tenant.
type Selection struct {
	Statuses []Status // at least one
	View     string   // of that name; "" for all
	Logs     eventlog.Pattern
	// After is the place, in the order of log, view and version, after which the list goes on: zero for the first.
	After Place
	Limit int32
}

// Place is where a version is in a list.
type Place struct{ LogID, VersionID uuid.UUID }

// IsQuick reports whether what is selected is found by what is few, however many logs there are.
func (s *Selection) IsQuick() bool {
	return !slices.ContainsFunc(s.Statuses, func(status Status) bool { return status != Building && status != Halted })
}

// States lists versions of views, by log, view and version. Their memory is booked in room, which may be nil. The error is ErrNoPlace,
// db.ErrTooLong, memory.ErrFull or the database's.
func (v *Views) States(ctx context.Context, tenant uuid.UUID, s Selection, room *memory.Hold) (states []State, err error) {
	err = v.db.InBoundedTx(ctx, StatesTime, func(tx pgx.Tx) error {
		var after dbsqlc.ViewStatePlaceRow
		if s.After != (Place{}) {
			after, err = v.db.ViewStatePlace(ctx, tx, dbsqlc.ViewStatePlaceParams{
				LogID: s.After.LogID, VersionID: s.After.VersionID, TenantID: tenant,
			})
			if isNotFound(db.Classify(err)) {
				return ErrNoPlace
			} else if err != nil {
				return err
			}
		}
		rows, err := v.stateRows(ctx, db.Booked(tx, room), tenant, &s, &after)
		if err != nil {
			return err
		}
		states = make([]State, len(rows))
		for i := range rows {
			states[i] = stateOfVersion(&rows[i])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing views of all logs: %w", err)
	}
	return states, nil
}

func (v *Views) stateRows(
	ctx context.Context, from dbsqlc.DBTX, tenant uuid.UUID, s *Selection, after *dbsqlc.ViewStatePlaceRow,
) ([]dbsqlc.ListUnfinishedVersionsRow, error) {
	if s.IsQuick() {
		return v.db.ListUnfinishedVersions(ctx, from, dbsqlc.ListUnfinishedVersionsParams{
			Halted: slices.Contains(s.Statuses, Halted), Building: slices.Contains(s.Statuses, Building),
			TenantID: tenant, Visible: s.Logs.Like(), Name: s.View,
			AfterLog: after.Log, AfterName: after.View, AfterVersion: after.Version, MaxRows: s.Limit,
		})
	}
	params := dbsqlc.ListVersionsByLogParams{
		TenantID: tenant, Visible: s.Logs.Like(), Name: s.View,
		AfterLog: after.Log, AfterName: after.View, AfterVersion: after.Version, MaxRows: s.Limit,
	}
	for _, status := range s.Statuses {
		params.Statuses = append(params.Statuses, string(status))
	}
	found, err := v.db.ListVersionsByLog(ctx, from, params)
	rows := make([]dbsqlc.ListUnfinishedVersionsRow, len(found))
	for i := range found {
		rows[i] = dbsqlc.ListUnfinishedVersionsRow(found[i])
	}
	return rows, err
}

func stateOfVersion(row *dbsqlc.ListUnfinishedVersionsRow) State {
	s := State{
		LogID: row.LogID, Log: row.Log, View: row.View, VersionID: row.VersionID, Version: row.Version,
		ModuleSHA256: hex.EncodeToString(row.ModuleSha256), Status: Status(row.Status), Applied: row.AppliedSequence, Head: row.Head,
		HaltedSequence: deref(row.HaltedSequence), Error: deref(row.Error), ChangedAt: row.AskedAt,
	}
	switch s.Status {
	case Live:
		s.Applied, s.ChangedAt = row.Head, row.LiveAt.Time
	case Building:
		s.Progress = progress(row.AppliedSequence, row.Head, deref(row.BuildRate))
	case Halted:
		s.ChangedAt = row.HaltedAt.Time
	case Retired:
		s.ChangedAt = row.RetiredAt.Time
	}
	return s
}
