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
	// sseWriteTimeout is how long a client may take for what is sent to it at once. One that does not read is cut off, and resumes where
	// it was.
	sseWriteTimeout = 10 * time.Second
	// reconnectMillis is when a client should come back after the connection ended.
	reconnectMillis = 1000
)

// sse writes server-sent events, as HTML's section 9.2 has them.
type sse struct {
	w          http.ResponseWriter
	connection *http.ResponseController
	buf        []byte
}

// newSSE begins a stream of events. A comment says what it is.
func newSSE(w http.ResponseWriter, comment string) *sse {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	h.Set("X-Content-Type-Options", "nosniff")
	s := &sse{w: w, connection: http.NewResponseController(w)}
	s.buf = append(s.buf, ": "+comment+"\nretry: "+strconv.Itoa(reconnectMillis)+"\n\n"...)
	return s
}

// add adds an event to what flush sends. Line breaks of data go into lines of their own.
func (s *sse) add(id int64, event string, data []byte) {
	if id >= 0 {
		s.buf = append(s.buf, "id: "...)
		s.buf = append(strconv.AppendInt(s.buf, id, 10), '\n')
	}
	s.buf = append(append(append(s.buf, "event: "...), event...), '\n')
	for more := true; more; {
		var line []byte
		line, data, more = bytes.Cut(data, []byte("\n"))
		s.buf = append(append(append(s.buf, "data: "...), bytes.TrimSuffix(line, []byte("\r"))...), '\n')
	}
	s.buf = append(s.buf, '\n')
}

func (s *sse) heartbeat() error {
	s.buf = append(s.buf, ": still here\n\n"...)
	return s.flush()
}

// flush sends what was added. The error means that the client is gone, or does not read.
func (s *sse) flush() error {
	if err := s.connection.SetWriteDeadline(time.Now().Add(sseWriteTimeout)); err != nil {
		return err
	}
	_, err := s.w.Write(s.buf)
	s.buf = s.buf[:0]
	if err != nil {
		return err
	}
	return s.connection.Flush()
}

// end says why the stream ends. The client may be gone.
func (s *sse) end(p *Problem) {
	text, err := json.Marshal(p)
	if err != nil {
		return // a problem can always be encoded
	}
	s.add(-1, "end", text)
	_ = s.flush()
}
