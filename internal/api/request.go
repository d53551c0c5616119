package api

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/tracing"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// requestIDHeader names a request: in its response, in a problem that the server is to blame for, and in the server's log.
	requestIDHeader = "Tally-Request-Id"
	// maxLoggedPath bounds what a line of the log holds of a path: a log's and a view's name of 200 bytes each, and what is between.
	maxLoggedPath = 512
)

// request is what is known of a request under way. It belongs to the goroutine that serves it.
type request struct {
	id     string
	caller *access.Caller // who sends it; until it is known, nobody, who may do nothing
	log    uuid.UUID      // not Valid while no log is known
	cause  error          // why the server could not do it; nil when it could, or the client is to blame
	body   *bookedBody
	// account is what the caller is held to, once it is known.
	account limits.Account
	answer  *memory.Hold // memory of the response

	operation         *huma.Operation // that it was admitted to; nil before
	credential        string          // the key or token that came with it; "" for none
	actsIn            string          // the tenant that an operator named; "" for none
	fromBrowser       bool
	fromAllowedOrigin bool // a browser sent it for a page of an allowed origin

	header                       http.Header // of the request
	contentType, contentEncoding string      // as sent: the header is there for huma no more

	isOTLP   bool          // its protocol is that of OpenTelemetry, also for problems
	encoding otlp.Encoding // of OTLP

	began   time.Time
	span    tracing.Span
	traceID string // of the client's trace, or of span; "" if there is neither
	refused string // the code of the problem that it ends with
}

var nobody = &access.Caller{}

type requestKey = tracing.RequestKey

// newRequest assigns an id: 64 random bits, which need not be secret.
func newRequest() *request {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], rand.Uint64()) //nolint:gosec // see above
	return &request{id: hex.EncodeToString(id[:]), caller: nobody}
}

// requestOf returns what is known of the request whose context this is; outside of one, something that nobody reads.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{caller: nobody}
}

// fail records why the server cannot serve the request; the first reason counts. It is logged when the response is done.
func (r *request) fail(err error) {
	if r.cause == nil {
		r.cause = err
	}
}

// finish logs a request that failed, once, and turns a panic into a problem. If the response has begun, the connection is cut instead, so
// that no part passes for the whole.
func (s *server) finish(w *responseWriter, r *http.Request, request *request) {
	p := recover()
	aborted := p == http.ErrAbortHandler //nolint:errorlint // a panic's value, compared as net/http does
	begun := w.status != 0
	if p != nil && !begun && !aborted {
		failed := newProblem("internal", internalDetail)
		if request.isDelivery() {
			failed = forGateway(failed)
		}
		writeProblem(w, failed)
	}
	if p != nil && !aborted {
		s.logFailure(w, r, request, "a request panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	} else if request.cause != nil {
		s.logFailure(w, r, request, "a request failed", slog.Any("error", request.cause))
	}
	s.observe(w, r, request, p != nil && begun)
	if p != nil && (begun || aborted) {
		panic(http.ErrAbortHandler)
	}
}

func (s *server) logFailure(w *responseWriter, r *http.Request, request *request, what string, more ...slog.Attr) {
	path := r.URL.EscapedPath()
	if len(path) > maxLoggedPath {
		path = path[:maxLoggedPath] + "…"
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", path), slog.Int("status", w.status),
	}
	if !request.log.IsZero() {
		attrs = append(attrs, slog.String("log", request.log.String()))
	}
	s.Log.LogAttrs(r.Context(), slog.LevelError, what, append(attrs, more...)...)
}

// responseWriter remembers its status; 0 stands for one that has not begun. A client must read each piece of it in time, unless the handler
// sets deadlines of its own.
type responseWriter struct {
	http.ResponseWriter
	status   int
	written  int64           // bytes of the body
	request  *request        // may be nil
	timeout  time.Duration   // of writePiece bytes
	ownPaced atomic.Bool     // set also while a stream writes, when the server stops
	shared   *streamDeadline // nil where the request has its connection to itself
}

func (a *responseWriter) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *responseWriter) Write(p []byte) (written int, err error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	defer func() { a.written += int64(written) }()
	if a.ownPaced.Load() {
		return a.write(p)
	}
	for first := true; first || written < len(p); first = false {
		// A connection that cannot have a deadline is not one that a client could be slow on.
		_ = a.setWriteDeadline(time.Now().Add(a.timeout))
		n, err := a.write(p[written:min(len(p), written+writePiece)])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

func (a *responseWriter) write(p []byte) (n int, err error) {
	if a.shared == nil {
		return a.ResponseWriter.Write(p)
	}
	err = a.shared.during(func() error {
		n, err = a.ResponseWriter.Write(p)
		return err
	})
	return n, err
}

// FlushError is for http.ResponseController.
func (a *responseWriter) FlushError() error {
	flush := http.NewResponseController(a.ResponseWriter).Flush
	if a.shared == nil {
		return flush()
	}
	return a.shared.during(flush)
}

// SetWriteDeadline is for http.ResponseController.
func (a *responseWriter) SetWriteDeadline(deadline time.Time) error {
	a.ownPaced.Store(true)
	return a.setWriteDeadline(deadline)
}

func (a *responseWriter) setWriteDeadline(deadline time.Time) error {
	if a.shared != nil {
		return a.shared.set(deadline)
	}
	return http.NewResponseController(a.ResponseWriter).SetWriteDeadline(deadline)
}

// close bounds the sending of what is still buffered. On HTTP/1 the deadline of the last write does.
func (a *responseWriter) close() {
	if a.shared != nil {
		a.shared.last(a.timeout)
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (a *responseWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }
