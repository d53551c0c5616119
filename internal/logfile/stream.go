package logfile

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// pieceBytes is how much is read from a stream at once.
const pieceBytes = 64 << 10

// Stream reads records from a stream such as standard input, from another goroutine, so that Next need not wait for more: it returns
// io.EOF, and Ended tells whether that is the end. It waits for the first line, until ctx ends.
func Stream(ctx context.Context, r io.Reader, name string, o Options) (*Input, error) {
	p := &pieces{ctx: ctx, arrive: make(chan []byte, 4), waiting: true}
	go p.read(r)
	in := &Input{Name: name}
	in.mark.Name, in.mark.Format = name, o.Format
	magic := make([]byte, 4)
	n, err := io.ReadFull(p, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	in.compressed = compressionOf(magic[:n])
	if in.content, err = decompressed(&joined{magic[:n], p}, in.compressed); err != nil {
		return nil, err
	}
	head, whole, err := readHead(in.content)
	if err == nil {
		err = in.readFrom(head, whole, o)
	}
	if err != nil {
		in.closeContent()
		return nil, err
	}
	if in.compressed == plain && in.mark.Format != JSON { // those readers take no pause for anything but the end
		p.waiting, in.stream = false, p
	}
	return in, nil
}

// Ended reports, after Next returned io.EOF, whether nothing more can come.
func (i *Input) Ended() bool { return i.stream == nil || i.stream.ended }

// pieces is a stream that another goroutine reads.
type pieces struct {
	ctx     context.Context //nolint:containedctx // of the reads
	arrive  chan []byte     // closed at the end
	failure error           // set before arrive is closed
	rest    []byte
	waiting bool // Read waits for more
	ended   bool
}

func (p *pieces) read(r io.Reader) {
	defer close(p.arrive)
	buf := make([]byte, pieceBytes)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			select {
			case p.arrive <- bytes.Clone(buf[:n]):
			case <-p.ctx.Done():
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.failure = err
			}
			return
		}
	}
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 && !p.ended {
		if err := p.more(); err != nil {
			return 0, err
		}
	}
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// more gets the next piece, if there is one, or if it is to wait.
func (p *pieces) more() error {
	var nothing chan struct{} // blocks
	if !p.waiting {
		nothing = closed
	}
	select {
	case piece, ok := <-p.arrive:
		return p.take(piece, ok)
	default:
	}
	select {
	case piece, ok := <-p.arrive:
		return p.take(piece, ok)
	case <-nothing:
		return nil
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
}

func (p *pieces) take(piece []byte, ok bool) error {
	if p.rest = piece; !ok {
		p.ended = true
		return p.failure
	}
	return nil
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
