//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// access lets everyone in who reaches the socket, which only this user does, and over TCP whoever has a password.
const access = "local all all trust\nhost all all all scram-sha-256\n"

// listen returns the settings that concern connections, and remembers the port. They are not in the cluster itself, so that the next start
// without Options.Listen is one without TCP.
func (s *Server) listen(o Options) (map[string]string, error) {
	if o.Listen == "" {
		return nil, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	switch {
	case err != nil:
		return nil, fmt.Errorf("PostgreSQL is to listen on %q, which is no host:port: %w", o.Listen, err)
	case port == "0" || port == "":
		return nil, fmt.Errorf("PostgreSQL is to listen on %q: name a port, since it cannot choose one", o.Listen)
	case o.Password == "":
		return nil, errors.New("PostgreSQL is to listen on a port, so it needs a password")
	}
	if host == "" {
		host = "*"
	}
	file := filepath.Join(s.dataDir, accessName)
	if err := os.WriteFile(file, []byte(access), 0o644); err != nil { //nolint:gosec // read by the user the server runs as; no secret
		return nil, err
	}
	s.port = port
	return map[string]string{"listen_addresses": host, "port": port, "hba_file": file}, nil
}

// setPassword has the server remember the superuser's password for connections over TCP; "" leaves it as it is.
func setPassword(ctx context.Context, conn *pgx.Conn, password string) error {
	if password == "" {
		return nil
	}
	_, err := conn.Exec(ctx, "ALTER ROLE "+pgx.Identifier{Superuser}.Sanitize()+" PASSWORD "+
		"'"+strings.ReplaceAll(password, "'", "''")+"'") // standard_conforming_strings is on in every server that Find accepts
	return err
}
