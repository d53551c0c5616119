package otlp

import (
	"bytes"

	"github.com/tallystick/tallystick/internal/framing"
)

// items reads a message of a head, the resource or the scope, and of items, each of which item reads. read gets the head; nil passes over
// it.
func (x *exporter) items(s *schema, read func(raw []byte) error, item func() error) error {
	if read != nil {
		if err := read(nil); err != nil { // there may be none
			return err
		}
	}
	if err := x.in.enter(); err != nil {
		return err
	}
	for headed := false; ; {
		number, err := x.in.next(s)
		switch {
		case err != nil || number == 0:
			return err
		case number != headField:
			err = item()
		case read == nil:
			err = x.in.skip()
		case headed:
			err = twoHeads(s)
		default:
			headed = true
			var raw []byte
			if raw, err = x.message(); err == nil {
				err = read(raw)
			}
		}
		if err != nil {
			return err
		}
	}
}

// twice reads a message as items does, one whose head may come after its items: first for the head alone, while what passes is kept in a
// spool, and from there for the items.
func (x *exporter) twice(s *schema, read func(raw []byte) error, item func() error) error {
	outer, bookSpool := x.in, x.room.share()
	spool := framing.NewSpool(bookSpool)
	window := outer.window()
	from := window.Offset()
	window.Copy(spool)
	head, release, err := x.findHead(s)
	window.Copy(nil)
	if err != nil {
		return err
	}
	if err = read(head); err != nil {
		return err
	}
	size := window.Offset() - from
	release()
	bookWindow := x.room.share()
	again, err := spool.Window(MaxRecordBytes, bookWindow)
	if err != nil {
		return err
	}
	x.in = newPart(x.encoding, again, size)
	if err := x.items(s, nil, item); err != nil {
		return err
	}
	x.in = outer
	_ = bookSpool(0) // less is always to be had
	return bookWindow(0)
}

// findHead reads the message that is next, and returns its head, nil where there is none.
func (x *exporter) findHead(s *schema) (head []byte, release func(), _ error) {
	book, found := x.room.share(), false
	release = func() { _ = book(0) } // less is always to be had
	if err := x.in.enter(); err != nil {
		return nil, nil, err
	}
	for {
		number, err := x.in.next(s)
		switch {
		case err != nil || number == 0:
			return head, release, err
		case number != headField:
			err = x.in.skip()
		case found:
			err = twoHeads(s)
		default:
			found = true
			var raw []byte
			if raw, err = x.message(); err == nil {
				err = book(int64(len(raw)))
			}
			if err == nil {
				head = bytes.Clone(raw)
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

// shares are what several hold of what is booked as one.
type shares struct {
	book func(bytes int64) error // nil: nothing is booked
	sum  int64
}

// share returns what one of them is to book by: with how many bytes it holds in all.
func (s *shares) share() func(bytes int64) error {
	var had int64
	return func(bytes int64) error {
		sum := s.sum - had + bytes
		if s.book != nil {
			if err := s.book(sum); err != nil {
				return err
			}
		}
		s.sum, had = sum, bytes
		return nil
	}
}
