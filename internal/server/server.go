// Package server puts the parts together: it opens the database, starts the background work and serves HTTP, and stops
// all of it in the reverse order.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/activity"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/metrics"
	"github.com/tallystick/tallystick/internal/tracing"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/internal/webhook"
)

const (
	// bodyPatience is how long a request waits for room for its body, answerPatience for its response. A client that waited longer would
	// have given up or retried by then.
	bodyPatience   = 5 * time.Second
	answerPatience = 2 * time.Second
)

// Server is a running Tallystick server.
type Server struct {
	config Config
	db     *db.DB
	live   *live.Hub
	signer *checkpoint.Signer // nil without a key
	addr   net.Addr

	certificate *certificate // nil without TLS
	ingester    *ingest.Ingester
	intake      *intake.Intake
	http        *http.Server
	connections connections
	cut         context.CancelCauseFunc // ends the contexts of all requests

	webhooks   *webhook.Webhooks
	alerts     *alert.Alerts
	partitions *partitions
	health     *health
	gate       *access.Gate
	registry   *access.Registry
	tracer     *tracing.Tracer // nil unless the environment asks for traces
	ops        *ops            // nil without --ops-listen
	survey     *survey
	guests     *memory.Book

	parts  background.Parts // in the order of their start
	failed chan error       // receives the error when serving ends without Stop
}

// Start migrates the database to the newest schema and serves. It returns when requests are accepted; ctx bounds the start only. The error
// wraps a *db.UntrustedError when the database is not fit for the job.
func Start(ctx context.Context, config Config) (_ *Server, err error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config.Log = slog.New(tracing.LogHandler(config.Log.Handler()))
	s := &Server{config: config, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.parts.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.readSigningKey(); err != nil {
		return nil, err
	}
	if config.TLSCertFile != "" {
		if s.certificate, err = newCertificate(config.TLSCertFile, config.TLSKeyFile, config.Log); err != nil {
			return nil, err
		}
	}
	if s.tracer = tracing.FromEnvironment(ctx, config.Version, config.Log); s.tracer != nil {
		s.parts = append(s.parts, s.logged("ending traces", s.tracer.Stop))
	}
	if s.ops, err = listenOps(ctx, config.OpsListen, config.Log); err != nil {
		return nil, err
	}
	s.parts = append(s.parts, s.logged("ending metrics", s.ops.Stop))
	if err := s.openDatabase(ctx); err != nil {
		return nil, err
	}
	s.guests = memory.NewBook(config.Memory().Shares().Guests, 0, 0)
	engine, err := wasm.NewEngine(ctx, wasm.Config{CacheDir: moduleCache(ctx, &config), Memory: s.guests})
	if err != nil {
		return nil, fmt.Errorf("starting the WebAssembly engine: %w", err)
	}
	s.parts = append(s.parts, s.logged("closing the WebAssembly engine", engine.Close))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w; --listen chooses another address", config.Listen, err)
	}
	s.addr = listener.Addr()
	s.serve(engine, listener) //nolint:contextcheck // ctx bounds the start, not what runs until Stop
	return s, nil
}

func (s *Server) readSigningKey() error {
	file := s.config.SigningKeyFile
	if file == "" {
		return nil
	}
	key, err := os.ReadFile(file) //nolint:gosec // the file that the operator names
	if err != nil {
		return fmt.Errorf("reading the signing key: %w; tally keygen makes one", err)
	}
	if s.signer, err = checkpoint.NewSigner(string(key)); err != nil {
		return fmt.Errorf("reading the signing key in %s: %w", file, err)
	}
	return nil
}

