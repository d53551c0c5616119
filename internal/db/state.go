package db

import (
	"context"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// StateRow is a key and a value of a version's state. Its byte slices belong to the connection and are valid until the next row.
type StateRow struct {
	Log, Version uuid.UUID
	Key, Value   []byte
}

// Versions are versions of views, each with its log. Both slices have the same length.
type Versions struct{ Logs, IDs []uuid.UUID }

// firstState reads the first $3 keys of each version's state. The rows are read in place, so that a caller without room for one need not
// hold it; sqlc cannot do that.
const firstState = `SELECT s.log_id, s.version_id, s.key, s.value
FROM (SELECT unnest($1::uuid[]) AS log_id, unnest($2::uuid[]) AS version_id) AS u
CROSS JOIN LATERAL (
    SELECT t.log_id, t.version_id, t.key, t.value
    FROM view_state_rows t
    WHERE t.log_id = u.log_id AND t.version_id = u.version_id
    ORDER BY t.key
    LIMIT $3
) s`

// ReadFirstState calls each for the first keys of each version's state, at most maxKeys per version. each cannot end it early.
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
