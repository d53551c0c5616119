package framing

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/s2"
)

// spoolBlock is how much a spool compresses at a time. A longer block compresses better; one is held as it is, to write and to read.
const spoolBlock = 32 << 10

// Spool keeps a part of a body that has to be read twice: compressed, since what gateways send is a fifth then, or less, and in memory,
// since nobody knows yet what of it may reach a disk. First it is written, by a Window, then it is read once, and lets go of what was. It
// is for one goroutine.
type Spool struct {
	block   []byte // is not compressed yet, or is no longer
	scratch []byte // to compress into
	blocks  [][]byte
	at      int   // in block, where reading goes on
	offset  int64 // in the body, of its beginning
	held    int64 // by blocks
	book    func(bytes int64) error
	err     error // of book
}

// NewSpool returns an empty spool. book is called with how many bytes it is going to hold, before it does, and with fewer as it is read;
// nil: with none. Its error ends writing, and is that of Window.More and of Window.
func NewSpool(book func(bytes int64) error) *Spool {
	if book == nil {
		book = func(int64) error { return nil }
	}
	return &Spool{book: book}
}

// write adds to the spool, unless there was an error.
func (s *Spool) write(p []byte) {
	if s.block == nil && len(p) > 0 {
		s.reserve(spoolBlock + int64(s2.MaxEncodedLen(spoolBlock)))
		if s.err == nil {
			s.block, s.scratch = make([]byte, 0, spoolBlock), make([]byte, s2.MaxEncodedLen(spoolBlock))
		}
	}
	for len(p) > 0 && s.err == nil {
		n := min(len(p), spoolBlock-len(s.block))
		s.block = append(s.block, p[:n]...)
		if p = p[n:]; len(s.block) == spoolBlock {
			s.compress()
		}
	}
}

func (s *Spool) compress() {
	compressed := s2.Encode(s.scratch, s.block)
	s.reserve(int64(cap(s.block) + cap(s.scratch) + len(compressed)))
	if s.err != nil {
		return
	}
	s.blocks = append(s.blocks, bytes.Clone(compressed))
	s.held += int64(len(compressed))
	s.block = s.block[:0]
}

// reserve books so many bytes beside those of blocks.
func (s *Spool) reserve(more int64) {
	if s.err == nil {
		s.err = s.book(s.held + more)
	}
}

// Window ends writing, and returns a window on what was written, which has the offsets of the body. The arguments are those of NewWindow.
func (s *Spool) Window(most int, book func(bytes int64) error) (*Window, error) {
	if len(s.block) > 0 {
		s.compress()
	}
	s.scratch = nil
	s.reserve(int64(cap(s.block)))
	s.block = s.block[:0]
	w := NewWindow(s, most, book)
	w.offset = s.offset
	return w, s.err
}

// Read implements io.Reader.
func (s *Spool) Read(p []byte) (int, error) {
	if s.at == len(s.block) {
		if len(s.blocks) == 0 {
			return 0, io.EOF
		}
		block, err := s2.Decode(s.block[:cap(s.block)], s.blocks[0])
		if err != nil {
			return 0, errors.Join(errors.New("framing: a spool is not what was written"), err)
		}
		s.held -= int64(len(s.blocks[0]))
		s.blocks[0] = nil
		s.block, s.blocks, s.at = block, s.blocks[1:], 0
		s.reserve(int64(cap(s.block)))
	}
	n := copy(p, s.block[s.at:])
	s.at += n
	return n, s.err
}
