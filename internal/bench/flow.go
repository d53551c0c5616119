package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// script appends a connection's next request to b and returns it with its number of events. The request is valid until the next call.
type script func(b []byte) (request []byte, events int)

// progress has the callbacks of a pump: more reports whether to send another request, done is called for each response.
type progress struct {
	more func(now time.Time) bool
	done func(events int, began, ended time.Time)
}

// appendRequest appends a request to b. headers are whole lines, each with its end.
func appendRequest(b []byte, method, path, headers string, body []byte) []byte {
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: localhost\r\n"...)
	b = append(b, keyLine...)
	b = append(b, headers...)
	if len(body) > 0 {
		b = append(b, "Content-Type: application/json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, body...)
}

var (
	headEnd          = []byte("\r\n\r\n")
	lengthHeader     = []byte("\r\nContent-Length: ")
	errNoLength      = errors.New("the answer does not say how long it is")
	errExtraResponse = errors.New("more than one answer came to one request")
)

// success begins the statuses that most requests get.
const success = "2"

// completeResponse reports whether b holds a whole response. A status that does not begin with want, or no Content-Length, is an error.
func completeResponse(b []byte, want string) (whole bool, err error) {
	end := bytes.Index(b, headEnd)
	if end < 0 {
		return false, nil
	}
	head, body := b[:end+2], b[end+len(headEnd):]
	if len(head) < len("HTTP/1.1 200") || string(head[:9]) != "HTTP/1.1 " {
		return false, errNotHTTP
	}
	at := bytes.Index(head, lengthHeader)
	if at < 0 {
		return false, errNoLength
	}
	digits := head[at+len(lengthHeader):]
	length, err := strconv.Atoi(string(digits[:bytes.IndexByte(digits, '\r')]))
	switch {
	case err != nil:
		return false, errNotHTTP
	case len(body) < length:
		return false, nil
	case len(body) > length:
		return false, errExtraResponse
	case !bytes.HasPrefix(head[9:], []byte(want)):
		return false, fmt.Errorf("the server answered %s: %s", head[9:12], body)
	}
	return true, nil
}
