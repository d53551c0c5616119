package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// poolerRounds is how many connections are opened to find out whether a pooler shares its own between clients. The first one tells, where
// the pooler prefers the connection that was used last, as PgBouncer does unless it is told otherwise.
const poolerRounds = 3

// protocolViolation is how PgBouncer refuses BEGIN where it pools statements.
const protocolViolation = "08P01"

// checkPooler returns an *UntrustedError when a pooler between here and PostgreSQL gives each transaction, or each statement, whatever
// connection is free. What is set for a connection would then hold for some of its transactions, and for other clients' too: that COMMIT
// waits for the disk, the role, the lock that lets one server migrate at a time.
func checkPooler(ctx context.Context, config *pgx.ConnConfig, conn *pgx.Conn) error {
	first, err := backend(ctx, conn)
	if err != nil || first == conn.PgConn().PID() { // nobody is in between
		return err
	}
	for range poolerRounds {
		other, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return nil //nolint:nilerr // a pooler without room for a few connections shows itself soon enough
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

// backend is the process that PostgreSQL has for a connection now.
func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return 0, fmt.Errorf("asking for the connection's process: %w", err)
	}
	return pid, nil
}
