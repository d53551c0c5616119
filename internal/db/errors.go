package db

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What went wrong in the database, in the caller's terms. The original error stays in the chain for the log.
var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrAlreadyExists: a unique constraint refused the row.
	ErrAlreadyExists = errors.New("already exists")
	// ErrUnavailable: the server is away, restarting, full or over its limits. Trying again later may work; what was
	// being committed may or may not have been.
	ErrUnavailable = errors.New("the database is unavailable")
	// ErrConflict: the server gave the transaction up for another's sake (deadlock, serialization). Trying again works.
	ErrConflict = errors.New("the transaction conflicted with another")
	// ErrStale: what this server believed of the database is out of date (see expect_rows). Nothing was committed.
	ErrStale = errors.New("what is known of the database is out of date")
	// ErrOutcomeUnknown: the connection was lost while committing.
	ErrOutcomeUnknown = errors.New("the connection was lost while committing")
	// ErrRejectedData: the server refused a value. Trying again does not help.
	ErrRejectedData = errors.New("the database refused a value")
)

type classified struct{ kind, cause error }

func (e *classified) Error() string   { return e.kind.Error() + ": " + e.cause.Error() }
func (e *classified) Unwrap() []error { return []error{e.kind, e.cause} }

// Classify joins err with the error above that it amounts to, by SQLSTATE class; an error that is none of them, and
// nil, come back as they are.
// The codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
func Classify(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	return &classified{kind, err}
}

func kindOf(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	var connectErr *pgconn.ConnectError
	if errors.As(err, &connectErr) { // whatever the server had against it, such as that the database is gone
		return ErrUnavailable
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return kindOfSQLState(pgErr.Code)
	}
	var netErr net.Error
	if errors.As(err, &netErr) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed") {
		return ErrUnavailable
	}
	return nil
}

func kindOfSQLState(code string) error {
	switch {
	case code == "23505":
		return ErrAlreadyExists
	case code == "TL001":
		return ErrStale
	case strings.HasPrefix(code, "40"), code == "55P03":
		return ErrConflict
	case strings.HasPrefix(code, "22"), code == "54001": // data exception; statement too complex (nesting)
		return ErrRejectedData
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"), strings.HasPrefix(code, "58"),
		code == "25006": // connection; resources; operator intervention; system; read-only after a failover
		return ErrUnavailable
	}
	return nil
}
