//go:build !unix

package postgres

import (
	"context"
	"errors"
)

// ErrInUse is wrapped by the error of Start if another process runs a server on the same data folder.
var ErrInUse = errors.New("the data folder is in use")

var errUnsupported = errors.New("the development server runs on Linux, macOS and other Unix systems only: " +
	"install PostgreSQL and give its address with --database-url")

// Server is a running PostgreSQL server. There is none on this system.
type Server struct{}

// Find fails on this system.
func Find(context.Context, FindOptions) (Binaries, error) { return Binaries{}, errUnsupported }

// Start fails on this system.
func Start(context.Context, Options) (*Server, error) { return nil, errUnsupported }

// DataMajor fails on this system.
func DataMajor(string) (int, error) { return 0, errUnsupported }

// DefaultDataDir returns the default data folder.
func DefaultDataDir() string { return "tallystick-data" }

// DSN is empty.
func (*Server) DSN() string { return "" }

// DatabaseURL is empty.
func (*Server) DatabaseURL(string) string { return "" }

// Version is empty.
func (*Server) Version() string { return "" }

// PID is 0.
func (*Server) PID() int { return 0 }

// Done is never closed.
func (*Server) Done() <-chan struct{} { return nil }

// Err fails on this system.
func (*Server) Err() error { return errUnsupported }

// Stop does nothing.
func (*Server) Stop(context.Context) error { return nil }
