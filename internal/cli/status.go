package cli

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// The statuses that commands end with. Scripts rely on them: exitCodesHelp and docs/cli.md explain each.
const (
	statusFailed      = 1 // none of the others
	statusUsage       = 2 // the command line is wrong: nothing was done
	statusIncomplete  = 3 // it ran to its end, and not all is well
	statusRefused     = 4 // the server refused it, and would again
	statusNotFound    = 5 // there is no such thing
	statusUnavailable = 6 // no server or database answers, or it has no time: later it may
)

const exitCodesHelp = `What a command ends with, for scripts:

  0  it is done
  1  it failed for a reason that is none of the others
  2  the command line is wrong, and nothing was done
  3  it ran to its end, and not all is well: lines were left out, or a check found something wrong
  4  the server refused it, and would refuse the same again: no right to it, a name that is taken, an event that is none
  5  the server knows no such log, view, source, key, tenant or event
  6  no server or database answers, or it asks to come back later: the same may succeed then

The reason is on standard error, after "tally: ", with the code that docs/api.md explains where the server gave one.
tally health ends with 0 or 1 alone, as containers' health checks have it.`

// errReported ends a command that has already printed what is wrong.
var errReported = errors.New("already reported")

// errIncomplete ends a command that has done its work, and has printed what is not well.
var errIncomplete = fmt.Errorf("not all of it: %w", errReported)

// usageError says what is wrong with a command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usagef returns a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// statusError ends with a status of its own.
type statusError struct {
	error

	status int
}

func (e statusError) Unwrap() error { return e.error }

// refusedHere returns an error for what the server would refuse, and was not sent.
func refusedHere(format string, args ...any) error {
	return statusError{fmt.Errorf(format, args...), statusRefused}
}

// notFound returns an error for what is not there.
func notFound(format string, args ...any) error {
	return statusError{fmt.Errorf(format, args...), statusNotFound}
}

// statusOf returns the status to end with.
func statusOf(err error) int {
	if err == nil {
		return 0
	}
	if own, ok := errors.AsType[statusError](err); ok {
		return own.status
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return statusUsage
	}
	if errors.Is(err, errIncomplete) {
		return statusIncomplete
	}
	if refused, ok := errors.AsType[*tally.Error](err); ok {
		return statusOfProblem(refused)
	}
	if _, ok := errors.AsType[net.Error](err); ok { // a database's
		return statusUnavailable
	}
	return statusFailed
}

func statusOfProblem(p *tally.Error) int {
	switch {
	case tally.IsTransient(p):
		return statusUnavailable
	case p.Status == http.StatusNotFound || p.Status == http.StatusGone:
		return statusNotFound
	case p.Status >= http.StatusBadRequest && p.Status < http.StatusInternalServerError:
		return statusRefused
	}
	return statusFailed
}
