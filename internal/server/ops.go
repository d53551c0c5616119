package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/metrics"
)

// ops is the second listener, for whoever runs the server: metrics, and profiles of the process. A profile can hold anything that is in
// memory, so it listens on loopback only.
type ops struct {
	listener net.Listener
	http     *http.Server
	log      *slog.Logger
}

// listenOps listens; serve begins to answer. It returns nil if the address is empty.
func listenOps(ctx context.Context, address string, log *slog.Logger) (*ops, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // no listener, and no error
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s for metrics: %w; --ops-listen chooses another address, and port 0 a free one", address, err)
	}
	return &ops{listener: listener, log: log}, nil
}

// serve answers until stop.
func (o *ops) serve(sources *metrics.Sources) {
	if o == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(sources, o.log))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // and all profiles by name; not cmdline, which may hold the database's password
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	o.http = &http.Server{
		Handler: onlyLocal(mux), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(o.log.Handler(), slog.LevelWarn),
	}
	o.log.LogAttrs(context.Background(), slog.LevelInfo, "serving metrics and profiles", slog.String("url", o.url()+"/metrics"))
	go func() {
		if err := o.http.Serve(o.listener); !errors.Is(err, http.ErrServerClosed) {
			o.log.LogAttrs(context.Background(), slog.LevelError, "serving metrics failed", slog.Any("error", err))
		}
	}()
}

func (o *ops) url() string { return "http://" + o.listener.Addr().String() }

// onlyLocal refuses requests by another name than this machine's own: a page of another site could have its name lead here, and read
// the responses in the browser of whoever works on this machine.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			http.Error(w, "ask this machine by its own name, such as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Stop implements background.Part. Requests under way have a moment to finish: a profile may take for ever.
func (o *ops) Stop(ctx context.Context) error {
	if o == nil {
		return nil
	}
	if o.http == nil {
		return o.listener.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if o.http.Shutdown(ctx) != nil {
		return o.http.Close()
	}
	return nil
}

var _ background.Part = (*ops)(nil)

// OpsURL is where metrics and profiles are served; "" if they are not.
func (s *Server) OpsURL() string {
	if s.ops == nil {
		return ""
	}
	return s.ops.url()
}
