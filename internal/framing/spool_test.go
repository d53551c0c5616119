package framing

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// TestSpool: what a window let go of is read again as it was, at the offsets of the body, of any length; what that takes is booked before,
// in proportion to what it is compressed, and given back as it is read.
func TestSpool(t *testing.T) {
	noise := make([]byte, 300<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	lines := bytes.Repeat([]byte(`{"path":"/v1/chat","status":200}`+"\n"), 20_000)
	for name, c := range map[string]struct {
		body []byte
		most int64 // that is booked
	}{
		"nothing": {nil, 0}, "a byte": {noise[:1], 3 * spoolBlock}, "a block": {noise[:spoolBlock], 4 * spoolBlock},
		"noise": {noise, int64(len(noise) + 4*spoolBlock)}, "lines": {lines, int64(len(lines)/5 + 3*spoolBlock)},
	} {
		most, last := int64(0), int64(0)
		spool := NewSpool(func(n int64) error { most, last = max(most, n), n; return nil })
		before, after := []byte("before"), []byte("after")
		in := NewWindow(io.MultiReader(bytes.NewReader(before), bytes.NewReader(c.body), bytes.NewReader(after)), 1<<10, nil)
		if err := in.Skip(int64(len(before))); err != nil {
			t.Fatal(err)
		}
		in.Copy(spool)
		if err := in.Skip(int64(len(c.body))); err != nil {
			t.Fatal(err)
		}
		in.Copy(nil)
		again, err := spool.Window(1<<10, nil)
		if err != nil || again.Offset() != int64(len(before)) {
			t.Errorf("%s: at %d, %v", name, again.Offset(), err)
		}
		var got []byte
		for err == nil {
			got = append(got, again.Held()...)
			again.Take(len(again.Held()))
			err = again.More()
		}
		if !errors.Is(err, io.EOF) || !bytes.Equal(got, c.body) {
			t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(c.body), err)
		}
		if rest, err := in.Peek(len(after)); err != nil || string(rest) != string(after) {
			t.Errorf("%s: %q follows, %v", name, rest, err)
		}
		if most > c.most || last > spoolBlock {
			t.Errorf("%s: %d bytes were booked, and at last %d", name, most, last)
		}
	}
}

// TestSpoolWithoutRoom: what cannot be booked is not kept, and ends the body.
func TestSpoolWithoutRoom(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	full := errors.New("there is no room")
	for _, room := range []int64{0, 3 * spoolBlock, 8 * spoolBlock} {
		spool := NewSpool(func(n int64) error {
			if n > room {
				return full
			}
			return nil
		})
		in := NewWindow(bytes.NewReader(noise), 1<<10, nil)
		in.Copy(spool)
		if err := in.Skip(int64(len(noise))); !errors.Is(err, full) || in.Offset() > room+usualBuffer {
			t.Errorf("%d: %v after %d bytes", room, err, in.Offset())
		}
		if _, err := spool.Window(1<<10, nil); !errors.Is(err, full) {
			t.Errorf("%d: %v", room, err)
		}
	}
}
