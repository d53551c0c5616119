package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/launch"
	"github.com/tallystick/tallystick/internal/postgres"
)

// Options say what to try an SDK on.
type Options struct {
	Root      string         // the top folder of the repository
	Program   string         // the tally command; built when empty
	UserAgent string         // what the requests' User-Agent must begin with; "" for anything
	Only      *regexp.Regexp // names of the cases to run
}

// Stand is a server with its database, the proxies in front of it, and what they recorded.
type Stand struct {
	options  Options
	run      string // names this run
	folder   string // temporary
	key      string
	postgres *postgres.Server
	address  string // of the server, also after restarts
	upstream *url.URL
	cases    []Case
	document *document
	record   recorder
	proxies  map[string]string // proxy → URL
	control  string
	receiver string         //  of webhooks: it answers 204
	closers  []func() error // newest last

	restarting sync.Mutex // held while the server is replaced
	server     *launch.Server
}

// Start starts everything. Close ends it.
func Start(ctx context.Context, o Options) (_ *Stand, err error) {
	s := &Stand{options: o, run: strings.ToLower(rand.Text()[:8]), key: access.GenerateKey(), proxies: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.cases, err = readCases(s.casesFolder()); err != nil {
		return nil, err
	}
	if err := s.makeFolder(); err != nil {
		return nil, err
	}
	if s.options.Program == "" {
		if err := s.build(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.startPostgres(ctx); err != nil {
		return nil, err
	}
	if s.address, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	s.upstream = &url.URL{Scheme: "http", Host: s.address}
	if err := s.startServer(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { return s.server.Stop() })
	if s.document, err = fetchDocument(ctx, s.upstream); err != nil {
		return nil, err
	}
	for _, name := range proxyNames {
		if s.proxies[name], err = s.listen(ctx, newProxy(name, s)); err != nil {
			return nil, err
		}
	}
	if s.control, err = s.listen(ctx, http.HandlerFunc(s.serveControl)); err != nil {
		return nil, err
	}
	s.receiver, err = s.listen(ctx, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	return s, err
}

func (s *Stand) casesFolder() string {
	return filepath.Join(s.options.Root, "openapi", "clients", "conformance", "cases")
}

func (s *Stand) filesFolder() string { return filepath.Join(s.options.Root, "views", "dist") }

func (s *Stand) makeFolder() (err error) {
	if s.folder, err = os.MkdirTemp("", "tally-conformance-"); err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return os.RemoveAll(s.folder) })
	return os.Chmod(s.folder, 0o755) //nolint:gosec // PostgreSQL may run as another user
}

func (s *Stand) build(ctx context.Context) error {
	s.options.Program = filepath.Join(s.folder, "tally")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", s.options.Program, "./cmd/tally") //nolint:gosec // our own program
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.options.Root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building tally: %w", err)
	}
	return nil
}

func (s *Stand) startPostgres(ctx context.Context) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.postgres, err = postgres.Start(ctx, postgres.Options{
		DataDir: filepath.Join(s.folder, "postgres"), Database: "tally", NoFSync: true, Log: log,
		Settings: map[string]string{"synchronous_commit": "on"},
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return s.postgres.Stop(context.WithoutCancel(ctx)) })
	private, _, err := checkpoint.GenerateKey("conformance.example.com")
	if err != nil {
		return err
	}
	return os.WriteFile(s.signingKey(), []byte(private+"\n"), 0o600)
}

func (s *Stand) signingKey() string { return filepath.Join(s.folder, "signing.key") }

func (s *Stand) startServer(ctx context.Context) (err error) {
	s.server, err = launch.Start(ctx, launch.Options{
		Program: s.options.Program, DatabaseURL: s.postgres.DSN(), ModuleCacheDir: filepath.Join(s.folder, "modules"), Key: s.key,
		Listen: s.address, Flags: []string{"--allow-unsafe-database", "--signing-key", s.signingKey(), "--webhook-allow", "127.0.0.1"},
	})
	return err
}

// serveControl lets a runner replace the server.
func (s *Stand) serveControl(w http.ResponseWriter, r *http.Request) {
	how := r.URL.Query().Get("how")
	if r.URL.Path != "/restart" || r.Method != http.MethodPost || how != "stop" && how != "kill" {
		http.Error(w, "POST /restart?how=stop or kill", http.StatusNotFound)
		return
	}
	s.restarting.Lock()
	defer s.restarting.Unlock()
	end := s.server.Stop
	if how == "kill" {
		end = s.server.Kill
	}
	if err := errors.Join(end(), s.startServer(context.WithoutCancel(r.Context()))); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listen serves a handler on loopback until Close.
func (s *Stand) listen(ctx context.Context, handler http.Handler) (address string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go func() { _ = server.Serve(listener) }() // ends by Close
	s.closers = append(s.closers, server.Close)
	return "http://" + listener.Addr().String(), nil
}

// freeAddress returns an address that nothing listens on.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// Close ends everything that Start started, newest first.
func (s *Stand) Close() error {
	var failures []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		failures = append(failures, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(failures...)
}

// variables are those that a runner has from the beginning.
func (s *Stand) variables() (map[string]string, error) {
	variables := map[string]string{"key": s.key, "receiver": s.receiver}
	modules, err := filepath.Glob(filepath.Join(s.filesFolder(), "*.wasm"))
	if err != nil {
		return nil, err
	}
	for _, file := range modules {
		content, err := os.ReadFile(file) //nolint:gosec // of this repository
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		variables[strings.TrimSuffix(filepath.Base(file), ".wasm")+"_sha256"] = hex.EncodeToString(sum[:])
	}
	return variables, nil
}

func (s *Stand) reportFile() string { return filepath.Join(s.folder, "report") }

// Environment returns what a runner gets, as NAME=value.
func (s *Stand) Environment() []string {
	variables, err := s.variables()
	if err != nil {
		panic(err) // the files of this repository have been read before
	}
	text, err := json.Marshal(variables)
	if err != nil {
		panic(err) // they are strings
	}
	absolute := func(path string) string {
		if whole, err := filepath.Abs(path); err == nil {
			return whole
		}
		return path
	}
	only := ""
	if s.options.Only != nil {
		only = s.options.Only.String()
	}
	environment := []string{
		"CONFORMANCE_CASES=" + absolute(s.casesFolder()), "CONFORMANCE_ONLY=" + only, "CONFORMANCE_RUN=" + s.run,
		"CONFORMANCE_VARIABLES=" + string(text), "CONFORMANCE_FILES=" + absolute(s.filesFolder()),
		"CONFORMANCE_REPORT=" + s.reportFile(), "CONFORMANCE_CONTROL_URL=" + s.control,
		"TALLY_URL=" + s.proxies[direct], "TALLY_KEY=" + s.key,
	}
	for _, name := range proxyNames[1:] {
		environment = append(environment, "CONFORMANCE_"+strings.ToUpper(name)+"_URL="+s.proxies[name])
	}
	return environment
}

// Summary says what was done, for people.
func (s *Stand) Summary() string {
	return fmt.Sprintf("%d cases, %d requests, %d operations", len(s.chosen()), len(s.record.all()), len(s.document.operations))
}
