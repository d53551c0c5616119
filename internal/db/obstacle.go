package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Obstacle describes, for an operator, what keeps the database from storing anything at all. It returns "" for errors of another kind. The
// text reveals no internals.
func Obstacle(err error) string {
	var untrusted *UntrustedError
	if errors.As(err, &untrusted) {
		return untrusted.Reason
	}
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return ""
	}
	switch {
	case isMissingLibrary(answer):
		return "PostgreSQL cannot load a library of its own: its package was changed under the running server, or is incomplete; " +
			"restart PostgreSQL"
	case answer.Code == readOnly:
		return "the database takes no writes: it is read-only, by default_transaction_read_only or as a standby after a failover"
	case answer.Code == diskFull:
		return "the database's disk is full"
	case answer.Code == ioError:
		return "the database's disk fails: PostgreSQL's log says more"
	case answer.Code == outOfMemory:
		return "PostgreSQL is out of memory"
	}
	return ""
}

// ProbeWrite returns nil if the database can store something now. It leaves nothing behind: a temporary file of one megabyte shows whether
// the disk has room, and COMMIT writes a record that changes nothing.
func (d *DB) ProbeWrite(ctx context.Context) error {
	err := d.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		var p Pipeline
		if err := errors.Join(d.LimitWorkMem(ctx, &p), d.ProbeDisk(ctx, &p), d.ProbeWriting(ctx, &p), d.WriteNothing(ctx, &p)); err != nil {
			return err
		}
		return p.SendIn(ctx, tx)
	})
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == limitExceeded {
		return nil // temp_file_limit, which says nothing about the disk
	}
	if err != nil {
		return fmt.Errorf("probing whether the database can be written to: %w", err)
	}
	return nil
}
