package framing

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// FuzzRecords holds the records of any bytes to what they must be, whatever pieces the bytes come in, and those of bodies that
// encoding/json can read to what it reads.
func FuzzRecords(f *testing.F) {
	for _, c := range bodies {
		f.Add([]byte(c.body), 1<<20)
		f.Add([]byte(c.body), 5)
	}
	for _, c := range brokenBodies {
		f.Add([]byte(c.body), 9)
	}
	f.Add([]byte("{\"\":\n{\"00000\"0"), 11)
	f.Add([]byte("{\n     "), 4)
	f.Fuzz(func(t *testing.T, body []byte, longest int) {
		if longest < 1 || longest > 1<<20 {
			return
		}
		got, end := read(bytes.NewReader(body), longest)
		again, endAgain := read(iotest.OneByteReader(bytes.NewReader(body)), longest)
		if !slices.Equal(got, again) || end.Error() != endAgain.Error() {
			t.Fatalf("%q, %d: at once %q, %v, byte by byte %q, %v", body, longest, got, end, again, endAgain)
		}
		var syntax *SyntaxError
		if errors.As(end, &syntax) && (syntax.Offset < 0 || syntax.Offset > int64(len(body))) || syntax == nil && !errors.Is(end, io.EOF) {
			t.Fatalf("%q: ends with %v", body, end)
		}
		for _, record := range got {
			bad := strings.HasPrefix(record, "!")
			if record = strings.TrimPrefix(strings.TrimPrefix(record, badJSON), "!"+TooLong+":"); len(record) > longest {
				t.Fatalf("%q: a record of %d bytes", body, len(record))
			} else if !bad && jsonscan.Valid([]byte(record)) != nil {
				t.Fatalf("%q: %q is no JSON", body, record)
			}
		}
		want, ok := oracle(body)
		if !ok || slices.ContainsFunc(want, func(record string) bool { return len(record) > longest }) {
			return
		}
		if !errors.Is(end, io.EOF) || !slices.Equal(got, want) {
			t.Fatalf("%q: got %q, %v, want %q", body, got, end, want)
		}
	})
}

// oracle reads a body with encoding/json. It reports false where the body is not valid to the last byte.
func oracle(body []byte) (records []string, ok bool) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
		var value json.RawMessage
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return records, true
		} else if err != nil {
			return nil, false
		}
		// It takes truefalse and 1-2 for two values each, and this package for one that is wrong.
		if at := decoder.InputOffset(); scalarBytes[value[0]] && at < int64(len(body)) && scalarBytes[body[at]] {
			return nil, false
		}
		values := []json.RawMessage{value}
		if value[0] == '[' && json.Unmarshal(value, &values) != nil {
			return nil, false
		}
		for _, v := range values {
			record := string(v)
			if jsonscan.Valid(v) != nil { // it is no UTF-8, or nested too deep
				record = badJSON + record
			}
			records = append(records, record)
		}
	}
}

// FuzzDecode: whatever a stream holds, no more comes out of it than is allowed, and what encoding libraries read is read.
func FuzzDecode(f *testing.F) {
	for _, body := range [][]byte{nil, []byte("{}"), text(3000), make([]byte, 1<<20)} {
		for encoding, sent := range encoded(f, body) {
			f.Add(sent, encoding, int64(1000))
			f.Add(append(bytes.Clone(sent), sent...), encoding, int64(10_000))
			f.Add(sent[:len(sent)/2], encoding, int64(10_000))
		}
	}
	f.Fuzz(func(t *testing.T, sent []byte, encoding string, limit int64) {
		d, err := Decode(bytes.NewReader(sent), encoding, limit)
		if err != nil || limit < 0 || limit > 1<<24 {
			return
		}
		defer d.Close() //nolint:errcheck // it has no error
		got, err := io.ReadAll(d)
		if int64(len(got)) > limit {
			t.Fatalf("%d bytes of at most %d", len(got), limit)
		}
		var (
			tooLarge *TooLargeError
			corrupt  *CorruptError
		)
		if err != nil && !errors.As(err, &tooLarge) && !errors.As(err, &corrupt) {
			t.Fatalf("ends with %v", err)
		} else if tooLarge != nil && int64(len(got)) != limit && int64(len(sent)) <= limit {
			t.Fatalf("%d bytes of %d are too many, of %d that came", len(got), limit, len(sent))
		}
		again, errAgain := decodeAll(t, iotest.OneByteReader(bytes.NewReader(sent)), encoding, limit)
		if corrupt == nil && !bytes.Equal(got, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("at once %d bytes, %v, byte by byte %d bytes, %v", len(got), err, len(again), errAgain)
		}
		if !strings.Contains(strings.ToLower(encoding), "gzip") || len(sent) == 0 {
			return
		}
		r, errWant := stdgzip.NewReader(bytes.NewReader(sent))
		var want []byte
		if errWant == nil {
			want, errWant = io.ReadAll(io.LimitReader(r, limit+1))
		}
		if fits := errWant == nil && int64(len(want)) <= limit; fits != (err == nil) || fits && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v, and compress/gzip reads %d, %v", len(got), err, len(want), errWant)
		}
	})
}
