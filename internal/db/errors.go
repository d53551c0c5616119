package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs.
const (
	checkViolation        = "23514"
	uniqueViolation       = "23505"
	notNullViolation      = "23502"
	readOnly              = "25006"
	outOfMemory           = "53200"
	diskFull              = "53100"
	limitExceeded         = "53400"
	ioError               = "58030"
	insufficientPrivilege = "42501"
	idleInTransaction     = "25P03" // for too long; the connection is gone
	lockNotAvailable      = "55P03" // before lock_timeout
	invalidParameterValue = "22023"
	undefinedFunction     = "42883"
)

// Errors of the database in the caller's terms. The original error stays in the chain, for the server's log.
var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrAlreadyExists: a unique constraint refused the row.
	ErrAlreadyExists = errors.New("already exists")
	// ErrUnavailable: the server is away, restarting, full or over its limits. Nothing was committed; trying again later may work.
	ErrUnavailable = errors.New("the database is unavailable")
	// ErrConflict: PostgreSQL ended the transaction because of another: there was a deadlock, a lock was not free in time, or the
	// transaction was idle for too long. The database is available, and trying again works once the other transaction is done.
	ErrConflict = errors.New("the transaction conflicted with another")
	// ErrMisconfigured: an operator must fix the server first. Nothing was committed.
	ErrMisconfigured = errors.New("the database is misconfigured")
	// ErrStale: this server's cache is out of date (see as_expected), or an idempotency key that it considered new is in event_keys.
	// Nothing was committed.
	ErrStale = errors.New("what is known of the database is out of date")
	// ErrOutcomeUnknown: COMMIT got no reply, or an error that does not show whether the transaction was committed.
	ErrOutcomeUnknown = errors.New("the outcome of the commit is unknown")
	// ErrRejectedData: PostgreSQL refused a value. Trying again does not help.
	ErrRejectedData = errors.New("the database refused a value")
)

type classified struct{ kind, cause error }

func (e *classified) Error() string   { return e.kind.Error() + ": " + e.cause.Error() }
func (e *classified) Unwrap() []error { return []error{e.kind, e.cause} }

// Classify wraps err with the error above that its SQLSTATE, or its kind, stands for. It returns other errors, and nil, unchanged. The
// codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
func Classify(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	return &classified{kind, err}
}

func kindOf(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrOutcomeUnknown) { // whatever the reason
		return ErrOutcomeUnknown
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	var untrusted *UntrustedError
	if errors.As(err, &untrusted) {
		return ErrMisconfigured
	}
	var connectErr *pgconn.ConnectError
	if errors.As(err, &connectErr) { // whatever the reason, such as a dropped database
		return ErrUnavailable
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return kindOfRefusal(pgErr)
	}
	var netErr net.Error
	if errors.As(err, &netErr) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed") {
		return ErrUnavailable
	}
	return nil
}

func kindOfRefusal(e *pgconn.PgError) error {
	switch code := e.Code; {
	case code == checkViolation && e.ConstraintName == "rows_as_expected":
		return ErrStale
	case code == notNullViolation && e.ColumnName == "log_id": // an event whose log has no head (see InsertEvent)
		return ErrStale
	case isMissingLibrary(e):
		return ErrMisconfigured
	case code == uniqueViolation && strings.HasPrefix(e.TableName, "event_keys"): // a key that was considered new
		return ErrStale
	case code == uniqueViolation:
		return ErrAlreadyExists
	case strings.HasPrefix(code, "40"), code == lockNotAvailable, code == idleInTransaction:
		return ErrConflict
	case strings.HasPrefix(code, "22"), code == "54001": // data exception; statement too complex (nesting)
		return ErrRejectedData
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"), strings.HasPrefix(code, "58"),
		code == readOnly: // connection; resources; operator intervention; system; read-only after a failover
		return ErrUnavailable
	}
	return nil
}

// isMissingLibrary reports whether PostgreSQL could not load one of its own libraries, as happens to new connections when its package is
// upgraded under the running server. The SQLSTATE is that of any missing file; the source file that raised the error, which is never
// translated, identifies it.
func isMissingLibrary(e *pgconn.PgError) bool { return e.File == "dfmgr.c" }

// committing wraps an error of COMMIT. It adds ErrOutcomeUnknown unless PostgreSQL is known to have rolled back: behind a proxy, or on a
// distributed PostgreSQL, a transaction can be committed although COMMIT returns an ERROR.
func committing(err error) error {
	var answer *pgconn.PgError
	if isError(err) && errors.As(err, &answer) && isRefusal(answer.Code) || pgconn.SafeToRetry(err) {
		return fmt.Errorf("committing: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
}

// isRefusal reports whether PostgreSQL returns this SQLSTATE for COMMIT only if it rolls back: conflicts with another transaction (class
// 40, except the code for an unknown completion), and violated deferred constraints (class 23).
func isRefusal(code string) bool {
	const completionUnknown = "40003"
	return strings.HasPrefix(code, "40") && code != completionUnknown || strings.HasPrefix(code, "23")
}

// isError reports whether PostgreSQL replied with an ERROR, after which a transaction can only be rolled back.
func isError(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
}
