package source_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/source"
)

var update = flag.Bool("update", false, "write the golden files of testdata/gateways anew")

const gateways = "testdata/gateways"

// sent is a request of a gateway, as it was recorded or written.
type sent struct {
	name   string
	header http.Header
	signal string // the last part of the endpoint: events, logs or traces
	body   []byte
}

func folders(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(gateways + "/*/mapping.json")
	if err != nil || len(found) == 0 {
		t.Fatal("no gateways: ", err)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

func requests(t *testing.T, folder string) []sent {
	t.Helper()
	heads, err := filepath.Glob(folder + "/*.head")
	if err != nil || len(heads) == 0 {
		t.Fatal("no requests: ", err)
	}
	var all []sent
	for _, file := range heads {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(read(t, file))))
		if err != nil {
			t.Fatal(file, ": ", err)
		}
		name := strings.TrimSuffix(file, ".head")
		all = append(all, sent{filepath.Base(name), r.Header, path.Base(r.URL.Path), read(t, name+".body")})
	}
	return all
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// records returns what the mapping sees of a request: its records, before any envelope is opened.
func (s sent) records(t *testing.T) [][]byte {
	t.Helper()
	var all [][]byte
	each := func(record []byte) error {
		all = append(all, bytes.Clone(record))
		return nil
	}
	body := s.decoded(t)
	contentType := s.header.Get("Content-Type")
	encoding, _ := otlp.EncodingOf(contentType)
	switch {
	case s.signal == "logs":
		fatal(t, otlp.Logs(body, encoding, each))
	case s.signal == "traces":
		fatal(t, otlp.Spans(body, encoding, each))
	case framing.Kind(contentType, s.header) == framing.Binary:
		record, err := framing.BinaryEvent(s.header, body)
		fatal(t, err)
		all = append(all, record)
	default:
		in := framing.NewRecords(bytes.NewReader(body), event.MaxBytes)
		for {
			record, err := in.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			fatal(t, errors.Join(err, record.Err))
			fatal(t, each(record.Data))
		}
	}
	return all
}

func (s sent) decoded(t *testing.T) []byte {
	t.Helper()
	in, err := framing.Decode(bytes.NewReader(s.body), s.header.Get("Content-Encoding"), 32<<20)
	fatal(t, err)
	body, err := io.ReadAll(in)
	fatal(t, errors.Join(err, in.Close()))
	return body
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unwrapped returns the records in the envelopes of a request.
func unwrapped(t *testing.T, m *source.Mapping, s sent) [][]byte {
	t.Helper()
	var all [][]byte
	for _, record := range s.records(t) {
		fatal(t, m.Unwrap(record, func(inner []byte) error {
			all = append(all, bytes.Clone(inner))
			return nil
		}))
	}
	return all
}

func show(line source.Line) string {
	switch line.Outcome {
	case source.Mapped:
		return fmt.Sprintf("%s %s", line.Log, line.Event)
	case source.Skipped:
		return "skipped"
	default:
		return fmt.Sprintf("rejected %s: %s", line.Code, line.Detail)
	}
}

// TestGateways maps what each gateway sends, and compares the logs and events with its golden file.
func TestGateways(t *testing.T) {
	covered := map[string]bool{}
	for _, folder := range folders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			raw := read(t, folder+"/mapping.json")
			var named struct{ Ready string }
			fatal(t, json.Unmarshal(raw, &named))
			covered[named.Ready] = true
			m := parse(t, string(raw))
			var got strings.Builder
			for _, s := range requests(t, folder) {
				fmt.Fprintf(&got, "# %s\n", s.name)
				for _, record := range unwrapped(t, m, s) {
					line := m.Map(record)
					if _, err := event.Parse(line.Event); line.Outcome == source.Mapped && err != nil {
						t.Errorf("%s: the event %s is not acceptable: %v", s.name, line.Event, err)
					}
					fmt.Fprintln(&got, show(line))
				}
			}
			golden := folder + "/golden.txt"
			if *update {
				fatal(t, os.WriteFile(golden, []byte(got.String()), 0o644))
			}
			if want := string(read(t, golden)); got.String() != want {
				t.Errorf("got\n%s\nwant, by %s,\n%s", got.String(), golden, want)
			}
		})
	}
	for _, name := range source.Ready() {
		if !covered[name] {
			t.Errorf("no folder of %s has the ready mapping %s", gateways, name)
		}
	}
}

// TestGatewaysInAnotherOrder: a record whose members come in another order, as those of access logs and OTLP do, is the same event.
func TestGatewaysInAnotherOrder(t *testing.T) {
	for _, folder := range folders(t) {
		m := parse(t, string(read(t, folder+"/mapping.json")))
		changed := 0
		for _, s := range requests(t, folder) {
			for _, record := range unwrapped(t, m, s) {
				other := reversed(t, record)
				if !bytes.Equal(other, record) {
					changed++
				}
				if got, want := show(m.Map(other)), show(m.Map(record)); got != want {
					t.Errorf("%s/%s: in another order\n%s\nbecomes %s\nand not %s", folder, s.name, other, got, want)
				}
			}
		}
		if changed == 0 {
			t.Errorf("%s: no record changed", folder)
		}
	}
}

// reversed returns a JSON value whose objects have their members in the opposite order.
func reversed(t *testing.T, value []byte) []byte {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(value))
	open, err := in.Token()
	fatal(t, err)
	if open != json.Delim('{') && open != json.Delim('[') {
		return value
	}
	var items [][]byte
	for in.More() {
		var name []byte
		if open == json.Delim('{') {
			token, err := in.Token()
			fatal(t, err)
			name, err = json.Marshal(token)
			fatal(t, err)
			name = append(name, " : "...)
		}
		var item json.RawMessage
		fatal(t, in.Decode(&item))
		items = append(items, append(name, reversed(t, item)...))
	}
	if open == json.Delim('[') {
		return slices.Concat([]byte("["), bytes.Join(items, []byte(",")), []byte("]"))
	}
	slices.Reverse(items)
	return slices.Concat([]byte("{"), bytes.Join(items, []byte(",\n")), []byte("}"))
}

// TestGatewaysKeepNoSecrets: prompts, addresses and secrets of a record are in no event, no log's name, no reason, and not in what a reject
// keeps of it. What it keeps is enough to map the record later.
func TestGatewaysKeepNoSecrets(t *testing.T) {
	for _, folder := range folders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			m := parse(t, string(read(t, folder+"/mapping.json")))
			var canaries []string
			if data, err := os.ReadFile(folder + "/canaries.json"); err == nil {
				fatal(t, json.Unmarshal(data, &canaries))
			}
			seen := map[string]bool{}
			for _, s := range requests(t, folder) {
				for _, record := range unwrapped(t, m, s) {
					line := m.Map(record)
					raw, _ := m.RejectRaw(record)
					if got, want := show(m.Map(raw)), show(line); got != want {
						t.Errorf("%s: what a reject keeps, %s, becomes %s and not %s", s.name, raw, got, want)
					}
					for _, canary := range canaries {
						seen[canary] = seen[canary] || bytes.Contains(record, []byte(canary))
						if bytes.Contains(raw, []byte(canary)) || strings.Contains(show(line), canary) {
							t.Errorf("%s: %q is in %s or in %s", s.name, canary, raw, show(line))
						}
					}
				}
			}
			if found := slices.Sorted(maps.Keys(seen)); len(canaries) > 0 && slices.ContainsFunc(found,
				func(c string) bool { return !seen[c] }) {
				t.Errorf("not all of %q are in the records: %v", canaries, seen)
			}
		})
	}
}
