package api

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/stats"
	"github.com/tallystick/tallystick/internal/tracing"
)

const (
	// noRoute is the route of what no operation took: refused before its path was looked at, or asking for nothing that there is.
	noRoute = "none"
	// otherMethod stands for methods that nobody defined: whoever makes them up must not make up metrics.
	otherMethod = "OTHER"
	// otherCode stands for codes that TestCodes would find.
	otherCode = "other"
)

// Stats count the requests of a server. Use NewStats.
type Stats struct {
	inFlight atomic.Int64
	refusals map[string]*stats.Counter // by problem code; never changed
	streams  func() (open, most int)
	verifies func() (open, most int)

	mu       sync.Mutex                              // of whoever adds to what follows
	outcomes atomic.Pointer[map[outcome]*RouteStats] // never changed, only replaced
	times    map[outcome]*stats.Histogram            // without status
}

// outcome is what requests are counted by. There are only so many: routes are patterns, not paths.
type outcome struct {
	route, method string
	status        int
}

// RouteStats count the requests to a route that had the same method and the same status.
type RouteStats struct {
	Route, Method string
	Status        int
	Requests      stats.Counter
	Times         *stats.Histogram // of the route and method, whatever the status
}

// NewStats returns counts of nothing.
func NewStats() *Stats {
	none := func() (open, most int) { return 0, 0 }
	s := &Stats{refusals: map[string]*stats.Counter{otherCode: {}}, times: map[outcome]*stats.Histogram{}, streams: none, verifies: none}
	for code := range statuses {
		s.refusals[code] = &stats.Counter{}
	}
	s.outcomes.Store(&map[outcome]*RouteStats{})
	return s
}

// Routes returns the counts by route, method and status, in no order.
func (s *Stats) Routes() []*RouteStats { return slices.Collect(maps.Values(*s.outcomes.Load())) }

// Refusals returns how many requests ended with a problem, by its code. All codes are there.
func (s *Stats) Refusals() map[string]int64 {
	counts := make(map[string]int64, len(s.refusals))
	for code, count := range s.refusals {
		counts[code] = count.Value()
	}
	return counts
}

// InFlight is how many requests are under way.
func (s *Stats) InFlight() int64 { return s.inFlight.Load() }

// Streams is how many streams of events go on, and how many may.
func (s *Stats) Streams() (open, most int) { return s.streams() }

// Verifications is how many logs are being verified, and how many may be at a time.
func (s *Stats) Verifications() (open, most int) { return s.verifies() }

// known returns the code that a refusal is counted by.
func (s *Stats) known(code string) string {
	if s.refusals[code] == nil {
		return otherCode
	}
	return code
}

func (s *Stats) count(o outcome, took time.Duration, code string) {
	if code != "" {
		s.refusals[s.known(code)].Inc()
	}
	of := (*s.outcomes.Load())[o]
	if of == nil {
		of = s.add(o)
	}
	of.Requests.Inc()
	of.Times.ObserveTime(took)
}

// add begins to count an outcome that has not been seen before.
func (s *Stats) add(o outcome) *RouteStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := *s.outcomes.Load()
	if of := known[o]; of != nil {
		return of
	}
	untold := outcome{route: o.route, method: o.method}
	if s.times[untold] == nil {
		s.times[untold] = stats.NewTimes()
	}
	of := &RouteStats{Route: o.route, Method: o.method, Status: o.status, Times: s.times[untold]}
	more := maps.Clone(known)
	more[o] = of
	s.outcomes.Store(&more)
	return of
}

var knownMethods = append([]string{http.MethodPatch, http.MethodOptions, http.MethodTrace, http.MethodConnect}, methods...)

func methodOf(r *http.Request) string {
	if slices.Contains(knownMethods, r.Method) {
		return r.Method
	}
	return otherMethod
}

