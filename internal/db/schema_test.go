package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
)

// TestSchemaOfOtherServers: when a newer server migrates the database, a running server goes on if the schema still supports it. Otherwise
// it opens no more connections, closes those that it has, and says why. The same goes for a schema that is too old.
func TestSchemaOfOtherServers(t *testing.T) {
	d := testdb.New(t)
	needs := func(migration int) {
		d.Exec(t, fmt.Sprintf("CREATE OR REPLACE FUNCTION oldest_server() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE "+
			"AS 'SELECT %d::bigint'", migration))
	}
	d.Exec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	if err := db.Migrate(t.Context(), d.DSN()); err != nil { // as a server does when it starts
		t.Errorf("a schema that is newer, and for this server too: %v", err)
	}
	running := opened(t, d.DSN())
	works := func() error {
		_, checked := running.CheckDurability(t.Context()) // as a server does every ten seconds
		var one int
		return errors.Join(checked, running.Append.QueryRow(t.Context(), "SELECT 1").Scan(&one),
			running.InTx(t.Context(), pgx.TxOptions{}, func(pgx.Tx) error { return nil }))
	}
	refused := func(says string) {
		t.Helper()
		err := works()
		starting := opened(t, d.DSN()).CheckRole(t.Context())
		for _, err := range []error{err, running.CheckRole(t.Context()), starting} {
			var untrusted *db.UntrustedError
			if !errors.As(err, &untrusted) || !strings.Contains(err.Error(), says) || !errors.Is(db.Classify(err), db.ErrMisconfigured) {
				t.Errorf("%v does not say %q", err, says)
			}
		}
	}
	if err := works(); err != nil {
		t.Errorf("running on it: %v", err)
	}
	needs(99999)
	refused("newer than this tally")
	needs(11)
	if err := works(); err != nil {
		t.Errorf("once the schema is for it again: %v", err)
	}
	d.Exec(t, "DROP FUNCTION oldest_server()")
	refused("older than this tally needs")
}
