package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// wholeMessages are those that a cut stream delivers.
const wholeMessages = 2

var errCut = errors.New("the stream is cut")

// cutter reads an event stream up to the middle of a message.
type cutter struct {
	lines   *bufio.Reader
	pending []byte // what is to be read next
	passed  int    // whole messages
	cut     bool   // after what is pending
}

func newCutter(r io.Reader) *cutter { return &cutter{lines: bufio.NewReader(r)} }

// Read implements io.Reader. The error is errCut where the stream is cut.
func (c *cutter) Read(p []byte) (int, error) {
	if len(c.pending) == 0 {
		if c.cut {
			return 0, errCut
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// next reads a block of lines up to an empty one.
func (c *cutter) next() error {
	var block []byte
	for {
		line, err := c.lines.ReadBytes('\n')
		block = append(block, line...)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	c.pending = block
	counts := bytes.Contains(block, []byte("\nevent: event\n")) || bytes.Contains(block, []byte("\nevent: answer\n"))
	if !counts {
		return nil
	}
	if c.passed == wholeMessages {
		c.pending, c.cut = block[:len(block)/2], true
	}
	c.passed++
	return nil
}
