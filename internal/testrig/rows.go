package testrig

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// StateToRows moves the views' state from head rows into rows of its own, as more keys would, for tests that change those rows.
func StateToRows(t testing.TB, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `
		WITH stored AS (
			INSERT INTO view_state_rows (log_id, version_id, key, value)
			SELECT h.log_id, r.version_id, r.key, r.value FROM log_heads h CROSS JOIN LATERAL recent_state(h.recent) r
			ON CONFLICT (log_id, version_id, key) DO UPDATE SET value = excluded.value
		)
		UPDATE log_heads SET recent = '' WHERE recent <> ''`)
	if err != nil {
		t.Fatal(err)
	}
}
