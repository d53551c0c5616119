package logfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow bounds the memory that a file can ask for to be decompressed: that of zstd --ultra -22.
const maxZstdWindow = 128 << 20

// errReplaced: a file no longer holds what was read from it. It was truncated, or written anew.
var errReplaced = errors.New("it was truncated or written anew while it was read")

// compression of a file, by its first bytes.
type compression int

const (
	plain compression = iota
	gzipped
	zstandard
)

func compressionOf(magic []byte) compression {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(magic) >= 4 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:4], []byte{0x2a, 0x4d, 0x18}): // a frame to skip comes first
		return zstandard
	}
	return plain
}

// decompressed returns the content of r. The caller closes it, and r.
func decompressed(r io.Reader, c compression) (io.ReadCloser, error) {
	switch c {
	case gzipped:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("it is no good gzip file: %w", err)
		}
		return &broken{z, z.Close, "gzip"}, nil
	case zstandard:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, fmt.Errorf("it is no good zstd file: %w", err)
		}
		return &broken{z, func() error { z.Close(); return nil }, "zstd"}, nil
	case plain:
	}
	return io.NopCloser(r), nil
}

// broken says of errors that they are the compression's.
type broken struct {
	io.Reader
	close func() error
	what  string
}

func (b *broken) Close() error { return b.close() }

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("the %s stream is broken or cut off: %w", b.what, err)
	}
	return n, err
}

// growing reads a plain file on from an offset, past its end of the moment. It fails with errReplaced once the file is not what it was.
type growing struct {
	file   *os.File
	offset int64
	window []byte // the bytes before offset
}

func (g *growing) Read(p []byte) (int, error) {
	n, err := g.file.ReadAt(p, g.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	// The window is looked at afterwards: if it is as it was, then so was the file when it was read.
	if !g.holds() {
		return 0, errReplaced
	}
	if n == 0 {
		return 0, io.EOF
	}
	g.offset += int64(n)
	g.window = append(g.window, p[max(0, n-windowBytes):n]...)
	g.window = append(g.window[:0], g.window[max(0, len(g.window)-windowBytes):]...)
	return n, nil
}

// holds reports whether the file still has the window where it was.
func (g *growing) holds() bool {
	var room [windowBytes]byte
	now := room[:len(g.window)]
	n, err := g.file.ReadAt(now, g.offset-int64(len(now)))
	return n == len(now) && (err == nil || errors.Is(err, io.EOF)) && bytes.Equal(now, g.window)
}

// windowAt reads the bytes before an offset, and reports whether they are those of a window.
func windowAt(file *os.File, offset int64, w Window) ([]byte, bool) {
	if w.Bytes < 0 || w.Bytes > windowBytes || int64(w.Bytes) > offset {
		return nil, false
	}
	content := make([]byte, w.Bytes)
	if n, err := file.ReadAt(content, offset-int64(w.Bytes)); n < w.Bytes && err != nil {
		return nil, false
	}
	sum := sha256.Sum256(content)
	return content, digest(sum[:16]) == w.Digest
}

// inode names a file on this machine, whatever its path is.
func inode(info os.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", s.Dev, s.Ino)
	}
	return ""
}
