package otlp

import (
	"bytes"
	"errors"

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

// heads are those of the items of a message that is read twice which are long and not in order; nil where there is none.
type heads struct {
	items [][]byte
	book  func(bytes int64) error
	bytes int64
}

func (h *heads) keep(head []byte) ([]byte, error) {
	if err := h.book(h.bytes + int64(len(head))); err != nil {
		return nil, err
	}
	h.bytes += int64(len(head))
	return bytes.Clone(head), nil
}

// twice reads a message as items does, one whose head may come after its items: first for heads alone, while what passes is kept in a
// spool, and from there for the items.
func (x *exporter) twice(s *schema, read func(raw []byte) error, item func() error) error {
	in, bookSpool, bookWindow := x.in, x.room.share(), x.room.share()
	spool, found := framing.NewSpool(bookSpool), &heads{book: x.room.share()}
	from := in.window().Offset()
	in.window().Copy(spool)
	own, err := x.findHeads(s, found)
	in.window().Copy(nil)
	if err != nil {
		return err
	}
	size := in.window().Offset() - from
	again, err := spool.Window(MaxRecordBytes, bookWindow)
	if err != nil {
		return err
	}
	if err := read(own); err != nil {
		return err
	}
	x.in, x.found = newPart(x.encoding, again, size), found
	if err := x.items(s, nil, item); err != nil {
		return err
	}
	x.in, x.found = in, nil
	return errors.Join(found.book(0), bookSpool(0), bookWindow(0))
}

// findHeads reads the message that is next, and returns its head; those of its items are added to found.
func (x *exporter) findHeads(s *schema, found *heads) (own []byte, _ error) {
	if err := x.in.enter(); err != nil {
		return nil, err
	}
	for headed := false; ; {
		number, err := x.in.next(s)
		switch {
		case err != nil || number == 0:
			return own, err
		case number == headField && headed:
			err = twoHeads(s)
		case number == headField:
			headed = true
			var raw []byte
			if raw, err = x.message(); err == nil {
				own, err = found.keep(raw)
			}
		case s == x.resources:
			err = x.findItemHead(found)
		default:
			err = x.in.skip()
		}
		if err != nil {
			return nil, err
		}
	}
}

// findItemHead adds the head of the part of a group that is next, if that will have to be known before it is read.
func (x *exporter) findItemHead(found *heads) error {
	_, whole, err := x.in.value(orderBytes)
	if err != nil || whole {
		return err
	}
	inOrder, err := x.in.inOrder(x.scopes)
	switch {
	case err != nil:
		return err
	case inOrder:
		return x.in.skip()
	}
	head, err := x.findHeads(x.scopes, found)
	found.items = append(found.items, head)
	return err
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
