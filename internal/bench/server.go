package bench

import (
	"context"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/launch"
)

// serverTimeout bounds the start of what is measured, and its graceful stop.
const serverTimeout = launch.Timeout

// benchKey is the key that all servers of a run know, and keyLine the header line that sends it.
var (
	benchKey = access.GenerateKey()
	keyLine  = "Authorization: Bearer " + benchKey + "\r\n"
)

// server is a tally serve process.
type server struct {
	process *launch.Server
	address string // host:port
}

// startServer runs program's serve command on the database, without limits of tenants, and else with default settings but for these flags.
// The process ends with ctx, or by stop.
func startServer(ctx context.Context, program, databaseURL, moduleCache string, flags ...string) (*server, error) {
	process, err := launch.Start(ctx, launch.Options{
		Program: program, DatabaseURL: databaseURL, ModuleCacheDir: moduleCache, Key: benchKey,
		Flags: append([]string{"--limit", "none", "--webhook-allow", loopback.String()}, flags...),
	})
	if err != nil {
		return nil, err
	}
	return &server{process: process, address: process.Address()}, nil
}

// stop shuts the server down and waits for it.
func (s *server) stop() error { return s.process.Stop() }
