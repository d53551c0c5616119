package api

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/otlp"
)

// bodyTimeout is how long a client may take to send a body, whether the operation reads it or not: the 10 MiB of the largest batch at
// 3 Mbit/s.
const bodyTimeout = 30 * time.Second

// guard wraps every path, health checks and the documentation included: it assigns an id to each request, refuses those that name another
// host, bounds the memory and the time of bodies, turns a panic into a problem, and logs failures. It drops the Content-Type, since the
// path determines what a body is: curl calls whatever it posts a form, and no two clients agree on a type for lines of JSON.
func (s *server) guard(next http.Handler) http.Handler {
	sameOriginOnly := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(writer http.ResponseWriter, r *http.Request) {
		request := newRequest()
		w := &responseWriter{
			ResponseWriter: writer, timeout: s.WriteTimeout, shared: newStreamDeadline(writer, r), request: request,
		}
		defer w.close()
		r = r.WithContext(s.begin(r.Context(), r, request))
		w.Header().Set(requestIDHeader, request.id)
		defer s.finish(w, r, request)
		request.header, request.contentType, request.contentEncoding = r.Header, r.Header.Get("Content-Type"), contentEncoding(r)
		if g := gatewayAt(r.URL.Path); g != nil && g.form != intake.Events && r.Method == http.MethodPost {
			request.isOTLP = true
			request.encoding, _ = otlp.EncodingOf(request.contentType)
		}
		request.credential, request.actsIn = credential(r.Header), r.Header.Get(tenantHeader)
		request.fromBrowser = r.Header.Get("Sec-Fetch-Mode") != ""
		if !s.Keys && !s.hosts.allow(r) {
			writeProblem(w, newProblem("host_not_allowed", "the Host header is "+strconv.Quote(shortened(r.Host))+
				", which is none of this server's names: ask localhost, or have it started with --allow-host"))
			return
		}
		if r.ContentLength != 0 {
			// A connection that cannot have a deadline is not one that a client could be slow on.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.BodyTimeout))
		}
		request.body = newBookedBody(r, s.Bodies.Hold(), request.contentEncoding)
		defer request.body.held.Release()
		if r.Body != http.NoBody {
			r.Body = request.body
		}
		request.answer = s.Answers.Hold()
		defer request.answer.Release()
		// A body of any type is accepted, so a page of another site could post here from the browser of somebody whose network
		// reaches this server. Browsers announce that; no other client sends these headers.
		if s.crossOrigin(w, r) {
			return
		} else if !request.fromAllowedOrigin && sameOriginOnly.Check(r) != nil {
			writeProblem(w, newProblem("cross_origin", "a browser sent this request for a page of another origin; nothing was done"))
			return
		}
		if p := unreadable(r); p != nil {
			writeProblem(w, p)
			return
		}
		r.Header.Del("Content-Type")
		next.ServeHTTP(w, r)
	})
}

// unreadable returns why a request cannot be understood, whatever its path is; nil when it can. Paths are not cleaned up:
// a redirect to another path than the one asked for would hide a mistake, and many clients do not follow it with their body.
func unreadable(r *http.Request) *Problem {
	if escaped := r.URL.EscapedPath(); !strings.HasPrefix(escaped, "/") || path.Clean(escaped) != escaped {
		return noSuchPath(r)
	}
	return nil
}

func noSuchPath(r *http.Request) *Problem {
	return newProblem("no_such_path", "nothing is served at "+r.URL.Path+"; /docs lists what is")
}
