package db

import (
	"context"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// StateRow is a key of a version's state with its value. Its byte slices are the connection's: they last until the next row.
type StateRow struct {
	Log, Version uuid.UUID
	Key, Value   []byte
}

// Versions are versions of views, each on a log: the two slices are as long as each other.
type Versions struct{ Logs, IDs []uuid.UUID }

// firstState reads the first keys of each version's state, at most so many of each. The rows are read in place, so that whoever has no room
// for one need not hold it; sqlc cannot say that.
const firstState = `SELECT s.log_id, s.version_id, s.key, s.value
FROM (SELECT unnest($1::uuid[]) AS log_id, unnest($2::uuid[]) AS version_id) AS u
CROSS JOIN LATERAL (
    SELECT t.log_id, t.version_id, t.key, t.value
    FROM view_state_rows t
    WHERE t.log_id = u.log_id AND t.version_id = u.version_id
    ORDER BY t.key
    LIMIT $3
) s`

// ReadFirstState passes the first keys of each version's state to each, at most maxKeys of each version. It comes to all of them.
func (d *DB) ReadFirstState(ctx context.Context, from dbsqlc.DBTX, of Versions, maxKeys int, each func(*StateRow)) error {
	rows, err := from.Query(ctx, firstState, of.Logs, of.IDs, maxKeys)
	if err != nil {
		return Classify(err)
	}
	defer rows.Close()
	var row StateRow
	for rows.Next() {
		if err := rows.Scan(&row.Log, &row.Version, nil, nil); err != nil {
			return err
		}
		values := rows.RawValues()
		row.Key, row.Value = values[2], values[3]
		each(&row)
	}
	return Classify(rows.Err())
}
