package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

const (
	// maxMessageBytes bounds a server-sent event: an event of 1 MiB takes up to 8 as a line, since it may be there twice, the second time
	// with every byte escaped.
	maxMessageBytes = 16 << 20
	// maxRetry bounds what a server may say about when to come back, so that it cannot send us away for good.
	maxRetry = time.Minute
)

var errMessageTooLarge = errors.New("the server sent an event that is larger than any of Tallystick's; is --url right?")

// Message is a server-sent event.
type Message struct {
	ID    string // the last one that the stream gave
	Event string // its name; message where the stream gives none
	Data  []byte // its lines, without the last one's end
}

// Messages reads server-sent events as the HTML standard says (section 9.2.6). It is for one goroutine.
type Messages struct {
	// Retry is when to come back after the connection ended, as the stream said last; 0: it did not.
	Retry time.Duration

	in      *bufio.Reader
	buf     []byte // a line
	skipLF  bool   // the line before ended in CR, which an LF may belong to
	begun   bool
	id      string
	message Message
	hasData bool
}

// NewMessages reads a stream of events from its beginning. id is the last one of an earlier connection, or empty.
func NewMessages(in io.Reader, id string) *Messages {
	return &Messages{in: bufio.NewReaderSize(in, 32<<10), id: id}
}

// Next returns the next event. Its data is the caller's. An event that the stream ends in is not returned: the error is then the
// connection's, io.EOF when it ended in order.
func (m *Messages) Next() (Message, error) {
	m.message, m.hasData = Message{}, false
	for {
		line, err := m.line()
		if err != nil {
			return Message{}, err
		}
		if !m.begun {
			m.begun = true
			line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		}
		if len(line) == 0 {
			if !m.hasData {
				m.message = Message{}
				continue
			}
			done := m.message
			done.ID = m.id
			if done.Event == "" {
				done.Event = "message"
			}
			return done, nil
		}
		if err := m.field(line); err != nil {
			return Message{}, err
		}
	}
}

// field takes a line that is not empty. A comment has no name.
func (m *Messages) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		m.message.Event = string(value)
	case "data":
		if m.hasData {
			m.message.Data = append(m.message.Data, '\n')
		}
		m.hasData = true
		m.message.Data = append(m.message.Data, value...)
		if len(m.message.Data) > maxMessageBytes {
			return errMessageTooLarge
		}
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			m.id = string(value)
		}
	case "retry":
		if millis, err := strconv.ParseUint(string(value), 10, 63); err == nil {
			m.Retry = time.Duration(min(millis, uint64(maxRetry/time.Millisecond))) * time.Millisecond
		}
	}
	return nil
}

// line reads up to CR, LF or both. A CR ends it at once: an LF after it may be long in coming.
func (m *Messages) line() ([]byte, error) {
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
