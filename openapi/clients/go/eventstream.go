package tally

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// streamSilence is how long a stream of events may be silent: with a filter that rarely matches, the server searches for a while.
const streamSilence = 2 * time.Minute

// EventStream is a stream of events, a line each. It is not safe for concurrent use.
type EventStream struct {
	body io.ReadCloser
	in   *bufio.Reader
	line []byte
}

func newEventStream(body io.ReadCloser) *EventStream {
	return &EventStream{body: body, in: bufio.NewReaderSize(body, 256<<10)}
}

// Next returns the next event's line, with its end, valid until the next call. The error is io.EOF after the last event, and another if the
// connection was cut.
func (s *EventStream) Next() ([]byte, error) {
	s.line = s.line[:0]
	for {
		part, err := s.in.ReadSlice('\n')
		if err == nil && len(s.line) == 0 {
			return part, nil
		}
		s.line = append(s.line, part...)
		switch {
		case err == nil:
			return s.line, nil
		case len(s.line) > maxMessageBytes:
			return nil, errMessageTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(s.line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, cutOff(io.ErrUnexpectedEOF)
		default:
			return nil, cutOff(err)
		}
	}
}

// Close closes the connection.
func (s *EventStream) Close() error { return s.body.Close() }

// cutOff is the error of a stream whose connection was lost.
func cutOff(err error) error {
	return &Error{Code: CodeConnection, Detail: fmt.Sprintf("the connection was lost: %v", err), cause: err, retry: true}
}
