package otlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected objects anew")

// recording is a request of testdata/recordings.
type recording struct {
	body     []byte
	encoding Encoding
	traces   bool
}

func (r recording) read(each func([]byte) error) error {
	return reading(r.traces)(r.body, r.encoding, each)
}

type readFunc func(body []byte, e Encoding, each func([]byte) error) error

func reading(traces bool) readFunc {
	if traces {
		return Spans
	}
	return Logs
}

func readRecording(t testing.TB, name string) recording {
	t.Helper()
	path := filepath.Join("testdata", "recordings", name)
	head, err := os.ReadFile(path + ".head")
	if err != nil {
		t.Fatal(err)
	}
	reader := textproto.NewReader(bufio.NewReader(bytes.NewReader(head)))
	line, err := reader.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	header, err := reader.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path + ".body")
	if err != nil {
		t.Fatal(err)
	}
	if header.Get("Content-Encoding") == "gzip" {
		unzip, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(unzip); err != nil {
			t.Fatal(err)
		}
	}
	encoding, ok := EncodingOf(header.Get("Content-Type"))
	if !ok {
		t.Fatalf("%s has no encoding of OTLP", name)
	}
	return recording{body: body, encoding: encoding, traces: strings.Contains(line, "/v1/traces ")}
}

// lines are the objects of a request.
func lines(read readFunc, body []byte, e Encoding) (string, error) {
	var all strings.Builder
	err := read(body, e, func(record []byte) error {
		all.Write(record)
		all.WriteByte('\n')
		return nil
	})
	return all.String(), err
}

func (r recording) lines(t *testing.T) string {
	t.Helper()
	all, err := lines(reading(r.traces), r.body, r.encoding)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// records is how many records each recording has.
var records = map[string]int{
	"otel-go": 2, "otel-js-json": 2, "otel-js-proto": 2, "otel-python": 1, "otelcol-json": 4, "otelcol-proto": 4, "envoy": 3,
	"envoyretry": 3, "litellm-logs": 2, "litellm-traces": 20,
}

func TestRecordings(t *testing.T) {
	for name, n := range records {
		t.Run(name, func(t *testing.T) {
			got := readRecording(t, name).lines(t)
			if count := strings.Count(got, "\n"); count != n {
				t.Errorf("%d records, want %d", count, n)
			}
			path := filepath.Join("testdata", "recordings", name+".ndjson")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// The collector's filelog receiver writes attributes in random order, and a new time of observation, each time that it reads a file.
func TestCollectorReadsTheFileAgain(t *testing.T) {
	first, second := readRecording(t, "otelcol-proto").lines(t), readRecording(t, "otelcol-json").lines(t)
	if first != second {
		t.Errorf("one run of the collector became\n%sand the next\n%s", first, second)
	}
}

func TestBothExportersOfJavaScript(t *testing.T) {
	inJSON, inProtobuf := readRecording(t, "otel-js-json").lines(t), readRecording(t, "otel-js-proto").lines(t)
	if inJSON != inProtobuf {
		t.Errorf("JSON became\n%sand protobuf\n%s", inJSON, inProtobuf)
	}
}

// Each recording becomes the same objects in the other encoding, in whatever style of JSON.
func TestRecordingsInTheOtherEncoding(t *testing.T) {
	for name := range records {
		r := readRecording(t, name)
		if r.encoding == JSON {
			continue // its twin in protobuf is a recording too
		}
		want := r.lines(t)
		for _, style := range jsonStyles {
			got, err := lines(reading(r.traces), r.inJSON(t, style), JSON)
			if err != nil || got != want {
				t.Errorf("%s, %+v: %v\n%swant\n%s", name, style, err, got, want)
			}
		}
	}
}

func TestEachEndsIt(t *testing.T) {
	for name, r := range map[string]recording{
		"protobuf": readRecording(t, "otelcol-proto"),
		"JSON":     readRecording(t, "otelcol-json"),
		"spans":    readRecording(t, "litellm-traces"),
	} {
		stop, calls := fmt.Errorf("that is enough"), 0
		err := r.read(func([]byte) error {
			calls++
			return stop
		})
		if err != stop || calls != 1 { //nolint:errorlint // as it is, not wrapped
			t.Errorf("%s: %d calls, error %v", name, calls, err)
		}
	}
}

func TestOtherSignal(t *testing.T) {
	r := readRecording(t, "litellm-traces")
	for e, body := range map[Encoding][]byte{Protobuf: r.body, JSON: r.inJSON(t, jsonStyle{})} {
		var wrong *InvalidError
		if got, err := lines(Logs, body, e); !errors.As(err, &wrong) {
			t.Errorf("spans as logs, encoding %d: %q, %v", e, got, err)
		}
	}
}
