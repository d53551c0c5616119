package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

// Config is a server's settings. Start from DefaultConfig.
type Config struct {
	Listen              string // host:port; port 0 picks a free one
	DatabaseURL         string
	Version             string        // of this program
	AllowUnsafeDatabase bool          // accept a database that can lose acknowledged events in a crash
	AllowRemote         bool          // without keys: listen on addresses that other machines reach all the same
	Keys                bool          // ask for a key with every request; without, any client that reaches the server may do anything
	BootstrapKey        string        // a key that is made when the server starts, with all scopes, unless it exists; "" for none
	Origins             []string      // origins whose pages may read answers in browsers, with a token; "*" for all
	NoDashboard         bool          // serve no dashboard at /
	AllowHosts          []string      // without keys: hosts that requests may name besides this machine's own; api.AnyHost allows all
	TLSCertFile         string        // PEM: the certificate and those between it and its authority; "" to serve without TLS
	TLSKeyFile          string        // PEM: its key
	TrustedProxies      []string      // networks whose connections' ProxyHeader is taken for who the client is
	ProxyHeader         string        // X-Forwarded-For, which "" stands for, or Forwarded
	WebhookAllow        []string      // networks that webhooks may go to although they are not public, and without encryption
	ModuleCacheDir      string        // keeps compiled modules between runs; "" for memory only
	SigningKeyFile      string        // holds the key that signs checkpoints; "" for none
	MemoryLimit         int64         // of this process, in bytes; 0: memory.DefaultLimit
	StateCacheBytes     int           // memory for logs' heads and view state, in bytes; 0: its share of the limit
	FoldGas             int64         // the budget of one event's fold, for versions deployed without their own, in units of gas
	QueryGas            int64         // the budget of one query, in units of gas
	Lanes               int           // group-commit loops, each with one database connection
	ReadConns           int           // database connections for queries, reads and builds
	MaxWaitingEvents    int           // events that may wait in one lane before it refuses more
	MaxWaitingBytes     int           // likewise, in bytes
	MaxEventAhead       time.Duration // how far ahead of the clock the time of a new event may be; 0: any
	ReadyViews          views.Catalog // that can be deployed by name; nil: those that come with the program
	Limits              limits.Values // of tenants that have none of their own
	ShutdownTimeout     time.Duration // how long stopping may take; requests under way have three quarters of it
	OpsListen           string        // host:port on loopback for metrics and profiles; "" for none
	Log                 *slog.Logger
	RequestLog          *slog.Logger // gets a line for each request; nil for none

	cutAfter time.Duration // how long requests have, where not three quarters of ShutdownTimeout; for tests
}

// DefaultConfig suits a server that shares a small machine with PostgreSQL.
func DefaultConfig() Config {
	lanes := ingest.DefaultConfig()
	return Config{
		Listen:           "127.0.0.1:8080",
		FoldGas:          wasm.DefaultFoldGas,
		QueryGas:         wasm.DefaultQueryGas,
		Lanes:            lanes.Lanes,
		ReadConns:        16,
		MaxWaitingEvents: lanes.MaxWaitingEvents,
		MaxWaitingBytes:  lanes.MaxWaitingBytes,
		ShutdownTimeout:  20 * time.Second,
		Log:              slog.Default(),
	}
}

const (
	// minReadConns lets a build hold two connections, one to read history and one to write state, while queries go on.
	minReadConns = 3
	// maxQueryGas bounds the budget of one query: about a minute of work, after which its client is gone.
	maxQueryGas = 60_000_000_000
)

// Validate returns an error for the first invalid setting.
func (c *Config) Validate() error {
	host, _, err := net.SplitHostPort(c.Listen)
	_, proxiesErr := parseProxies(c.TrustedProxies, c.ProxyHeader)
	_, allowErr := parseNetworks("--webhook-allow", c.WebhookAllow)
	switch {
	case err != nil:
		return fmt.Errorf("--listen %q is no host:port: %w", c.Listen, err)
	case c.DatabaseURL == "":
		return errors.New("--database-url is missing: say which PostgreSQL database to use, such as postgres://tally@db.internal/tally")
	case !c.Keys && !c.AllowRemote && !isLoopback(host):
		return fmt.Errorf("--listen %s would let anyone who reaches it read and write everything: pass --keys, "+
			"so that the server asks for a key with every request, or listen on 127.0.0.1", c.Listen)
	case slices.ContainsFunc(c.Origins, func(origin string) bool { return !isOrigin(origin) }):
		return fmt.Errorf("--cors-origin must be origins such as https://app.example.com, or *; they are %q", c.Origins)
	case slices.ContainsFunc(c.AllowHosts, func(host string) bool { return !isHost(host) }):
		return fmt.Errorf("--allow-host must be hosts without port or scheme, such as tally.internal, or %s; they are %q",
			api.AnyHost, c.AllowHosts)
	case (c.TLSCertFile == "") != (c.TLSKeyFile == ""):
		return errTLSPair
	case proxiesErr != nil:
		return proxiesErr
	case allowErr != nil:
		return allowErr
	case c.OpsListen != "" && !isLoopbackAddress(c.OpsListen):
		return fmt.Errorf("--ops-listen %q must be host:port on loopback, such as 127.0.0.1:9464: profiles show what is in memory; "+
			"where metrics are wanted elsewhere, have an agent on this machine, or in this pod, collect them", c.OpsListen)
	case c.Lanes < 1 || c.ReadConns < minReadConns:
		return fmt.Errorf("--lanes must be at least 1 and --read-connections at least %d; they are %d and %d",
			minReadConns, c.Lanes, c.ReadConns)
	case c.MaxWaitingEvents < ingest.MaxBatchEvents || c.MaxWaitingBytes < ingest.MaxBatchBytes:
		return fmt.Errorf("--max-waiting-events must be at least %d and --max-waiting-bytes at least %d, the size of one batch",
			ingest.MaxBatchEvents, ingest.MaxBatchBytes)
	case c.FoldGas < 1 || c.FoldGas > view.MaxFoldGas:
		return fmt.Errorf("--fold-gas must be 1 to %d; it is %d", view.MaxFoldGas, c.FoldGas)
	case c.QueryGas < 1 || c.QueryGas > maxQueryGas:
		return fmt.Errorf("--query-gas must be 1 to %d; it is %d", maxQueryGas, c.QueryGas)
	case c.MaxEventAhead < 0:
		return fmt.Errorf("--max-event-ahead must be 0, for no limit, or a time such as 24h; it is %v", c.MaxEventAhead)
	case c.ShutdownTimeout <= 0:
		return fmt.Errorf("--shutdown-timeout must be positive; it is %v", c.ShutdownTimeout)
	case c.StateCacheBytes < 0:
		return errors.New("--state-cache-bytes must not be negative")
	case c.MemoryLimit != 0 && c.MemoryLimit < memory.LeastLimit:
		return fmt.Errorf("--memory-limit must be at least %d (%d MiB), or 0 for that of the control group or the machine; it is %d",
			memory.LeastLimit, memory.LeastLimit>>20, c.MemoryLimit)
	}
	return nil
}

// Memory returns the configured limit, or else the default.
func (c *Config) Memory() memory.Limit {
	if c.MemoryLimit > 0 {
		return memory.Limit{Bytes: c.MemoryLimit, Why: "--memory-limit"}
	}
	return memory.DefaultLimit()
}

// isHost reports whether a Host header could hold host.
func isHost(host string) bool {
	if host == api.AnyHost || net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}

// isOrigin reports whether an Origin header could hold origin.
func isOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return origin == "*" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Scheme+"://"+u.Host == origin
}

func isLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
