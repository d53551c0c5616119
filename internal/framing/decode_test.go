package framing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, body []byte, options ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, append([]zstd.EOption{zstd.WithEncoderConcurrency(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encoded is body in each encoding.
func encoded(t testing.TB, body []byte) map[string][]byte {
	t.Helper()
	return map[string][]byte{"identity": body, "gzip": gzipped(t, body), "zstd": zstandard(t, body)}
}

func decodeAll(t testing.TB, r io.Reader, encoding string, limit int64) ([]byte, error) {
	t.Helper()
	d, err := Decode(r, encoding, limit)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(d)
	end := err
	if err == nil {
		end = io.EOF // which ReadAll leaves out
	}
	if _, again := d.Read(make([]byte, 1)); !errors.Is(again, end) {
		t.Errorf("after %v comes %v", err, again)
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	return got, err
}

// text is a body that compresses a little.
func text(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, `{"type":"api.call","tokens":%d}`+"\n", random.IntN(1_000_000))
	}
	return b.Bytes()[:size]
}

func TestDecode(t *testing.T) {
	for _, size := range []int{0, 1, 100, 5_000, 3 << 20} {
		body := text(size)
		for encoding, sent := range encoded(t, body) {
			for name, chunks := range chunkings {
				got, err := decodeAll(t, chunks(bytes.NewReader(sent)), encoding, int64(size))
				if err != nil || !bytes.Equal(got, body) {
					t.Errorf("%d bytes, %s, %s: %d bytes, %v", size, encoding, name, len(got), err)
				}
			}
			if size == 0 {
				continue
			}
			got, err := decodeAll(t, bytes.NewReader(sent), encoding, int64(size-1))
			var tooLarge *TooLargeError
			if !errors.As(err, &tooLarge) || tooLarge.Limit != int64(size-1) || !bytes.Equal(got, body[:size-1]) {
				t.Errorf("%d bytes, %s, one too many: %d bytes, %v", size, encoding, len(got), err)
			}
		}
	}
}

func TestEncodings(t *testing.T) {
	body := []byte("{}")
	for encoding, sent := range map[string][]byte{
		"": body, " Identity": body, "GZIP": gzipped(t, body), "x-gzip": gzipped(t, body), "Zstd ": zstandard(t, body),
	} {
		if got, err := decodeAll(t, bytes.NewReader(sent), encoding, 100); err != nil || string(got) != "{}" {
			t.Errorf("%q: %q, %v", encoding, got, err)
		}
	}
	for _, encoding := range []string{"br", "deflate", "gzip, gzip", "identity, gzip", "gzip,", "snappy", "*", "zstd;q=1"} {
		var refused *EncodingError
		if _, err := Decode(strings.NewReader(""), encoding, 100); !errors.As(err, &refused) || refused.Encoding != encoding {
			t.Errorf("%q: %v", encoding, err)
		}
	}
}

// TestCutStreams cuts streams at every byte, and appends to them.
func TestCutStreams(t *testing.T) {
	body := text(300)
	for encoding, sent := range encoded(t, body) {
		if encoding == "identity" {
			continue
		}
		for cut := 1; cut < len(sent); cut++ {
			var corrupt *CorruptError
			got, err := decodeAll(t, bytes.NewReader(sent[:cut]), encoding, 1000)
			if !errors.As(err, &corrupt) || !bytes.HasPrefix(body, got) {
				t.Errorf("%s, the first %d of %d bytes: %d bytes, %v", encoding, cut, len(sent), len(got), err)
			}
		}
		for _, garbage := range []string{"\x00", "x", "garbage", "\x1f", "\x1f\x8b", "\x28", "\x28\xb5\x2f", "\x50\x2a\x4d\x18"} {
			var corrupt *CorruptError
			got, err := decodeAll(t, bytes.NewReader(append(bytes.Clone(sent), garbage...)), encoding, 1000)
			if !errors.As(err, &corrupt) || !bytes.Equal(got, body) {
				t.Errorf("%s, followed by %q: %d bytes, %v", encoding, garbage, len(got), err)
			}
		}
		for name, two := range map[string][]byte{
			"twice":            append(bytes.Clone(sent), sent...),
			"and an empty one": append(append(bytes.Clone(sent), encoded(t, nil)[encoding]...), sent...),
		} {
			if got, err := decodeAll(t, bytes.NewReader(two), encoding, 600); err != nil || string(got) != string(body)+string(body) {
				t.Errorf("%s, %s: %d bytes, %v", encoding, name, len(got), err)
			}
		}
		for at := range sent {
			wrong := bytes.Clone(sent)
			wrong[at] ^= 0x10
			got, err := decodeAll(t, bytes.NewReader(wrong), encoding, 1000)
			if err == nil && !bytes.Equal(got, body) {
				t.Errorf("%s with another byte %d is read as %q", encoding, at, got)
			}
		}
	}
}

func TestErrorsBelowDecode(t *testing.T) {
	for encoding, sent := range encoded(t, text(5000)) {
		for _, cause := range []error{errors.New("gone"), io.ErrUnexpectedEOF} {
			for _, cut := range []int{0, 1, 10, len(sent) / 2, len(sent) - 1} {
				_, err := decodeAll(t, io.MultiReader(bytes.NewReader(sent[:cut]), iotest.ErrReader(cause)), encoding, 10_000)
				if err != cause { //nolint:errorlint // not wrapped
					t.Errorf("%s after %d bytes: %v, want %v", encoding, cut, err, cause)
				}
			}
		}
	}
}
