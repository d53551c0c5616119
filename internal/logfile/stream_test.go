package logfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestStream: what has come of a stream is read without waiting for more.
func TestStream(t *testing.T) {
	r, w := io.Pipe()
	sent := make(chan struct{})
	go func() {
		_, _ = io.WriteString(w, events(1, 2)+`{"n":`)
		close(sent)
		_, _ = io.WriteString(w, "3}\n"+events(4, 4)+`{"n":5}`)
		_ = w.Close()
	}()
	in, err := Stream(t.Context(), r, "-", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var records []string
	paused := false
	for {
		record, err := in.Next()
		switch {
		case err == nil:
			records = append(records, string(record.Data))
			continue
		case !errors.Is(err, io.EOF):
			t.Fatal(err)
		case !in.Ended():
			if !paused {
				paused = true
				<-sent
			}
			continue
		case !in.finished:
			in.Finish()
			continue
		}
		break
	}
	if got := numbers(t, records); got != "1-5" {
		t.Errorf("it reads %s", got)
	}
}

func TestStreamForms(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, events(1, 5000))
	_ = z.Close()
	for want, text := range map[string]string{"1-5000": zipped.String(), "1-3": `[{"n":1},{"n":2},{"n":3}]`, "": ""} {
		in, err := Stream(t.Context(), strings.NewReader(text), "-", Options{})
		if err != nil {
			t.Fatal(err)
		}
		in.Finish()
		var records []string
		for {
			record, err := in.Next()
			if errors.Is(err, io.EOF) && in.Ended() {
				break
			}
			if err == nil {
				records = append(records, string(record.Data))
			}
		}
		in.Close()
		if got := numbers(t, records); got != want {
			t.Errorf("it reads %s, want %s", got, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	if _, err := Stream(ctx, r, "-", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}
