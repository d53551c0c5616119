package tally

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

const (
	// maxMessageBytes bounds a server-sent event: the line of an event of 1 MiB has up to 8 MiB, since it may hold the event twice, once
	// with every byte escaped.
	maxMessageBytes = 16 << 20
)

var errMessageTooLarge = errors.New("the server sent an event that is larger than any of Tallystick's; is the address right?")

// message is a server-sent event.
type message struct {
	id    string // the last one in the stream
	event string // its name; message by default
	data  []byte // its lines, without the final newline
}

// messages reads server-sent events as the HTML standard specifies (section 9.2.6). It is not safe for concurrent use.
type messages struct {
	// retry is the last reconnection time in the stream; 0 without one.
	retry time.Duration
	// last is the id to resume after: that of the last event that is whole, with or without data.
	last string

	in      *bufio.Reader
	buf     []byte // a line
	skipLF  bool   // the line before ended in CR; skip an LF that belongs to it
	begun   bool
	id      string
	message message
	hasData bool
}

// newMessages returns a reader for a stream. id is the last id of an earlier connection, or empty.
func newMessages(in io.Reader, id string) *messages {
	return &messages{in: bufio.NewReaderSize(in, 32<<10), id: id, last: id}
}

// next returns the next event. The caller owns its data. It does not return an event that is cut off: the error is then the connection's,
// or io.EOF after a clean end.
func (m *messages) next() (message, error) {
	m.message, m.hasData = message{}, false
	for {
		line, err := m.line()
		if err != nil {
			return message{}, err
		}
		if !m.begun {
			m.begun = true
			line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		}
		if len(line) == 0 {
			m.last = m.id
			if !m.hasData {
				m.message = message{}
				continue
			}
			done := m.message
			done.id = m.id
			if done.event == "" {
				done.event = "message"
			}
			return done, nil
		}
		if err := m.field(line); err != nil {
			return message{}, err
		}
	}
}

// field reads a line that is not empty. A comment has no name.
func (m *messages) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		m.message.event = string(value)
	case "data":
		if m.hasData {
			m.message.data = append(m.message.data, '\n')
		}
		m.hasData = true
		m.message.data = append(m.message.data, value...)
		if len(m.message.data) > maxMessageBytes {
			return errMessageTooLarge
		}
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			m.id = string(value)
		}
	case "retry":
		if millis, err := strconv.ParseUint(string(value), 10, 63); err == nil {
			m.retry = time.Duration(min(millis, uint64(maxReconnect/time.Millisecond))) * time.Millisecond
		}
	}
	return nil
}

// line reads up to CR, LF or both. It returns after a CR at once: the LF after it may arrive much later.
func (m *messages) line() ([]byte, error) {
	m.buf = m.buf[:0]
	for {
		if _, err := m.in.Peek(1); err != nil {
			return nil, err
		}
		chunk, _ := m.in.Peek(m.in.Buffered()) // all of it is there
		if m.skipLF {
			m.skipLF = false
			if chunk[0] == '\n' {
				_, _ = m.in.Discard(1) // it is there
				continue
			}
		}
		end := bytes.IndexAny(chunk, "\r\n")
		if end < 0 {
			m.buf = append(m.buf, chunk...)
			_, _ = m.in.Discard(len(chunk)) // it is there
			if len(m.buf) > maxMessageBytes {
				return nil, errMessageTooLarge
			}
			continue
		}
		m.buf = append(m.buf, chunk[:end]...)
		m.skipLF = chunk[end] == '\r'
		_, _ = m.in.Discard(end + 1) // it is there
		return m.buf, nil
	}
}
