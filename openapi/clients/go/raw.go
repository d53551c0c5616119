package tally

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Raw is any request of the API: for what has no method here, such as a call that only a newer server knows.
type Raw struct {
	Method string // GET when empty
	Path   string // after the server's address, percent-encoded: /logs/acme
	Query  string // encoded, as by url.Values
	// Header is added to what each request of the client has.
	Header http.Header
	// Body is encoded once: []byte, json.RawMessage and string are sent byte for byte, anything else as encoding/json writes it; nil for
	// none.
	Body any
	// Repeatable: to send it twice is as good as once. It is then sent again after lost connections, as a GET is.
	Repeatable bool
}

// RawAnswer is the server's answer to one.
type RawAnswer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request of one's own, with the client's key, and reads the answer. What the server refuses is an *Error, as of all calls.
func (c *Client) Do(ctx context.Context, raw Raw) (RawAnswer, error) {
	r := request{method: raw.Method, query: raw.Query, header: raw.Header, safe: raw.Repeatable}
	for segment := range strings.SplitSeq(strings.TrimPrefix(raw.Path, "/"), "/") {
		name, err := url.PathUnescape(segment)
		if err != nil {
			return RawAnswer{}, fmt.Errorf("the path %q: %w", raw.Path, err)
		}
		r.path = append(r.path, name)
	}
	if r.method == "" {
		r.method = http.MethodGet
	}
	r.safe = r.safe || r.method == http.MethodGet
	if raw.Body != nil {
		body, err := encode(raw.Body)
		if err != nil {
			return RawAnswer{}, err
		}
		r.body = body
		if r.header.Get("Content-Type") == "" {
			r.contentType = jsonType
		}
	}
	a, err := c.ask(ctx, r)
	return RawAnswer{Status: a.status, Header: a.header, Body: a.body}, err
}
