package framing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// allocated is how many bytes are allocated while do runs, by whomever.
func allocated(do func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestMemoryOfDecoding: what decoding allocates was booked before, and never more than is said to be the most.
func TestMemoryOfDecoding(t *testing.T) {
	type stream struct {
		encoding string
		sent     []byte
	}
	streams := map[string]stream{"gzip": {"gzip", gzipped(t, text(1<<20))}}
	body := text(9 << 20)
	for window := 1 << 10; window <= maxWindow; window *= 4 {
		sent := zstandard(t, body[:min(4*window, len(body))], zstd.WithWindowSize(window), zstd.WithEncoderLevel(zstd.SpeedFastest))
		streams[fmt.Sprint("zstd, window of ", window)] = stream{"zstd", sent}
	}
	streams["zstd, the largest window"] = stream{"zstd", zstandard(t, body, zstd.WithWindowSize(maxWindow))}
	streams["zstd, a small window and then a larger one"] = stream{
		"zstd", append(zstandard(t, body[:5000]), zstandard(t, body, zstd.WithWindowSize(1<<20))...),
	}
	for _, size := range []int{1, 1000, 100_000} { // in a single segment
		streams[fmt.Sprint("zstd, ", size)] = stream{"zstd", zstandard(t, body[:size])}
	}
	piece := make([]byte, 1000)
	for name, s := range streams {
		runtime.GC() // empties the pools
		runtime.GC()
		booked := int64(0)
		d, err := DecodeBooked(bytes.NewReader(s.sent), s.encoding, 1<<30, func(n int64) error {
			if n <= booked || n > MaxMemory {
				t.Errorf("%s: %d bytes are booked after %d", name, n, booked)
			}
			booked = n
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		took := allocated(func() {
			for err == nil {
				_, err = d.Read(piece)
			}
		})
		const others = 16 << 10 // what the test itself, and the runtime, allocate
		if !errors.Is(err, io.EOF) || took > booked+others {
			t.Errorf("%s: took %d bytes of %d that were booked, %v", name, took, booked, err)
		}
	}
}

func TestNoMemoryToDecode(t *testing.T) {
	full := errors.New("no room")
	small, large := zstandard(t, text(5000)), zstandard(t, text(2<<20))
	for name, c := range map[string]struct {
		encoding string
		sent     []byte
		room     int64
		want     int // bytes that are read before it fails
	}{
		"gzip":         {"gzip", gzipped(t, text(100)), 0, 0},
		"zstd":         {"zstd", small, 0, 0},
		"second frame": {"zstd", append(bytes.Clone(small), large...), 1 << 20, 5000},
	} {
		for chunking, chunks := range chunkings {
			book := func(n int64) error {
				if n > c.room {
					return full
				}
				return nil
			}
			d, err := DecodeBooked(chunks(bytes.NewReader(c.sent)), c.encoding, 10<<20, book)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(d); !errors.Is(err, full) || len(got) > c.want {
				t.Errorf("%s, %s: %d bytes, %v", name, chunking, len(got), err)
			}
		}
	}
}

// TestBombs: a stream of which far more comes out than is allowed ends when that much has come out, and costs no more memory than another.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 64<<20)
	bombs := map[string][]byte{"gzip": gzipped(t, zeros), "zstd": zstandard(t, zeros)}
	const limit = 1 << 20
	for encoding, bomb := range bombs {
		nested := map[string][]byte{"gzip": gzipped(t, bomb), "zstd": zstandard(t, bomb)}[encoding]
		for name, sent := range map[string][]byte{
			"once": bomb, "many times": bytes.Repeat(bomb, 100), "followed by nothing valid": append(bytes.Clone(bomb), "garbage"...),
		} {
			var (
				tooLarge *TooLargeError
				n        int64
				err      error
			)
			took := allocated(func() {
				var d io.ReadCloser
				if d, err = Decode(bytes.NewReader(sent), encoding, limit); err == nil {
					n, err = io.Copy(io.Discard, d)
				}
			})
			if !errors.As(err, &tooLarge) || n != limit || took > MaxMemory+256<<10 {
				t.Errorf("%s, %s: %d bytes at %d bytes of memory, %v", encoding, name, n, took, err)
			}
		}
		if got, err := decodeAll(t, bytes.NewReader(nested), encoding, int64(len(bomb))); err != nil || !bytes.Equal(got, bomb) {
			t.Errorf("%s within %s: %d bytes, %v", encoding, encoding, len(got), err)
		}
	}
	// Streams out of which nothing comes.
	nothing := map[string][]byte{"gzip": gzipped(t, nil), "zstd": []byte("\x50\x2a\x4d\x18\x04\x00\x00\x00....")}
	for encoding, member := range nothing {
		var tooLarge *TooLargeError
		endless := &counted{r: repeat(string(member))}
		if got, err := decodeAll(t, endless, encoding, limit); !errors.As(err, &tooLarge) || len(got) > 0 || endless.n > 2*limit {
			t.Errorf("nothing in %s, for ever: %d bytes of %d, %v", encoding, len(got), endless.n, err)
		}
	}
}

// repeated is text without end.
type repeated struct {
	text []byte
	at   int
}

func repeat(text string) *repeated {
	return &repeated{text: bytes.Repeat([]byte(text), 1+4096/len(text))}
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// TestMemoryOfRecords: a body takes little memory, however long it is.
func TestMemoryOfRecords(t *testing.T) {
	const (
		records = 500_000
		longest = 1 << 20
	)
	element := `{"type":"api.call","text":"` + strings.Repeat("x", 170) + `"}`
	for name, c := range map[string]struct {
		before, between, after string
	}{
		"an array":     {"[", ",", "]"},
		"lines":        {"", "\n", "\n"},
		"concatenated": {"", "", ""},
	} {
		body := io.MultiReader(
			strings.NewReader(c.before), io.LimitReader(repeat(element+c.between), int64(len(element+c.between)*(records-1))),
			strings.NewReader(element), strings.NewReader(c.after),
		)
		x := NewRecords(body, longest)
		var (
			count int
			err   error
		)
		took := allocated(func() {
			for err == nil {
				var r Record
				if r, err = x.Next(); err == nil && (r.Err != nil || string(r.Data) != element) {
					t.Fatalf("%s: record %d is %q, %v", name, count, r.Data, r.Err)
				} else if err == nil {
					count++
				}
			}
		})
		if !errors.Is(err, io.EOF) || count != records || took > 128<<10 {
			t.Errorf("%s of %d records at %d bytes of memory, %v", name, count, took, err)
		}
	}
	// Records that are too long, and a buffer that grew for a long one.
	long := `{"text":"` + strings.Repeat("x", longest-20) + `"}`
	endless := `{"text":"` + strings.Repeat("x", 20*longest) + `"}`
	x := NewRecords(strings.NewReader(strings.Repeat(endless+"\n", 5)+long+"\n"+strings.Repeat(element+"\n", 100_000)), longest)
	took := allocated(func() {
		for count := 0; ; count++ {
			if r, err := x.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil || (count < 5) != (r.Err != nil) {
				t.Fatalf("record %d: %d bytes, %v, %v", count, len(r.Data), r.Err, err)
			} else if n := cap(x.in.buf); n > longest+usualBuffer || count == 90_000 && n > usualBuffer {
				t.Errorf("the buffer has %d bytes after %d records", n, count)
			}
		}
	})
	if took > 6*4*longest { // what six long records take, one after the other, that have 101 MiB
		t.Errorf("long records take %d bytes", took)
	}
}
