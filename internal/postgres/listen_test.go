//go:build unix

package postgres

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// freePort returns an address on loopback that nothing listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func overTCP(address, password string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(Superuser, password), Host: address, Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// TestListen: over TCP, the password is asked for; on the socket it is not; and what one start was told, the next one has forgotten.
func TestListen(t *testing.T) {
	t.Parallel()
	const password = `it's "secret" \ $1`
	dir, address := openDir(t), freePort(t)
	s := run(t, Options{DataDir: dir, NoFSync: true, Listen: address, Password: password})
	for _, dsn := range []string{s.DSN(), overTCP(address, password)} {
		if got := query(t, dsn, "SELECT current_user"); got != Superuser {
			t.Errorf("connected as %q, want %q", got, Superuser)
		}
	}
	_, err := pgx.Connect(t.Context(), overTCP(address, "wrong"))
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "28P01" {
		t.Errorf("with a wrong password: %v, want that it is refused", err)
	}
	halt(t, s)

	s = run(t, Options{DataDir: dir, NoFSync: true})
	if got := query(t, s.DSN(), "SHOW listen_addresses"); got != "" {
		t.Errorf("the next start listens on %q", got)
	}
	if _, err := pgx.Connect(t.Context(), overTCP(address, password)); err == nil {
		t.Error("the next start still lets in over TCP")
	}
}

// TestListenNeedsPortAndPassword: what cannot work, or would let everybody in, is refused before anything is started.
func TestListenNeedsPortAndPassword(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	for want, o := range map[string]Options{
		"no host:port": {Listen: "5432", Password: "p"},
		"name a port":  {Listen: "127.0.0.1:0", Password: "p"},
		"a password":   {Listen: "127.0.0.1:5432"},
	} {
		o.DataDir, o.NoFSync = dir, true
		if s, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			if err == nil {
				halt(t, s)
			}
			t.Errorf("%q: %v, want an error that says %q", o.Listen, err, want)
		}
	}
}
