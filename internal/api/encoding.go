package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/limits"
)

const (
	// takesEncodings marks, in an operation's metadata, one whose body may have a Content-Encoding; its MaxBodyBytes bounds what comes out.
	takesEncodings = "takes encodings"
	// encodings are those that are taken, for a client that sent another (RFC 9110, section 12.5.3).
	encodings = "gzip, zstd"

	nothingStored = "; nothing was stored"
)

func takingEncodings() map[string]any { return map[string]any{takesEncodings: true} }

// encodingParameter describes Content-Encoding.
func encodingParameter() []*huma.Param {
	return []*huma.Param{{
		Name: "Content-Encoding", In: "header", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"gzip", "zstd"}},
		Description: "How the body is compressed, if it is. Limits of its size hold for what comes out.",
	}}
}

// contentEncoding is the encoding of a request's body, as sent; "" for none.
func contentEncoding(r *http.Request) string {
	values := r.Header["Content-Encoding"]
	if len(values) == 0 || r.ContentLength == 0 {
		return ""
	}
	if encoding := strings.Join(values, ", "); !strings.EqualFold(encoding, "identity") {
		return encoding
	}
	return ""
}

// takeEncoding has a body's encoding taken off as it is read, where the operation takes any; else it returns the problem. Where gateways
// deliver that is done elsewhere.
func takeEncoding(r *http.Request, operation *huma.Operation) *Problem {
	body := requestOf(r.Context()).body
	switch {
	case body == nil || body.encoding == "" || operation.Metadata[gatewayOperation] != nil:
		return nil
	case operation.Metadata[takesEncodings] == nil:
		p := newProblem("content_encoding",
			fmt.Sprintf("the body's Content-Encoding is %q; send it as it is, without one", shortened(body.encoding)))
		p.header = http.Header{"Accept-Encoding": {"identity"}}
		return p
	}
	return encodingProblem(body.decode(operation.MaxBodyBytes-1), nothingStored)
}

// decode has the encoding taken off what is read from then on, of which there may be limit bytes. What is booked is the memory of what
// comes out, and of decoding; what is charged are the bytes that arrive. The error is a *framing.EncodingError.
func (b *bookedBody) decode(limit int64) error {
	decoded, err := framing.DecodeBooked(&chargedReader{b.sent, b.account}, b.encoding, limit, func(bytes int64) error {
		b.decoding = bytes
		return b.book(bytes, b.allowed)
	})
	if err != nil {
		return err
	}
	b.ReadCloser = &decodedBody{ReadCloser: decoded, sent: b.sent}
	b.encoding, b.account = "", limits.Account{}
	return nil
}

// chargedReader charges what is read.
type chargedReader struct {
	io.Reader
	account limits.Account
}

func (c *chargedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if over := c.account.Bytes(int64(n)); over != nil {
		return 0, over
	}
	return n, err
}

// decodedBody is a body without its encoding.
type decodedBody struct {
	io.ReadCloser
	sent io.Closer
}

func (d *decodedBody) Close() error { return errors.Join(d.ReadCloser.Close(), d.sent.Close()) }

// encodingProblem maps what is wrong with an encoded body, and adds what has become of it; nil where err is of another kind.
func encodingProblem(err error, outcome string) *Problem {
	var unknown *framing.EncodingError
	var large *framing.TooLargeError
	var corrupt *framing.CorruptError
	switch {
	case errors.As(err, &unknown):
		p := newProblem("content_encoding", unknown.Error()+outcome)
		p.header = http.Header{"Accept-Encoding": {encodings}}
		return p
	case errors.As(err, &large):
		return newProblem("body_too_large", large.Error()+outcome)
	case errors.As(err, &corrupt):
		return newProblem("body_corrupt", corrupt.Error()+outcome)
	}
	return nil
}
