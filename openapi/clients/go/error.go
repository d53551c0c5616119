package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Codes of errors that the client makes itself. Those of the server are documented with its API; a later server may have others.
const (
	// CodeConnection: no answer came, or it broke off. Whether the server did what it was asked to is not known.
	CodeConnection = "connection"
	// CodeUnexpectedAnswer: what answered is not Tallystick, or not as it is known here.
	CodeUnexpectedAnswer = "unexpected_answer"
)

// CodeRefusedByGuard is the server's where the guard of a view refuses an event: the status is 402, 403, 409 or 429. That is a decision on
// this event as things are. It is not sent again, also where RetryAfter says when there is room.
const CodeRefusedByGuard = "refused_by_guard"

// Error is why a call failed: the server's problem (RFC 9457), or what came in place of one. Members that do not apply are zero.
type Error struct {
	Status int    `json:"status"` // of HTTP; 0 where no answer came
	Code   string `json:"code"`   // for programs; "" where something else than Tallystick answered with an error
	Detail string `json:"detail"` // for people: what went wrong, and what to do

	Head     int64          `json:"head"`     // the log's last sequence
	Sequence int64          `json:"sequence"` // the event in question
	Line     int            `json:"line"`     // of a batch, from 1
	Events   int64          `json:"events"`   // how many would do at once
	Applied  int64          `json:"applied"`  // events that a view has folded
	Limit    string         `json:"limit"`    // the name of the limit that is reached
	LogID    string         `json:"log_id"`   // the log that has the name
	Fields   []InvalidField `json:"fields"`   // which parameters or members are wrong

	View   string          `json:"view"`   // the view whose guard refuses the event, or cannot be asked
	Answer json.RawMessage `json:"answer"` // what the guard says of its refusal: a JSON object of the view's own; nil for nothing

	// RetryAfter is how long the server, or a guard, asks to wait before the next try; 0 where it does not say.
	RetryAfter time.Duration `json:"-"`
	// RequestID names the request in the server's log; "" where no answer came.
	RequestID string `json:"request_id"`

	retry bool  // the answer has a Retry-After, or there was none
	cause error // nil for a problem of the server's
}

// InvalidField is a parameter or member of a request that is wrong.
type InvalidField struct {
	Location string `json:"location"` // such as body.labels
	Message  string `json:"message"`
}

// Error returns the detail and the code on one line. The text may quote what others wrote; it holds nothing that a terminal would obey.
func (e *Error) Error() string {
	detail := oneLine(e.Detail)
	for _, f := range e.Fields {
		detail += fmt.Sprintf("; %s: %s", oneLine(f.Location), oneLine(f.Message))
	}
	switch {
	case e.cause != nil, e.Code == CodeConnection:
		return detail
	case e.Code == "":
		return fmt.Sprintf("the server answered %d %s: %s", e.Status, http.StatusText(e.Status), detail)
	}
	return fmt.Sprintf("%s (%s)", detail, oneLine(e.Code))
}

// Unwrap returns what went wrong below HTTP; nil for an answer of the server.
func (e *Error) Unwrap() error { return e.cause }

// IsCode reports whether err is an Error with this code.
func IsCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// IsTransient reports whether the same call may succeed later: the connection failed, or the server is busy or restarting. Whether the call
// is safe to repeat is another question. The refusal of a guard is not transient, whatever its status.
func IsTransient(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case CodeConnection:
		return true
	case CodeRefusedByGuard:
		return false
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refused reads a problem, and says what to do about one that comes of not having sent a key.
func (c *Client) refused(response *http.Response) *Error {
	e := &Error{}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxProblemBytes))
	if err != nil || json.Unmarshal(text, e) != nil || e.Code == "" {
		*e = Error{Detail: strings.ToValidUTF8(string(bytes.TrimSpace(text)), "?")} // not our server's
	}
	e.Status = response.StatusCode
	if id := response.Header.Get("Tally-Request-Id"); id != "" {
		e.RequestID = id
	}
	e.RetryAfter, e.retry = parseRetryAfter(response.Header.Get("Retry-After"))
	if e.Code == CodeRefusedByGuard {
		e.retry = false
	} else {
		e.RetryAfter = min(e.RetryAfter, maxRetryAfter)
	}
	if e.Code == "unauthorized" && c.header.Get("Authorization") == "" {
		e.Detail = "the server asks for a key, and none was given: set TALLY_KEY to yours; tally key create makes one"
	}
	return e
}

// parseRetryAfter reads the header's value: seconds, or a time as proxies send it.
func parseRetryAfter(value string) (delay time.Duration, ok bool) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// disconnected is the error of a request without an answer. Where the caller no longer waits, it is the cause of that.
func (c *Client) disconnected(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		if !errors.Is(cause, errSilent) && !errors.Is(cause, errDeadline) {
			return cause
		}
		if !errors.Is(err, cause) {
			err = cause
		}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its text repeats the whole URL
		err = wrapped.Err
	}
	e := &Error{Code: CodeConnection, Detail: fmt.Sprintf("asking %s: %v", c.base, err), cause: err, retry: true}
	if errors.Is(err, syscall.ECONNREFUSED) {
		e.Detail = fmt.Sprintf("no server answers at %s: start one, such as by tally dev, or name another by TALLY_URL", c.base)
	} else if advice := adviceOnTLS(err); advice != "" {
		e.Detail += "; " + advice
		e.retry = false // the server is the wrong one, or not trusted, and will be
	}
	return e
}

// stranger is the error of an answer that is not Tallystick's, though it says that all is well.
func (c *Client) stranger(header http.Header, err error) error {
	return &Error{
		Code: CodeUnexpectedAnswer, Status: http.StatusOK, RequestID: header.Get("Tally-Request-Id"), cause: err,
		Detail: fmt.Sprintf("the answer of %s is not Tallystick's: %v; is the address right?", c.base, err),
	}
}
