package tally

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func readMessages(in io.Reader) (all []message, retry time.Duration, err error) {
	m := newMessages(in, "")
	for {
		next, err := m.next()
		if err != nil {
			return all, m.retry, err
		}
		all = append(all, next)
	}
}

// TestMessages holds the reader to the standard's own examples and to its edges.
func TestMessages(t *testing.T) {
	of := func(id, event, data string) message {
		return message{id: id, event: event, data: []byte(data)}
	}
	cases := map[string][]message{
		"data: YHOO\ndata: +2\ndata: 10\n\n": {of("", "message", "YHOO\n+2\n10")},
		": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n": {
			of("1", "message", "first event"), of("", "message", "second event"), of("", "message", " third event"),
		},
		"data\n\ndata\ndata\n\ndata:":              {of("", "message", ""), of("", "message", "\n")},
		"data:test\n\ndata: test\n\n":              {of("", "message", "test"), of("", "message", "test")},
		"event: add\ndata: 73857293\n\n":           {of("", "add", "73857293")},
		"event: lost\n\ndata: x\n\n":               {of("", "message", "x")},  // without data there is no event, and its name is gone
		"id: 7\n\ndata: x\n\n":                     {of("7", "message", "x")}, // but its id counts
		"id: 7\ndata: a\n\nid: 8\x00\ndata: b\n\n": {of("7", "message", "a"), of("7", "message", "b")},
		"\uFEFFdata: x\n\n":                        {of("", "message", "x")},
		"\uFEFF\uFEFFdata: x\n\n":                  nil,
		"data: a\r\rdata: b\r\n\r\ndata: c\n\r\n":  {of("", "message", "a"), of("", "message", "b"), of("", "message", "c")},
		"data: {\"a\":\"b: c\"}\n\n":               {of("", "message", `{"a":"b: c"}`)},
		"Data: x\n data: x\nunknown: x\n\n":        nil,
		"data: torn\n":                             nil,
	}
	for stream, want := range cases {
		got, _, err := readMessages(strings.NewReader(stream))
		if !errors.Is(err, io.EOF) || !reflect.DeepEqual(normal(got), normal(want)) {
			t.Errorf("%q: %v\n got %+v\nwant %+v", stream, err, got, want)
		}
	}
	for stream, want := range map[string]time.Duration{
		"retry: 1500\n": 1500 * time.Millisecond, "retry: 1.5\n": 0, "retry: -1\n": 0, "retry:\n": 0,
		"retry: 99999999999\n": time.Minute, "retry: 18446744073709551615\n": 0,
	} {
		if _, retry, _ := readMessages(strings.NewReader(stream)); retry != want {
			t.Errorf("%q: come back in %v, want %v", stream, retry, want)
		}
	}
}

// normal makes no data and empty data the same.
func normal(messages []message) []string {
	var all []string
	for _, m := range messages {
		all = append(all, fmt.Sprintf("%q %q %q", m.id, m.event, m.data))
	}
	return all
}

// TestMessageArrivesAtOnce: an event is there with its last line's CR, whatever may follow.
func TestMessageArrivesAtOnce(t *testing.T) {
	in, out := io.Pipe()
	t.Cleanup(func() { _ = in.Close() })
	m := newMessages(in, "9")
	for _, end := range []string{"\r", "\n", "\r\n"} {
		go func() { _, _ = io.WriteString(out, "data: x"+end+end) }()
		if got, err := m.next(); err != nil || string(got.data) != "x" || got.id != "9" {
			t.Errorf("after %q: %+v, %v", end, got, err)
		}
	}
}

// endless gives one text for ever.
type endless string

func (e endless) Read(p []byte) (n int, _ error) {
	for n < len(p) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// TestEndlessMessages: an endless message fails, in bounded memory.
func TestEndlessMessages(t *testing.T) {
	for _, text := range []string{"data: x", "x", "data: " + strings.Repeat("x", 10_000) + "\n"} {
		if got, _, err := readMessages(endless(text)); err == nil || len(got) > 0 || !strings.Contains(err.Error(), "larger") {
			t.Errorf("%.20q for ever: %v", text, err)
		}
	}
}

// FuzzMessages: a stream means the same however it is cut into pieces, and what the standard's line splitting gives.
func FuzzMessages(f *testing.F) {
	f.Add([]byte("id: 1\r\nevent: event\rdata: {\n data: x\n\n\r\n: c\nretry: 5\ndata\n\n"))
	f.Add([]byte("\uFEFF:\n\ndata:x\r\n\r\nid\ndata: y\r\r"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, retry, err := readMessages(bytes.NewReader(stream))
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		again, retryAgain, err := readMessages(iotest.OneByteReader(bytes.NewReader(stream)))
		if !errors.Is(err, io.EOF) || retry != retryAgain || !reflect.DeepEqual(normal(got), normal(again)) {
			t.Errorf("byte by byte %+v, at once %+v", again, got)
		}
		if want := model(string(stream)); !reflect.DeepEqual(normal(got), normal(want)) {
			t.Errorf("%q: got %+v, want %+v", stream, got, want)
		}
	})
}

// model reads a stream that is whole, by the letter of the standard.
func model(stream string) (all []message) {
	stream = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(stream, "\uFEFF"))
	lines := strings.Split(stream, "\n")
	id, event, data := "", "", ""
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			if data != "" {
				if event == "" {
					event = "message"
				}
				all = append(all, message{id: id, event: event, data: []byte(strings.TrimSuffix(data, "\n"))})
			}
			event, data = "", ""
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			event = value
		case "data":
			data += value + "\n"
		case "id":
			if !strings.Contains(value, "\x00") {
				id = value
			}
		}
	}
	return all
}
