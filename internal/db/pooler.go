package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// poolerRounds is how many connections are opened to find out whether a pooler shares its connections between clients. The first is enough
// if the pooler reuses its most recent connection, as PgBouncer does by default.
const poolerRounds = 3

// protocolViolation is the SQLSTATE with which PgBouncer refuses BEGIN when it pools statements.
const protocolViolation = "08P01"

// checkPooler returns an *UntrustedError if a pooler in front of PostgreSQL runs each transaction, or each statement, on any free
// connection. Session state would then apply to only some of our transactions, and to other clients' as well: that COMMIT waits for the
// disk, the role, and the lock that lets one server migrate at a time.
func checkPooler(ctx context.Context, config *pgx.ConnConfig, conn *pgx.Conn) error {
	first, err := backend(ctx, conn)
	if err != nil || first == conn.PgConn().PID() { // no pooler
		return err
	}
	for range poolerRounds {
		other, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return nil //nolint:nilerr // a pooler without room for a few connections will fail soon enough
		}
		defer closeConn(ctx, other)
		_, err = other.Exec(ctx, "BEGIN")
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == protocolViolation {
			return errSharedSessions
		} else if err != nil {
			return fmt.Errorf("asking for the pooler's mode: %w", err)
		}
		held, err := backend(ctx, other)
		if err != nil {
			return err
		}
		now, err := backend(ctx, conn)
		if err != nil {
			return err
		}
		if held == first || now != first {
			return errSharedSessions
		}
	}
	return nil
}

var errSharedSessions = &UntrustedError{
	"a pooler in front of PostgreSQL shares its connections between clients (transaction or statement pooling): " +
		"what Tallystick sets for its own would be lost, such as that COMMIT waits for the disk; connect to PostgreSQL directly, " +
		"or have the pooler use pool_mode = session for this database",
}

// backend returns the process ID of the PostgreSQL backend that serves the connection now.
func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return 0, fmt.Errorf("asking for the connection's process: %w", err)
	}
	return pid, nil
}
