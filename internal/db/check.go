package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

// MinVersionNum is the oldest version of PostgreSQL that Tallystick runs on, as in server_version_num.
const MinVersionNum = 150000

// UntrustedError: the database is not fit to hold billing data.
type UntrustedError struct{ Reason string }

func (e *UntrustedError) Error() string { return e.Reason }

// Check returns an *UntrustedError if the server is too old, is a standby, or could lose acknowledged events in a crash, if the database's
// encoding is not UTF8, or if a pooler in front of the server shares sessions. allowUnsafe accepts a server with fsync or full_page_writes
// off. Check uses the login's own rights, since there is no other role before Migrate.
func Check(ctx context.Context, url string, allowUnsafe bool) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("reading the database URL: %w", err)
	}
	config.ConnectTimeout = connectTimeout
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // a pooler may not support prepared statements
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost
	if err := checkPooler(ctx, config, conn); err != nil {
		return err
	}
	s, err := dbsqlc.New().ServerSettings(ctx, conn)
	if err != nil {
		return fmt.Errorf("reading the server's settings: %w", err)
	}
	switch {
	case s.VersionNum < MinVersionNum:
		return &UntrustedError{fmt.Sprintf("PostgreSQL %s is too old: Tallystick needs 15 or newer", s.Version)}
	case s.InRecovery:
		return &UntrustedError{"this PostgreSQL server is a standby and takes no writes: connect to the primary"}
	case s.ServerEncoding != "UTF8":
		return &UntrustedError{fmt.Sprintf("the database's encoding is %s: create it with ENCODING 'UTF8'", s.ServerEncoding)}
	case !allowUnsafe:
		return Durability{Fsync: s.Fsync, FullPageWrites: s.FullPageWrites}.refusal()
	}
	return nil
}

// CheckRole checks that the login may act as ServerRole. If not, the error says how to grant it.
func (d *DB) CheckRole(ctx context.Context) error {
	err := d.Read.Ping(ctx)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == insufficientPrivilege || refused.Code == invalidParameterValue) {
		login := d.Read.Config().ConnConfig.User
		return fmt.Errorf("the login %s may not act as %s, which servers run as: "+
			"have the owner of the database or an administrator run: GRANT %s TO %s;: %w",
			login, ServerRole, ServerRole, pgx.Identifier{login}.Sanitize(), err)
	}
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	return nil
}
