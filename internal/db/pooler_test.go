package db_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
)

// pooler is a small pooler of transactions or sessions. It drops startup parameters, and gives each transaction, or client, the connection
// to PostgreSQL that was released last.
type pooler struct {
	t       *testing.T
	dsn     string
	session bool
	idle    chan *pgx.Conn
}

func startPooler(t *testing.T, dsn string, session bool) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p := &pooler{t: t, dsn: dsn, session: session, idle: make(chan *pgx.Conn, 100)}
	go func() {
		for number := uint32(1); ; number++ {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client, number)
		}
	}()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, listener.Addr(), config.Database)
}

func (p *pooler) serve(client net.Conn, number uint32) {
	defer client.Close() //nolint:errcheck // nobody would be told
	frontend := pgproto3.NewBackend(client, client)
	if _, err := frontend.ReceiveStartupMessage(); err != nil {
		return
	}
	frontend.Send(&pgproto3.AuthenticationOk{})
	frontend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "15.0"})
	frontend.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	frontend.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	frontend.Send(&pgproto3.BackendKeyData{ProcessID: 1<<30 + number, SecretKey: []byte{0, 0, 0, 1}})
	frontend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if frontend.Flush() != nil {
		return
	}
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			p.idle <- conn
		}
	}()
	for {
		message, err := frontend.Receive()
		if err != nil {
			return
		}
		if _, ends := message.(*pgproto3.Terminate); ends {
			return
		}
		if conn == nil {
			if conn = p.take(); conn == nil {
				return
			}
		}
		to := conn.PgConn().Frontend()
		to.Send(message)
		if to.Flush() != nil {
			return
		}
		switch message.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
			status, err := answer(frontend, to)
			if err != nil {
				return
			}
			if status == 'I' && !p.session {
				p.idle <- conn
				conn = nil
			}
		}
	}
}

// answer forwards messages from PostgreSQL until it is ready again.
func answer(to *pgproto3.Backend, from *pgproto3.Frontend) (status byte, err error) {
	for {
		message, err := from.Receive()
		if err != nil {
			return 0, err
		}
		to.Send(message)
		if ready, ok := message.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus, to.Flush()
		}
	}
}

func (p *pooler) take() *pgx.Conn {
	select {
	case conn := <-p.idle:
		return conn
	default:
	}
	conn, err := pgx.Connect(p.t.Context(), p.dsn)
	if err != nil && !errors.Is(err, io.EOF) {
		p.t.Error(err)
		return nil
	}
	return conn
}

// TestPoolers: a pooler that gives each client its own connection is as good as PostgreSQL, and the settings of connections hold. A pooler
// that shares connections between clients is refused, whatever else is allowed.
func TestPoolers(t *testing.T) {
	d := testdb.New(t)
	sessions, transactions := startPooler(t, d.DSN(), true), startPooler(t, d.DSN(), false)
	if err := db.Check(t.Context(), sessions, true); err != nil {
		t.Errorf("pooling sessions: %v", err)
	}
	pooled := opened(t, sessions)
	var role, commits, plans string
	const session = "SELECT current_user, current_setting('synchronous_commit'), current_setting('plan_cache_mode')"
	err := pooled.Read.QueryRow(t.Context(), session).Scan(&role, &commits, &plans)
	if err != nil || role != db.ServerRole || commits != "on" || plans != "force_generic_plan" {
		t.Errorf("pooling sessions, a connection acts as %s, commits with %s and plans with %s, %v", role, commits, plans, err)
	}
	var untrusted *db.UntrustedError
	err = db.Check(t.Context(), transactions, true)
	if !errors.As(err, &untrusted) || !strings.Contains(err.Error(), "pool_mode = session") {
		t.Errorf("pooling transactions: %v", err)
	}
}
