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

// Wire stands between a server and PostgreSQL and does harm when told to.
type Wire struct {
	DSN string // the way to PostgreSQL over the wire

	target *pgconn.Config
	trips  atomic.Int64
	lose   atomic.Int32
	skip   atomic.Int32           // how many commits are still to pass
	errors atomic.Int32           // how many after those are to be made errors
	state  atomic.Pointer[string] // their SQLSTATE
	hang   hanging
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

// Done reports whether the wire has done what it was told to.
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
		w.hang.wait(lane)
		if _, err := database.Write(bytes.Replace(buf[:n], idleOfLanes, shortIdle, 1)); err != nil {
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
	said := bufio.NewReaderSize(database, 1<<20)
	out := bufio.NewWriterSize(server, 1<<20)
	stored := false // something, by a statement since the last ReadyForQuery
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
			if stored && message[messageHeader] == idle && w.fails() { // it was committed without a COMMIT
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

// What PostgreSQL says, by its protocol (55.7, Message Formats): a byte for the kind, and four for the length of what follows, which count
// themselves.
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

// fails reports whether a commit is one of those whose answer is to be an error.
func (w *Wire) fails() bool { return w.skip.Add(-1) < 0 && w.errors.Add(-1) >= 0 }

func (w *Wire) failure() []byte {
	fields := "SERROR\x00VERROR\x00C" + *w.state.Load() + "\x00Mcould not commit on at least one node\x00\x00"
	return append([]byte{'E', 0, 0, 0, byte(4 + len(fields))}, fields...)
}
