package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/source"
)

// walked returns the records of an envelope that comes byte by byte, and the first fault of an element or of all of it.
func walked(m *source.Mapping, record string, most int) (got []string, fault *event.InvalidError, _ error) {
	window := framing.NewWindow(iotest.OneByteReader(strings.NewReader(record)), most, nil)
	err := m.Walk(source.Envelope{
		In: framing.NewWalker(window), Most: most, Book: func(int64) error { return nil },
		Fault: func(element []byte, of *event.InvalidError) error {
			if fault == nil {
				fault = of
			}
			if !strings.Contains(record, string(element)) {
				return fmt.Errorf("%q is no element", element)
			}
			return nil
		},
	}, func(record []byte) error {
		got = append(got, string(record))
		return nil
	})
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		return got, invalid, nil
	}
	return got, fault, err
}

// TestWalk: what is read of an envelope as it comes is what Unwrap finds in it, but that of two members with one name both count.
func TestWalk(t *testing.T) {
	for _, tt := range append(envelopes(),
		unwrapping{`"/a~1b/c~0d/é/1/r"`, `{"a":{},"a/b":{"c~d":{"\u00e9":[{"r":[0]},{"r":[1,{}],"s":2},{"r":[3]}]}}}`, `1|{}`, ""},
		unwrapping{`"/r"`, `{"r":null,"s":{"r":[1]},"r":[2],"r":{}}`, `2|{}`, ""},
		unwrapping{`"/` + strings.Repeat("é", 500) + `"`, `{"` + strings.Repeat(`\u00e9`, 500) + `":[1]}`, `1`, ""},
	) {
		if tt.unwrap == "null" {
			continue
		}
		m := parse(t, mapping(`"unwrap":`+tt.unwrap))
		want := tt.want
		if tt.record == `{"r":[1],"r":[2]}` {
			want = "1|2"
		}
		got, fault, err := walked(m, tt.record, 8<<10)
		var syntax *framing.SyntaxError
		if broken := tt.record == `{"r":[1}`; broken != errors.As(err, &syntax) || !broken && strings.Join(got, "|") != want {
			t.Errorf("%s of %s: %q, %v, want %q", tt.unwrap, tt.record, got, err, want)
		} else if broken {
			continue
		}
		if (fault == nil) != (tt.fault == "") ||
			fault != nil && (fault.Code != source.CodeEnvelope || !strings.Contains(fault.Detail, tt.fault)) {
			t.Errorf("%s of %s: %v, want … %s", tt.unwrap, tt.record, fault, tt.fault)
		}
	}
}

// TestWalkEnds: an element that is too long ends an envelope, and so does an error of what is called.
func TestWalkEnds(t *testing.T) {
	m := parse(t, mapping(`"unwrap":{"at":"/r","data":"/d","as":"base64"}`))
	if got, fault, err := walked(m, `{"r":[{"d":"e30="},{"d":"e30=","x":"`+strings.Repeat("x", 100)+`"},{}]}`, 100); len(got) != 1 ||
		err != nil || fault == nil || !strings.Contains(fault.Detail, "more than 100 bytes") {
		t.Errorf("%q, %v, %v", got, fault, err)
	}
	stop := errors.New("stop")
	for calls := range 3 {
		left := calls
		call := func() error {
			if left--; left < 0 {
				return stop
			}
			return nil
		}
		err := m.Walk(source.Envelope{
			In: framing.NewWalker(framing.NewWindow(strings.NewReader(`{"r":[{"d":"e30="},{"d":1}]}`), 100, nil)), Most: 100,
			Book:  func(int64) error { return call() },
			Fault: func([]byte, *event.InvalidError) error { return stop },
		}, func([]byte) error { return call() })
		if !errors.Is(err, stop) {
			t.Errorf("after %d calls: %v", calls, err)
		}
	}
}
