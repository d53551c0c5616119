package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/klauspost/compress/gzhttp"

	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// streamWriteTimeout is how long a client may take for one page of a stream, about a megabyte: longer means that it does not read.
	streamWriteTimeout = 30 * time.Second
	// defaultStreams is how many streams go on at a time where nothing else is said.
	defaultStreams = 8
	// streamsRetrySeconds: a stream of a million events takes some seconds.
	streamsRetrySeconds = 5
)

// compressed serves an answer in gzip or zstd when the client asks for that.
func compressed(next http.Handler) http.Handler { return compressAnswers(next) }

var compressAnswers = func() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.ContentTypes([]string{"application/json", "application/x-ndjson", "text/csv"}))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap
}()

// streamEvents answers with a whole range. What it began it cannot take back: an answer that cannot be finished is cut off, so that
// no part passes for the whole.
func (s *server) streamEvents(l *listing) (*huma.StreamResponse, error) {
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, retry(newProblem(http.StatusServiceUnavailable, "too_many_streams", "as many streams as the server allows are under way; try again when one has ended, or read in pages"), streamsRetrySeconds)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { <-s.streams }()
		respond(func(w http.ResponseWriter, r *http.Request) {
			l.format.setHeaders(w.Header(), l.head)
			if r.Method == http.MethodHead {
				return
			}
			if err := s.writeStream(w, r, l); err != nil {
				s.Log.LogAttrs(r.Context(), slog.LevelInfo, "a stream was cut off", slog.String("log", l.log.String()), slog.Any("error", err))
				panic(http.ErrAbortHandler)
			}
		}).Body(ctx)
	}}, nil
}

func (s *server) writeStream(w http.ResponseWriter, r *http.Request, l *listing) error {
	connection := http.NewResponseController(w)
	defer func() { _ = connection.SetWriteDeadline(time.Time{}) }() // for the connection's next request
	buf := []byte(l.format.begin)
	begun := false
	err := s.Events.Stream(r.Context(), l.log, l.head, l.query, func(events []eventlog.Recorded) error {
		buf = l.format.append(buf, events, begun)
		begun = true
		if err := connection.SetWriteDeadline(time.Now().Add(streamWriteTimeout)); err != nil {
			return err
		}
		_, err := w.Write(buf)
		buf = buf[:0]
		return err
	})
	if err != nil {
		return err
	}
	if begun || l.format.name != formatNDJSON.name {
		buf = append(buf, l.format.end...)
	}
	_, err = w.Write(buf)
	return err
}
