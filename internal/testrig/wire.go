package testrig

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Wire is a proxy between a server and PostgreSQL that causes faults on demand.
type Wire struct {
	DSN string // connects to PostgreSQL through the wire

	target *pgconn.Config
	trips  atomic.Int64
	lose   atomic.Int32
	skip   atomic.Int32           // how many more commits pass
	errors atomic.Int32           // how many commits after those get an error
	state  atomic.Pointer[string] // their SQLSTATE
	hang   hanging
}

// What a wire loses next.
const (
	loseNothing int32 = iota
	loseRequest
	loseAnswer
)

// NewWire starts a wire to the database, which ends with the test.
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
	w.DSN = fmt.Sprintf("host=127.0.0.1 port=%s user='%s' password='%s' dbname='%s' sslmode=disable",
		port, config.User, config.Password, config.Database)
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

// LoseRequest drops what the server sends next, and breaks its connection.
func (w *Wire) LoseRequest() { w.lose.Store(loseRequest) }

// LoseAnswer drops the reply to what the server sends next, and breaks its connection.
func (w *Wire) LoseAnswer() { w.lose.Store(loseAnswer) }

// FailCommit replaces the reply to a commit with an error of that SQLSTATE, although PostgreSQL has committed, as a proxy can. It lets skip
// commits pass first.
func (w *Wire) FailCommit(skip int, state string) {
	w.state.Store(&state)
	w.skip.Store(int32(skip))
	w.errors.Store(1)
}

// Done reports whether the wire has caused the faults it was asked for.
func (w *Wire) Done() bool { return w.lose.Load() == loseNothing && w.errors.Load() <= 0 }

// Trips returns how many round trips the wire has carried.
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
	lane := false // whether the connection is one of a lane
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
		lane = lane || bytes.Contains(buf[:n], idleOfLanes)
		message := bytes.Replace(buf[:n], idleOfLanes, shortIdle, 1)
		if w.hang.arrive(lane) {
			if _, err := database.Write(message[:n/2]); err != nil {
				return
			}
			message = message[n/2:]
		}
		w.hang.wait()
		if _, err := database.Write(message); err != nil {
			return
		}
		if losing.Load() {
			<-answers
			return
		}
	}
}

// answer carries replies from the database. It drops the reply that is to be lost, and returns once that is complete.
func (w *Wire) answer(server io.Writer, database io.Reader, losing *atomic.Bool) {
	said := bufio.NewReaderSize(database, 1<<20)
	out := bufio.NewWriterSize(server, 1<<20)
	stored := false // whether a statement since the last ReadyForQuery stored something
	for {
		message, err := readMessage(said)
		if err != nil {
			return
		}
		tag := ""
		switch message[0] {
		case commandComplete:
			tag = string(message[messageHeader : len(message)-1])
		case readyForQuery:
			w.trips.Add(1)
		}
		if losing.Load() {
			if message[0] == readyForQuery {
				return
			}
			continue
		}
		switch {
		case tag == "COMMIT" && w.fails():
			message = w.failure()
		case strings.HasPrefix(tag, "INSERT"):
			stored = true
		case message[0] == readyForQuery:
			if stored && message[messageHeader] == idle && w.fails() { // committed without a COMMIT
				_, _ = out.Write(w.failure())
			}
			stored = false
		}
		if tag == "COMMIT" {
			stored = false
		}
		if _, err := out.Write(message); err != nil {
			return
		}
		if said.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return
			}
		}
	}
}

// Messages from PostgreSQL, by its protocol (55.7, Message Formats): one byte for the type, and four for the length, which includes those
// four.
const (
	messageHeader   = 5
	commandComplete = 'C'
	readyForQuery   = 'Z'
	idle            = 'I'
)

func readMessage(from *bufio.Reader) ([]byte, error) {
	header, err := from.Peek(messageHeader)
	if err != nil {
		return nil, err
	}
	message := make([]byte, 1+binary.BigEndian.Uint32(header[1:]))
	_, err = io.ReadFull(from, message)
	return message, err
}

// fails reports whether the reply to this commit is to be an error.
func (w *Wire) fails() bool { return w.skip.Add(-1) < 0 && w.errors.Add(-1) >= 0 }

func (w *Wire) failure() []byte {
	fields := "SERROR\x00VERROR\x00C" + *w.state.Load() + "\x00Mcould not commit on at least one node\x00\x00"
	return append([]byte{'E', 0, 0, 0, byte(4 + len(fields))}, fields...)
}
