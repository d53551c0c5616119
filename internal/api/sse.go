package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const (
	// heartbeatEvery keeps proxies from cutting a connection on which nothing moves, and shows a client that it is still there: well
	// below the minute that most of them allow.
	heartbeatEvery = 15 * time.Second
	// sseWriteTimeout is how long a client may take to read sseChunkBytes. One that does not read is cut off, and resumes where it was.
	sseWriteTimeout = 10 * time.Second
	// lastWordsTimeout replaces it when the server stops, which must not wait for a client that does not read.
	lastWordsTimeout = time.Second
	// sseChunkBytes is how much is gathered before it is sent, what is sent at once, and what a stream keeps for its next messages: there
	// may be thousands.
	sseChunkBytes = 32 << 10
	// reconnectMillis is when a client should come back after the connection ended.
	reconnectMillis = 1000
	// noID is the id of a message from which no client resumes.
	noID = -1
)

// sse writes server-sent events, as HTML's section 9.2 has them.
type sse struct {
	w          http.ResponseWriter
	connection *http.ResponseController
	timeout    time.Duration   // for what is sent at once
	stopping   <-chan struct{} // closed when the server stops
	buf        []byte
}

func newSSE(w http.ResponseWriter, timeout time.Duration, stopping <-chan struct{}) *sse {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	h.Set("X-Content-Type-Options", "nosniff")
	return &sse{w: w, connection: http.NewResponseController(w), timeout: timeout, stopping: stopping}
}

// begin sends a comment that describes the stream, and an id to resume from, which a client would lack if the connection were lost before
// the first message.
func (s *sse) begin(comment string, id int64) error {
	s.buf = append(s.buf, ": "+comment+"\nretry: "+strconv.Itoa(reconnectMillis)+"\n"...)
	s.addID(id)
	s.buf = append(s.buf, '\n')
	return s.flush()
}

func (s *sse) addID(id int64) {
	if id != noID {
		s.buf = append(s.buf, "id: "...)
		s.buf = append(strconv.AppendInt(s.buf, id, 10), '\n')
	}
}

// add adds an event to what flush sends, and sends already what is much: no more than sseChunkBytes of it are held twice. Line breaks of
// data go into lines of their own: a client reads a line feed for each. The error means that the client is gone, or does not read.
func (s *sse) add(id int64, event string, data []byte) error {
	s.addID(id)
	s.buf = append(append(append(s.buf, "event: "...), event...), "\ndata: "...)
	for {
		end := bytes.IndexAny(data, "\r\n")
		if end < 0 {
			break
		}
		if err := s.addText(data[:end], "\ndata: "); err != nil {
			return err
		}
		if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
			end++
		}
		data = data[end+1:]
	}
	return s.addText(data, "\n\n")
}

// addText adds text and what ends it.
func (s *sse) addText(text []byte, end string) error {
	for len(s.buf)+len(text) >= sseChunkBytes {
		n := max(min(len(text), sseChunkBytes-len(s.buf)), 0)
		s.buf, text = append(s.buf, text[:n]...), text[n:]
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.buf = append(append(s.buf, text...), end...)
	return nil
}

// heartbeat shows that the stream goes on. An id moves on where a client resumes: messages may be left out, of another type than it wants.
func (s *sse) heartbeat(id int64) error {
	s.buf = append(s.buf, ": still here\n"...)
	s.addID(id)
	s.buf = append(s.buf, '\n')
	return s.flush()
}

// flush sends what was added, in pieces that each have their time: a slow client gets on. The error is that of add.
func (s *sse) flush() error {
	rest := s.buf
	s.buf = s.buf[:0]
	if cap(s.buf) > 2*sseChunkBytes {
		s.buf = nil
	}
	for len(rest) > 0 {
		if err := s.connection.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
			return err
		}
		if closed(s.stopping) { // hurry is called when that changes, but may have been called just before
			s.hurry()
		}
		n, err := s.w.Write(rest[:min(len(rest), sseChunkBytes)])
		if err != nil {
			return err
		}
		if rest = rest[n:]; len(rest) > 0 {
			continue
		}
		return s.connection.Flush()
	}
	return nil
}

// hurry shortens the deadline of what is being sent to lastWordsTimeout. It may be called from any goroutine.
func (s *sse) hurry() {
	_ = s.connection.SetWriteDeadline(time.Now().Add(lastWordsTimeout)) // one that cannot have a deadline had none before
}

// end sends why the stream ends. The client may be gone.
func (s *sse) end(p *Problem) {
	text, err := json.Marshal(p)
	if err != nil {
		return // a problem can always be encoded
	}
	if s.add(noID, "end", text) == nil {
		_ = s.flush()
	}
}