// routeOf returns the pattern of the path that took the request. A name or an id in a path is its tenant's business.
func routeOf(r *http.Request) string {
	_, route, found := strings.Cut(r.Pattern, " ")
	if !found {
		return noRoute
	}
	return route
}

// isProbe reports whether the request is one that load balancers send every few seconds.
func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// begin counts a request that has come, and returns its context: with what lines of the log and spans say of it.
func (s *server) begin(ctx context.Context, r *http.Request, request *request) context.Context {
	s.Stats.inFlight.Add(1)
	request.began = time.Now()
	ctx = tracing.Parent(ctx, r.Header)
	if !isProbe(r) {
		ctx, request.span = s.Tracer.StartServer(ctx, methodOf(r))
	}
	request.traceID = tracing.TraceID(ctx)
	return context.WithValue(ctx, requestKey{}, request)
}

// refuse records the problem that a request ends with; the first counts.
func (r *request) refuse(p *Problem) {
	if r.refused == "" {
		r.refused = cmp.Or(p.instead, p.Code)
	}
}

// LogAttrs implements tracing.LoggedRequest.
func (r *request) LogAttrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("request_id", r.id)}
	if r.traceID != "" {
		attrs = append(attrs, slog.String("trace_id", r.traceID))
	}
	if r.caller.KeyID != "" {
		attrs = append(attrs, slog.String("tenant", r.caller.TenantName),
			slog.String("key", r.caller.KeyName), slog.String("key_id", r.caller.KeyID))
	}
	return attrs
}

// observe counts a request that is done, ends its span, and logs it if all are. cut: the response was not finished.
func (s *server) observe(w *responseWriter, r *http.Request, request *request, cut bool) {
	s.Stats.inFlight.Add(-1)
	took := time.Since(request.began)
	o := outcome{route: routeOf(r), method: methodOf(r), status: w.status}
	if o.status == 0 { // as net/http will have it
		o.status = http.StatusOK
	}
	s.Stats.count(o, took, request.refused)
	if request.refused != "" && request.caller != nobody {
		s.Activity.Refused(request.caller.Tenant, s.Stats.known(request.refused))
	}
	if request.span.IsRecording() {
		s.endSpan(request, o)
	}
	if s.RequestLog != nil && (!isProbe(r) || o.status != http.StatusOK) {
		s.logRequest(w, r, request, o, took, cut)
	}
}

func (s *server) endSpan(request *request, o outcome) {
	span := request.span
	span.Rename(o.method + " " + o.route)
	span.SetText("http.route", o.route)
	span.SetNumber("http.response.status_code", o.status)
	if request.refused != "" {
		span.SetText("tally.problem", request.refused)
	}
	if !request.log.IsZero() {
		span.SetText("tally.log", request.log.String())
	}
	if o.status >= http.StatusInternalServerError {
		kind := request.refused
		if kind == "" {
			kind = otherCode
		}
		span.Fail(kind)
	}
	span.End()
}

// logRequest writes the line of the access log: nothing of the path but its pattern, and nothing of the query string and the headers.
func (s *server) logRequest(w *responseWriter, r *http.Request, request *request, o outcome, took time.Duration, cut bool) {
	attrs := []slog.Attr{
		slog.String("method", o.method), slog.String("route", o.route), slog.Int("status", o.status),
		slog.Float64("seconds", took.Seconds()), slog.Int64("bytes", w.written), slog.String("client", s.clientOf(r)),
	}
	if request.refused != "" {
		attrs = append(attrs, slog.String("problem", request.refused))
	}
	if !request.log.IsZero() {
		attrs = append(attrs, slog.String("log", request.log.String()))
	}
	if cut {
		attrs = append(attrs, slog.Bool("cut", true))
	}
	s.RequestLog.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}

// clientOf returns the address that the request came from; "" where it came by no IP connection.
func (s *server) clientOf(r *http.Request) string {
	if address := s.Proxies.clientAddress(r); address.IsValid() {
		return address.String()
	}
	return ""
}
