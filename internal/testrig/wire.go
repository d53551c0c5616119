package testrig

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Wire stands between a server and PostgreSQL and does harm when told to.
type Wire struct {
	DSN string // the way to PostgreSQL over the wire

	target *pgconn.Config
	trips  atomic.Int64
	lose   atomic.Int32
	skip   atomic.Int32           // how many answers to COMMIT are still to pass
	errors atomic.Int32           // how many after those are to be made errors
	state  atomic.Pointer[string] // their SQLSTATE
}

// What a wire loses next.
const (
	loseNothing int32 = iota
	loseRequest
	loseAnswer
)

// NewWire opens a wire to the database until the test ends.
func NewWire(t testing.TB, dsn string) *Wire {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{target: &config.Config}
	w.DSN = fmt.Sprintf("host=127.0.0.1 port=%s user='%s' password='%s' dbname='%s' sslmode=disable", port, config.User, config.Password, config.Database)
	go func() {
		for {
			server, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(server)
		}
	}()
	return w
}

// LoseRequest loses what the server sends next, and breaks its connection.
func (w *Wire) LoseRequest() { w.lose.Store(loseRequest) }

// LoseAnswer loses the answer to what the server sends next, and breaks its connection.
func (w *Wire) LoseAnswer() { w.lose.Store(loseAnswer) }

// FailCommit turns the answer to the next commit but skip, which PostgreSQL has made, into an error with the SQLSTATE, as a proxy can.
func (w *Wire) FailCommit(skip int, state string) {
	w.state.Store(&state)
	w.skip.Store(int32(skip))
	w.errors.Store(1)
}

// Done tells whether the wire has done what it was told to.
func (w *Wire) Done() bool { return w.lose.Load() == loseNothing && w.errors.Load() <= 0 }

// Trips is how many round trips the wire has carried.
func (w *Wire) Trips() int64 { return w.trips.Load() }

func (w *Wire) carry(server net.Conn) {
	defer server.Close()
	network, address := pgconn.NetworkAddress(w.target.Host, w.target.Port)
	database, err := net.Dial(network, address) //nolint:noctx // it ends with the connection
	if err != nil {
		return
	}
	defer database.Close()
	var losing atomic.Bool
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		w.answer(server, database, &losing)
		_ = server.Close()
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		switch w.lose.Swap(loseNothing) {
		case loseRequest:
			return
		case loseAnswer:
			losing.Store(true)
		}
		if _, err := database.Write(buf[:n]); err != nil {
			return
		}
		if losing.Load() {
			<-answers
			return
		}
	}
}

// answer carries what the database says until it is to be lost, and returns when that is complete.
func (w *Wire) answer(server io.Writer, database io.Reader, losing *atomic.Bool) {
	ready := []byte("Z\x00\x00\x00\x05") // ReadyForQuery, but for the state that follows
	buf := make([]byte, 1<<20)
	var held []byte // may be the beginning of an answer to COMMIT
	var tail []byte // may be the beginning of a ReadyForQuery
	for {
		n, err := database.Read(buf)
		if err != nil {
			return
		}
		seen := slices.Concat(tail, buf[:n])
		w.trips.Add(int64(bytes.Count(seen, ready)))
		tail = seen[max(0, len(seen)-len(ready)+1):]
		if losing.Load() {
			if n > len(ready) && bytes.Equal(buf[n-len(ready)-1:n-1], ready) {
				return
			}
			continue
		}
		var out []byte
		out, held = w.fail(append(held, buf[:n]...))
		if _, err := server.Write(out); err != nil {
			return
		}
	}
}

// committed is CommandComplete for COMMIT.
var committed = []byte("C\x00\x00\x00\x0bCOMMIT\x00")

// fail replaces the answers to COMMIT that are to be errors. What may be the beginning of one is held back.
func (w *Wire) fail(said []byte) (out, held []byte) {
	for {
		at := bytes.Index(said, committed)
		if at < 0 {
			break
		}
		out = append(out, said[:at]...)
		if w.skip.Add(-1) < 0 && w.errors.Add(-1) >= 0 {
			fields := "SERROR\x00VERROR\x00C" + *w.state.Load() + "\x00Mcould not commit on at least one node\x00\x00"
			out = append(out, 'E', 0, 0, 0, byte(4+len(fields)))
			out = append(out, fields...)
		} else {
			out = append(out, committed...)
		}
		said = said[at+len(committed):]
	}
	for n := min(len(committed)-1, len(said)); n > 0; n-- {
		if bytes.HasSuffix(said, committed[:n]) {
			return append(out, said[:len(said)-n]...), bytes.Clone(said[len(said)-n:])
		}
	}
	return append(out, said...), nil
}