func (s *Server) openDatabase(ctx context.Context) (err error) {
	if err := db.Check(ctx, s.config.DatabaseURL, s.config.AllowUnsafeDatabase); err != nil {
		return err
	}
	if err := db.Migrate(ctx, s.config.DatabaseURL); err != nil {
		return err
	}
	s.db, err = db.Open(ctx, db.Config{
		URL: s.config.DatabaseURL, AppendConns: s.config.Lanes + ingest.SlowLanes, ReadConns: s.config.ReadConns,
		RefuseUnsafe: !s.config.AllowUnsafeDatabase, Tracer: s.tracer,
	})
	if err != nil {
		return err
	}
	s.parts = append(s.parts, s.logged("closing the database", s.closeDatabase))
	if err := s.db.CheckRole(ctx); err != nil {
		return err
	}
	s.health = &health{db: s.db, log: s.config.Log}
	s.health.checkDurability(ctx)
	if err := s.openWebhooks(ctx); err != nil {
		return err
	}
	s.partitions = &partitions{
		db: s.db, url: s.config.DatabaseURL, log: s.config.Log, announce: s.webhooks.DefaultPartitionNotEmpty,
	}
	s.survey = &survey{db: s.db, log: s.config.Log}
	s.partitions.make(ctx) // before the first append
	if err := s.openGate(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// openWebhooks begins to deliver what this server and others announce.
func (s *Server) openWebhooks(ctx context.Context) (err error) {
	config := webhook.DefaultConfig()
	config.Version, config.Log = s.config.Version, s.config.Log
	config.Allow, _ = parseNetworks("--webhook-allow", s.config.WebhookAllow) // Validate has read them
	if s.webhooks, err = webhook.New(s.db, config); err != nil {
		return err
	}
	s.parts = append(s.parts, s.logged("ending webhooks", s.webhooks.Stop))
	return s.webhooks.Start(ctx)
}

func (s *Server) openGate(ctx context.Context) error {
	s.registry, s.gate = access.NewRegistry(s.db), access.NewGate(s.db, s.config.Log)
	if key := s.config.BootstrapKey; key != "" {
		if err := s.registry.Bootstrap(ctx, key); err != nil {
			return fmt.Errorf("making the bootstrap key: %w", err)
		}
	}
	if s.config.Keys {
		s.gate.Start() //nolint:contextcheck // it works until Stop, and ctx bounds the start
		s.parts = append(s.parts, s.logged("ending checks of keys", s.gate.Stop))
	}
	return nil
}

// HasKeys reports whether there is a key by which others can be made.
func (s *Server) HasKeys(ctx context.Context) (bool, error) { return s.registry.HasKeys(ctx) }

// serve starts the parts that run until Stop.
func (s *Server) serve(engine *wasm.Engine, listener net.Listener) {
	log := s.config.Log
	limit := s.config.Memory()
	shares := limit.Shares()
	books := map[string]*memory.Book{
		"bodies":  memory.NewBook(shares.Bodies, api.LargestBody, bodyPatience).WithSmall(api.SmallBody),
		"answers": memory.NewBook(shares.Answers, 0, answerPatience),
		"loads":   memory.NewBook(shares.Loads, 0, 0),
		"writes":  memory.NewBook(shares.Groups, 0, 0), // without patience: a lane that waits for room keeps others waiting
		"recent":  memory.NewBook(shares.Recent, 0, 0),
		"guests":  s.guests,
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, "memory", slog.Int64("limit", limit.Bytes), slog.String("from", limit.Why))
	logs := eventlog.NewLogs(s.db)
	views := view.New(s.db, engine, view.Config{
		LongQueries: int(s.db.Read.Config().MaxConns) / 2, // they leave connections to short ones
		CacheBytes:  cmp.Or(s.config.StateCacheBytes, int(shares.States)), BuildBytes: int(shares.Build),
		Loads:   books["loads"],
		FoldGas: s.config.FoldGas, QueryGas: s.config.QueryGas, Log: log, TenantOf: logs.TenantOf,
	})
	lanes := ingest.DefaultConfig()
	lanes.Lanes, lanes.MaxWaitingEvents, lanes.MaxWaitingBytes = s.config.Lanes, s.config.MaxWaitingEvents, s.config.MaxWaitingBytes
	lanes.Attempted = s.health.attempted
	lanes.Room, lanes.Tracer = books["writes"], s.tracer
	lanes.MaxAhead, lanes.Log = s.config.MaxEventAhead, log
	reader := eventlog.NewReader(s.db)
	watching := live.DefaultConfig()
	watching.Log = log
	watching.Watchers = min(watching.Watchers, int(shares.Watch/live.WatcherBytes))
	watching.Recent = books["recent"]
	s.live = live.New(s.db, reader, watching)
	s.alerts = s.newAlerts(logs, views, books["answers"])
	lanes.Appending, lanes.Committed = s.alerts.Appending, s.committed
	s.ingester = ingest.New(s.db, views, lanes)

	s.intake = intake.New(s.db, logs, s.ingester)
	limiter := limits.New(s.db, limits.Config{
		Defaults: s.config.Limits, LargestBody: ingest.MaxBatchBytes, LargestBatch: ingest.MaxBatchEvents, Log: log,
	})
	lately := activity.New(s.db, activity.Config{Log: log})
	watchers := &background.Worker{}
	watchers.Go(limiter.Run)
	watchers.Go(lately.Run)
	watchers.Go(s.health.watch)
	watchers.Go(s.partitions.run)
	if s.ops != nil {
		watchers.Go(s.survey.run)
	}
	views.Start()
	s.live.Start()
	s.alerts.Start()
	s.ingester.Start()
	s.parts = append(s.parts,
		s.logged("ending checks of the database", watchers.Stop), s.logged("ending builds of views", views.Stop),
		s.logged("ending notifications", s.live.Stop), s.logged("ending alerts", s.alerts.Stop), s.ingester)

	counts := api.NewStats()
	proxies, _ := parseProxies(s.config.TrustedProxies, s.config.ProxyHeader) // Validate has read them
	s.http = newHTTPServer(api.New(api.Services{
		Keys: s.config.Keys, Gate: s.gate, Access: s.registry, Limiter: limiter,
		Origins: s.config.Origins, NoDashboard: s.config.NoDashboard,
		Logs: logs, Ingest: s.ingester, Views: views, Events: reader, Live: s.live, Webhooks: s.webhooks, Alerts: s.alerts,
		Activity: lately,
		Signer:   s.signer,
		Sources:  intake.NewRegistry(s.db), Intake: s.intake, ReadyViews: s.config.ReadyViews,
		Streams: s.config.ReadConns / 2,
		Bodies:  books["bodies"],
		Answers: books["answers"],
		Stats:   counts, Tracer: s.tracer, RequestLog: s.config.RequestLog,
		Ready: s.health.ready, Warnings: s.warnings, AllowHosts: s.config.AllowHosts, Proxies: proxies, Log: log,
	}), s.certificate, log)
	var cuttable context.Context
	cuttable, s.cut = context.WithCancelCause(context.Background())
	s.http.BaseContext, s.http.ConnState = func(net.Listener) context.Context { return cuttable }, s.connections.note
	s.ops.serve(&metrics.Sources{
		Version: s.config.Version, HTTP: counts, Ingest: s.ingester, Intake: s.intake.Stats(), Views: views, Logs: logs,
		Live: s.live, DB: s.db, Gate: s.gate, Webhooks: &s.webhooks.Stats, Alerts: s.alerts,
		MaxWaitingEvents: lanes.MaxWaitingEvents, MaxWaitingBytes: lanes.MaxWaitingBytes, Books: books, Survey: s.survey.get,
	})
	requests := &background.Worker{}
	requests.Go(func(context.Context) {
		if err := acceptFrom(listener, s.http); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serving: %w", err)
		}
	})
	s.parts = append(s.parts, requests, background.Func(s.finishRequests))
}

func (s *Server) warnings() []string {
	return slices.Concat(s.health.warnings(), s.partitions.list(), s.certificate.warnings(), s.intake.Warnings(), s.alerts.Warnings())
}

// URL is where the server listens.
func (s *Server) URL() string {
	if s.certificate != nil {
		return "https://" + s.addr.String()
	}
	return "http://" + s.addr.String()
}

// Failed receives why the server stopped by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop accepts no more requests, finishes those under way, and releases everything. Requests still running after three quarters of the
// shutdown timeout fail with ingest.ErrClosed, which is no error of Stop. When the timeout or ctx ends, connections are closed whatever
// their requests do, and those to a database that does not answer are abandoned. Stop returns a few seconds after that at most.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.ShutdownTimeout)
	defer cancel()
	return s.parts.Stop(ctx)
}

// logged returns a part whose failure to stop is logged and is no failure of the server: by then all requests have been served.
func (s *Server) logged(what string, stop background.Func) background.Part {
	return background.Func(func(ctx context.Context) error {
		if err := stop(ctx); err != nil {
			s.config.Log.LogAttrs(ctx, slog.LevelWarn, what+" failed", slog.Any("error", err))
		}
		return nil
	})
}

// closeDatabase closes the connections. If the database does not reply, it gives up background.Grace after ctx ends and leaves them behind.
func (s *Server) closeDatabase(ctx context.Context) error {
	if err := background.Wait(ctx, s.db.Close); err != nil {
		return fmt.Errorf("the database does not answer; its connections are left behind: %w", err)
	}
	return nil
}
