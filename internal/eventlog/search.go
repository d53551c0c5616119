package eventlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// SearchTime is how long a statement may take that looks at all logs of a tenant.
	SearchTime = 5 * time.Second
	// MaxSearchedLabels bounds the labels of a Search.
	MaxSearchedLabels = 4
	// logsAtOnce are read in one statement: each may have labels of 16 KiB.
	logsAtOnce = 25
)

// Search selects logs by what no index has. The zero value selects all.
type Search struct {
	Text   string            // in the name or in the value of a label, whatever the case of its letters
	Labels map[string]string // which the log has, with these values
}

// params are the search's parameters of SQL.
func (s *Search) params() (text string, names, values []string) {
	for name, value := range s.Labels {
		names, values = append(names, name), append(values, value)
	}
	return "%" + escapeLike(s.Text) + "%", names, values
}

// Search is List for logs that the search selects. The error may be db.ErrTooLong.
func (l *Logs) Search(ctx context.Context, tenant uuid.UUID, listing Listing, search Search, room *memory.Hold) (logs []Log, err error) {
	text, names, values := search.params()
	err = l.db.InBoundedTx(ctx, SearchTime, func(tx pgx.Tx) error {
		rows, err := l.db.SearchLogs(ctx, db.Booked(tx, room), dbsqlc.SearchLogsParams{
			TenantID: tenant, After: listing.After, NamePattern: escapeLike(listing.Prefix) + "%", Visible: listing.Logs.Like(),
			TextPattern: text, LabelNames: names, LabelValues: values, MaxRows: listing.Limit,
		})
		if err != nil {
			return err
		}
		logs = make([]Log, len(rows))
		for i, row := range rows {
			if logs[i], err = logFromRow(dbsqlc.ListLogsRow(row)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("searching logs: %w", err)
	}
	return logs, nil
}

// Place is where a log is in the order of last events. The zero Place is before all.
type Place struct {
	RecordedAt int64 // the last event, or the log's creation; microseconds since 1970 UTC
	Log        uuid.UUID
}

// IsValid reports whether a log can be there, by the times that PostgreSQL can hold.
func (p Place) IsValid() bool {
	const most = 9_000_000_000_000_000 // the year 2255
	return !p.Log.IsZero() && p.RecordedAt > 0 && p.RecordedAt < most
}

// Active finds the logs that a listing and a search select, but for its After, in the order of their last events, the latest first, from
// after a place on. A log that gets an event meanwhile moves to the front. The error may be db.ErrTooLong.
func (l *Logs) Active(
	ctx context.Context, tenant uuid.UUID, listing Listing, search Search, after Place, room *memory.Hold,
) (places []Place, err error) {
	text, names, values := search.params()
	err = l.db.InBoundedTx(ctx, SearchTime, func(tx pgx.Tx) error {
		rows, err := l.db.ActiveLogs(ctx, db.Booked(tx, room), dbsqlc.ActiveLogsParams{
			TenantID: tenant, NamePattern: escapeLike(listing.Prefix) + "%", Visible: listing.Logs.Like(),
			TextPattern: text, LabelNames: names, LabelValues: values,
			First: after == Place{}, BeforeAt: time.UnixMicro(after.RecordedAt), BeforeLog: after.Log, MaxRows: listing.Limit,
		})
		places = make([]Place, len(rows))
		for i, row := range rows {
			places[i] = Place{RecordedAt: row.RecordedAt.UnixMicro(), Log: row.LogID}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("searching logs: %w", err)
	}
	return places, nil
}

// At describes the first logs at these places, in their order; those that are gone are left out. n is at how many places they were: at
// least one if there is any. Their memory is booked in room, which may be nil. The error is memory.ErrFull or the database's.
func (l *Logs) At(ctx context.Context, tenant uuid.UUID, places []Place, room *memory.Hold) (logs []Log, n int, err error) {
	places = places[:min(len(places), logsAtOnce)]
	ids := make([]uuid.UUID, len(places))
	for i := range places {
		ids[i] = places[i].Log
	}
	rows, err := l.db.LogsByIDs(ctx, db.Booked(l.db.Read, room), dbsqlc.LogsByIDsParams{LogIds: ids, TenantID: tenant})
	if err != nil {
		return nil, 0, fmt.Errorf("reading logs: %w", db.Classify(err))
	}
	byID := make(map[uuid.UUID]dbsqlc.LogsByIDsRow, len(rows))
	for _, row := range rows {
		byID[row.LogID] = row
	}
	for _, id := range ids {
		row, ok := byID[id]
		if !ok {
			continue
		}
		log, err := logFromRow(dbsqlc.ListLogsRow(row))
		if err != nil {
			return nil, 0, err
		}
		logs = append(logs, log)
	}
	return logs, len(places), nil
}
