package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/klauspost/compress/gzhttp"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// answerWriteTimeout is how long a client may take to read writePiece bytes: one that takes longer does not read.
	answerWriteTimeout = 30 * time.Second
	// writePiece is how many bytes are written at once. They must get through in answerWriteTimeout, for which 70 kbit/s suffice.
	writePiece = 256 << 10
	// defaultStreams is how many streams run at a time by default.
	defaultStreams = 8
	// streamsRetrySeconds: a stream of a million events takes some seconds.
	streamsRetrySeconds = 5
)

var (
	errCut      = errors.New("the answer was cut off")
	errStopping = errors.New("the server is stopping")
	errSetBack  = errors.New("the database was set back while the log was read")
)

// compressed serves a response in gzip or zstd if the client asks for that.
var compressed = func() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.ContentTypes([]string{"application/json", "application/x-ndjson", "text/csv"}))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap
}()

// respond writes a response without huma's encoders, compressed if the client asks for that, and no slower than WriteTimeout allows.
func (s *server) respond(ctx huma.Context, write func(http.ResponseWriter, *http.Request, *paced)) {
	r, w := humago.Unwrap(ctx)
	p := &paced{ResponseWriter: w, connection: http.NewResponseController(w), timeout: s.WriteTimeout}
	compressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { write(w, r, p) })).ServeHTTP(p, r)
}

// paced is a response of which a client must read each piece in time. The deadline of the last piece holds until the response is finished;
// net/http lifts it then.
type paced struct {
	http.ResponseWriter
	connection *http.ResponseController
	timeout    time.Duration
	cut        atomic.Bool
}

func (p *paced) Write(b []byte) (written int, err error) {
	for first := true; first || written < len(b); first = false {
		if err := p.connection.SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
			return written, err
		}
		if p.cut.Load() { // after the deadline was set: cutOff sets it later, or is seen here
			return written, errCut
		}
		n, err := p.ResponseWriter.Write(b[written:min(len(b), written+writePiece)])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// cutOff ends all writing, a write under way included. It may be called from any goroutine until the response is finished.
func (p *paced) cutOff() {
	p.cut.Store(true)
	_ = p.connection.SetWriteDeadline(time.Now()) // a connection without deadlines would have failed before
}

// streamEvents responds with a whole range. A response that has begun but cannot be finished is cut off, so that no part passes for the
// whole.
func (s *server) streamEvents(ctx context.Context, l *listing) (*huma.StreamResponse, error) {
	give, ok := s.streams.take(s.tenant(ctx))
	if !ok {
		p := newProblem("too_many_streams", "as many streams as the server allows at a time, or all but one of one tenant, are under way; "+
			"try again when one has ended, or read in pages")
		return nil, retry(p, streamsRetrySeconds)
	}
	closeStream, err := requestOf(ctx).account.OpenStream()
	if err != nil {
		give()
		return nil, s.problem(ctx, err)
	}
	if err := s.book(ctx, eventlog.StreamBytes+compressorBytes); err != nil {
		closeStream()
		give()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { closeStream(); give() }()
		s.respond(ctx, func(w http.ResponseWriter, r *http.Request, p *paced) {
			l.format.setHeaders(w.Header(), l.head)
			if r.Method == http.MethodHead {
				return
			}
			if err := s.writeStream(w, r, p, l); err != nil {
				p.cutOff() // what compression still holds is not waited for
				s.Log.LogAttrs(r.Context(), slog.LevelInfo, "a stream was cut off",
					slog.String("log", l.log.String()), slog.Any("error", err))
				panic(http.ErrAbortHandler)
			}
		})
	}}, nil
}

// writeStream ends early when the server stops: a client goes on at another, or later.
func (s *server) writeStream(w http.ResponseWriter, r *http.Request, p *paced, l *listing) error {
	allowed, stop := s.whileAllowed(r.Context())
	defer stop()
	ctx, cancel := context.WithCancelCause(allowed)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	watching.Go(func() {
		select {
		case <-s.Live.Done():
			cancel(errStopping)
			p.cutOff()
		case <-ctx.Done():
			if context.Cause(allowed) != nil {
				p.cutOff()
			}
		}
	})
	begun := false
	err := s.Events.Stream(ctx, l.log, l.head, l.query, func(events []event.Recorded) error {
		begin := l.format.between
		if !begun {
			begun, begin = true, l.format.begin
		}
		return l.format.write(w, events, begin, "")
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return err
	}
	if err := s.stillHolds(ctx, l); err != nil {
		return err
	}
	switch {
	case !begun:
		return l.format.writePage(w, nil, "")
	case begun:
	}
	return l.format.write(w, nil, "", l.format.end)
}

// stillHolds returns errSetBack if the log no longer leads to the head that a stream began with: its pages may then be of two histories. A
// missing row proves nothing.
func (s *server) stillHolds(ctx context.Context, l *listing) error {
	head, err := s.Events.Head(ctx, l.log)
	if err != nil {
		return err
	}
	switch {
	case head.Sequence < l.head.Sequence, head.Sequence == l.head.Sequence && head.Hash != l.head.Hash:
		return errSetBack
	case head.Sequence == l.head.Sequence, l.head.Sequence == 0:
		return nil
	}
	page, err := s.Events.Page(ctx, l.log, head, eventlog.Query{From: l.head.Sequence, Through: l.head.Sequence}, 1, 1, nil)
	if err != nil {
		return err
	}
	if len(page.Events) > 0 && page.Events[0].Hash != l.head.Hash {
		return errSetBack
	}
	return nil
}
