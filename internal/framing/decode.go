package framing

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Decode returns r's bytes without their Content-Encoding: "" or identity, gzip (or x-gzip), zstd. Any other is an *EncodingError, as are
// several at once. A body without bytes is empty in every encoding; members of gzip and frames of zstd may follow one another.
//
// Reading fails with a *TooLargeError instead of returning more than limit bytes, so a bomb ends early, and with a *CorruptError at the end
// of a stream that is broken, cut short, or followed by something else. Errors of r are returned as they are. Nothing is read before the
// first Read. Close gives the reader's memory back and does not close r; it may be called twice.
//
// Like r, what is returned is for one goroutine at a time.
func Decode(r io.Reader, encoding string, limit int64) (io.ReadCloser, error) {
	return DecodeBooked(r, encoding, limit, func(int64) error { return nil })
}

// DecodeBooked is Decode for a caller that accounts for memory: book is called with how many bytes decoding needs in all, before it takes
// them, and again where it turns out to need more; at most MaxMemory. Nothing is needed without an encoding. An error of book is returned
// by Read, as it is. The memory is returned by Close, and when Read fails or is at its end.
func DecodeBooked(r io.Reader, encoding string, limit int64, book func(bytes int64) error) (io.ReadCloser, error) {
	d := &decoded{from: source{r: r, book: book}, limit: limit}
	switch strings.ToLower(strings.Trim(encoding, " \t")) {
	case "", "identity":
		d.open, d.from.allowed = identity, limit+1
		return d, nil
	case "gzip", "x-gzip":
		d.encoding, d.open = "gzip", openGzip
	case "zstd":
		d.encoding, d.open = "zstd", openZstd
	default:
		return nil, &EncodingError{Encoding: encoding}
	}
	// An encoding may make bytes more, but not many: else members without content would go on for ever.
	d.from.allowed = limit + limit/8 + 64<<10
	return d, nil
}

// decoded reads a body without its encoding.
type decoded struct {
	from     source
	encoding string
	open     func(*source) (decoder, error)
	decoder  decoder // nil before the first read, and after the end
	limit    int64   // bytes that may still be returned
	returned int64
	err      error
}

// decoder takes off one encoding.
type decoder interface {
	io.Reader
	// release puts it back into its pool.
	release()
}

func (d *decoded) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if d.decoder == nil {
		if d.decoder, d.err = d.open(&d.from); d.err != nil {
			return 0, d.fail(d.err)
		}
	}
	n, err := d.decoder.Read(p[:min(int64(len(p)), d.limit-d.returned+1)])
	if d.returned += int64(n); d.returned > d.limit {
		return n - 1, d.fail(&TooLargeError{Limit: d.limit})
	}
	if err != nil {
		err = d.fail(err)
	}
	return n, err
}

// fail ends the body, and says why in this package's terms.
func (d *decoded) fail(err error) error {
	var tooLarge *TooLargeError
	switch {
	case errors.As(err, &tooLarge):
	case d.from.err != nil: // else a cut connection would look like a truncated stream
		err = d.from.err
	case d.from.full():
		err = &TooLargeError{Limit: d.limit}
	case errors.Is(err, io.EOF):
		err = io.EOF
	default:
		err = &CorruptError{Encoding: d.encoding, Reason: reason(err)}
	}
	d.err = err
	d.releaseDecoder()
	return err
}

func (d *decoded) Close() error {
	if d.err == nil {
		d.err = errors.New("framing: read after Close")
	}
	d.releaseDecoder()
	d.from.r = nil
	return nil
}

func (d *decoded) releaseDecoder() {
	if d.decoder != nil {
		d.decoder.release()
		d.decoder = nil
	}
}

// reason says in words what a decoder found.
func reason(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return "something else follows, or comes instead"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return "its checksum is wrong"
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Sprintf("its window is larger than %d MiB; compress at a lower level", maxWindow>>20)
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return "it needs a dictionary, and none is known here"
	default:
		return err.Error()
	}
}

// source is what a decoder reads from. It remembers why r ended, which decoders cannot be relied on to report.
type source struct {
	r       io.Reader
	allowed int64 // bytes that may still be read
	err     error // of r, but io.EOF; or of book
	book    func(bytes int64) error
}

// need books memory for decoding, so many bytes in all.
func (s *source) need(bytes int64) error {
	if err := s.book(bytes); err != nil {
		s.err = err
		return err
	}
	return nil
}

func (s *source) full() bool { return s.allowed <= 0 }

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.full() {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.allowed)])
	s.allowed -= int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// plain is the identity encoding.
type plain struct{ *source }

func identity(from *source) (decoder, error) { return plain{from}, nil }

func (plain) release() {}

// gzipDecoder has a buffer of its own, so that its reader, which wants single bytes, has none that refers to a body when it is pooled.
type gzipDecoder struct {
	*gzip.Reader
	buffer *bufio.Reader
}

const (
	gzipBuffer = 4 << 10
	// gzipMemory is about what a gzipDecoder takes: a window of 32 KiB, its tables, and the buffer.
	gzipMemory = 48 << 10
)

var gzipDecoders = sync.Pool{New: func() any {
	return &gzipDecoder{Reader: new(gzip.Reader), buffer: bufio.NewReaderSize(nil, gzipBuffer)}
}}

func openGzip(from *source) (decoder, error) {
	if err := from.need(gzipMemory); err != nil {
		return nil, err
	}
	d, ok := gzipDecoders.Get().(*gzipDecoder)
	if !ok {
		return nil, errors.New("framing: the pool of gzip holds something else")
	}
	d.buffer.Reset(from)
	if err := d.Reset(d.buffer); err != nil {
		d.release()
		return nil, err
	}
	return d, nil
}

func (d *gzipDecoder) release() {
	d.buffer.Reset(nil)
	gzipDecoders.Put(d)
}
