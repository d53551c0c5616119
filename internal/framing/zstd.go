package framing

import (
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow bounds what a zstd stream can make its reader remember, in bytes. It is what RFC 8878 asks decoders to support, and what
	// encoders use below their "ultra" levels.
	maxWindow = 8 << 20
	// zstdTables is about what a decoder takes whatever it decodes, and zstdBlock, three times, what it holds of one block at most.
	zstdTables = 48 << 10
	zstdBlock  = 128 << 10
	// windowAhead is how much more than its window a decoder takes, at most; of smaller ones, twice the window.
	windowAhead = 1 << 20
	// pooledWindow is the largest window, in bytes, with which a decoder is kept for the next stream: nobody has booked the memory of those
	// that are kept.
	pooledWindow = 1 << 20

	// MaxMemory is the most that decoding one body takes, in bytes.
	MaxMemory = zstdTables + 3*zstdBlock + maxWindow + windowAhead
)

type zstdDecoder struct {
	*zstd.Decoder
	frames *frames
}

var zstdDecoders sync.Pool

func openZstd(from *source) (decoder, error) {
	d, ok := zstdDecoders.Get().(*zstdDecoder)
	if !ok {
		// With a concurrency of one there is no goroutine, so a decoder may be forgotten without being closed.
		made, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		d = &zstdDecoder{Decoder: made}
	}
	d.frames = &frames{from: from}
	if err := d.Reset(d.frames); err != nil {
		d.release()
		return nil, err
	}
	return d, nil
}

func (d *zstdDecoder) release() {
	keep := d.frames.window <= pooledWindow
	d.frames = nil
	if d.Reset(nil) == nil && keep {
		zstdDecoders.Put(d)
	}
}

// frames follows the frames of a zstd stream (RFC 8878, section 3.1) on their way to a decoder, and books the memory for each window before
// the decoder hears of it.
type frames struct {
	from   *source
	window uint64 // the largest until now

	header  [zstd.HeaderMaxSize]byte
	have    int    // bytes of the next header, of a frame or of a block
	inFrame bool   // the next header is that of a block
	after   uint64 // bytes after the frame's last block
	skip    uint64 // bytes until the next header
	lost    bool   // this is no stream, as the decoder will find too
}

func (f *frames) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if booking := f.follow(p[:n]); booking != nil {
		return 0, booking
	}
	return n, err
}

// follow reads on in the stream. The error is that of booking.
func (f *frames) follow(p []byte) error {
	for len(p) > 0 && !f.lost {
		if f.skip > 0 {
			n := min(f.skip, uint64(len(p)))
			f.skip -= n
			p = p[n:]
			continue
		}
		f.header[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.inFrame {
			f.block()
		} else if err := f.frame(); err != nil {
			return err
		}
	}
	return nil
}

// frame looks at the bytes of a frame's header that there are.
func (f *frames) frame() error {
	var h zstd.Header
	switch err := h.Decode(f.header[:f.have]); {
	case errors.Is(err, io.ErrUnexpectedEOF) && f.have < len(f.header):
		return nil
	case err != nil:
		f.lost = true
		return nil
	}
	f.have = 0
	if h.Skippable {
		f.skip = uint64(h.SkippableSize)
		return nil
	}
	f.inFrame = true
	f.after = 0
	if h.HasCheckSum {
		f.after = 4
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	if window > maxWindow { // which the decoder refuses
		f.lost = true
		return nil
	}
	if window <= f.window && f.window > 0 {
		return nil
	}
	f.window = max(window, zstd.MinWindowSize)
	return f.from.need(windowMemory(int64(f.window))) //nolint:gosec // at most maxWindow
}

// windowMemory is about what decoding takes with a window of that size, in bytes.
func windowMemory(window int64) int64 {
	ahead := window
	if window >= 2*windowAhead-1 {
		ahead = windowAhead
	}
	return zstdTables + 3*min(window, zstdBlock) + window + ahead
}

// block looks at the bytes of a block's header that there are.
func (f *frames) block() {
	const size = 3
	if f.have < size {
		return
	}
	f.have = 0
	header := uint64(f.header[0]) | uint64(f.header[1])<<8 | uint64(f.header[2])<<16
	const runLength = 1
	if f.skip = header >> 3; header>>1&3 == runLength {
		f.skip = 1
	}
	if last := header&1 == 1; last {
		f.skip += f.after
		f.inFrame = false
	}
}
