package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxDirectBytes is the longest body that directAppend reads: one of which nothing has to be booked.
const maxDirectBytes = freeBodyBytes

// directMux is the mux that huma registers operations with. A few operations have a direct handler for plain requests; huma serves the
// others.
type directMux struct {
	*http.ServeMux
	// direct are the handlers by pattern, set before requests come. One that returns false leaves the request to huma.
	direct map[string]func(w http.ResponseWriter, r *http.Request) bool
}

// HandleFunc implements humago.Mux.
func (m *directMux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.ServeMux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if direct := m.direct[pattern]; direct == nil || !direct(w, r) {
			handler(w, r)
		}
	})
}

// directAppend serves an append of one event as huma would, without reflecting on its input and output each time: a quarter of what HTTP
// costs a busy server. Its responses are those of huma (TestDirectAppends).
func (s *server) directAppend(operation *huma.Operation) func(w http.ResponseWriter, r *http.Request) bool {
	handle := resolvingAnew(s, s.append)
	return func(w http.ResponseWriter, r *http.Request) bool {
		log := r.PathValue("log")
		if p := s.admit(r, operation); p != nil {
			writeProblem(w, p)
			return true
		}
		if !isPlain(r) || len(log) > maxLogRef || checkHeaders(operation, r.Header) != nil {
			return false
		}
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			status, message := http.StatusInternalServerError, unreadBody
			if errors.Is(err, os.ErrDeadlineExceeded) {
				status, message = http.StatusRequestTimeout, "request body read timeout"
			}
			writeProblem(w, requestProblem(r.Context(), operation, status, message, []error{err}))
			return true
		}
		in := &appendInput{RawBody: body}
		in.Log = log
		in.IdempotencyKey, in.ExpectedSequence = r.Header.Get("Idempotency-Key"), r.Header.Get("Expected-Sequence")
		out, err := handle(r.Context(), in)
		var p *Problem
		switch {
		case errors.As(err, &p):
			writeProblem(w, p)
		case err != nil: // append's errors are problems
			writeProblem(w, requestProblem(r.Context(), operation, http.StatusInternalServerError, "appending", []error{err}))
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(out.Status)
			_, _ = w.Write(out.appendJSON(make([]byte, 0, maxAppendedBytes))) // an error is that the client has gone
		}
		return true
	}
}

// isPlain reports whether the request has nothing but a short body and headers that every operation accepts.
func isPlain(r *http.Request) bool {
	if r.ContentLength <= 0 || r.ContentLength > maxDirectBytes || r.URL.RawQuery != "" {
		return false
	}
	switch r.Header.Get("Accept") {
	case "", "*/*", "application/json":
	default:
		return false
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Ce-") || name == "Content-Encoding" { // see refuseBinaryEvents and takeEncoding
			return false
		}
	}
	return true
}
