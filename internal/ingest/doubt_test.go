package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/testcontainers"
)

// TestDoubtIsSettled loses a group on its way to PostgreSQL, and PostgreSQL's answer on its way back: either way the
// append succeeds and its events, which have no keys, are there once.
func TestDoubtIsSettled(t *testing.T) {
	for name, loss := range map[string]int32{"the request": loseRequest, "the answer": loseAnswer} {
		for _, events := range []int{1, 3, 700} { // the last goes by COPY
			t.Run(fmt.Sprintf("%s of %d", name, events), func(t *testing.T) {
				d := testcontainers.New(t)
				w := newWire(t, d.DSN())
				var told []int64 // sequences, by the one lane; it tells before it answers
				node := testrig.Start(t, w.dsn, testrig.Settings{Lanes: 1, Committed: func(_ db.UUID, events []eventlog.Recorded) {
					for i := range events {
						told = append(told, events[i].Sequence)
					}
				}})
				log := node.NewLog(t)
				deployReadyViews(t, node, log)
				node.Append(t, log, keyless(t, 2)...)
				node.Append(t, log, keyless(t, events)...) // every statement has been prepared
				for range 3 {
					w.lose.Store(loss)
					node.Append(t, log, keyless(t, events)...)
					if w.lose.Load() != loseNothing {
						t.Fatal("nothing was lost")
					}
				}
				if got, want := node.Append(t, log, keyless(t, 1)...)[0], int64(2+4*events+1); got != (ingest.Placement{Sequence: want}) {
					t.Errorf("the last event is at %v, want %d", got, want)
				}
				for i, sequence := range told {
					if sequence != int64(i+1) {
						t.Fatalf("what was committed as event %d is told as event %d", i+1, sequence)
					}
				}
				if want := 2 + 4*events + 1; len(told) != want {
					t.Errorf("%d events were told of, want %d", len(told), want)
				}
				testrig.Check(t, d.DSN())
			})
		}
	}
}

// What a wire loses next.
const (
	loseNothing int32 = iota
	loseRequest
	loseAnswer
)

// wire stands between a server and PostgreSQL. Told to lose something, it does so with what the server sends next, and
// breaks that connection.
type wire struct {
	dsn    string
	target *pgconn.Config
	lose   atomic.Int32
}

func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	port := listener.Addr().(*net.TCPAddr).Port
	w := &wire{target: &config.Config}
	w.dsn = fmt.Sprintf("host=127.0.0.1 port=%d user='%s' password='%s' dbname='%s' sslmode=disable", port, config.User, config.Password, config.Database)
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

func (w *wire) carry(server net.Conn) {
	defer server.Close() //nolint:errcheck // nobody would be told
	network, address := pgconn.NetworkAddress(w.target.Host, w.target.Port)
	database, err := net.Dial(network, address)
	if err != nil {
		return
	}
	defer database.Close() //nolint:errcheck // nobody would be told
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
func (w *wire) answer(server io.Writer, database io.Reader, losing *atomic.Bool) {
	ready := []byte("Z\x00\x00\x00\x05") // ReadyForQuery, but for the state that follows
	buf := make([]byte, 1<<20)
	for {
		n, err := database.Read(buf)
		if err != nil {
			return
		}
		if !losing.Load() {
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		} else if n > len(ready) && bytes.Equal(buf[n-len(ready)-1:n-1], ready) {
			return
		}
	}
}

func keyless(t *testing.T, n int) []eventlog.Event {
	events := make([]eventlog.Event, n)
	for i := range events {
		events[i] = testrig.Parse(t, fmt.Sprintf(`{"model":"m","team":"a","tokens_in":%d}`, i), "")
	}
	return events
}
