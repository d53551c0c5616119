package event_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
)

// FuzzParseLine: whatever an event holds, its line and its JSON object give all of it back; and no byte of them can be changed without
// being refused or changing what is read.
func FuzzParseLine(f *testing.F) {
	f.Add(int64(1), int64(0), int64(0), "", "", []byte(`{}`), uint(3), byte(1))
	f.Add(int64(2), int64(-1), int64(1740823530000010), "", "", []byte(`{}`), uint(3), byte(1))
	f.Add(int64(1<<62), int64(-62135596800000000), int64(253402300799999999), "ty,p\"e\\",
		"src k\"1 é😀\u2028", []byte(" {\"n\":1e400,\"n\":2.50,\r\n\t\"s\":\"\\u0000é\\ud800</\"}\n"), uint(200), byte(0x20))
	f.Add(int64(7), int64(1740823530500000), int64(1740823531000001), "api.call", "",
		[]byte(" {\"deep\":[[{\"raw\":\"x\",\"data\":{}}]]}\t"), uint(20), byte(4))
	f.Fuzz(func(t *testing.T, sequence, at, recordedAt int64, typ, key string, data []byte, place uint, flip byte) {
		e, err := event.Parse(data)
		if err != nil || sequence < 1 || !inRange(at) || !inRange(recordedAt) ||
			event.CheckType(typ) != nil || key != "" && e.SetKey(key) != nil {
			return
		}
		want := event.Recorded{
			Event:    event.Event{Type: typ, Key: key, Time: at, HasTime: true, Data: data},
			Sequence: sequence, RecordedAt: recordedAt,
		}
		want.Hash = new(event.Chainer).Link(event.Hash{1}, &want)
		line, object := event.AppendLine(nil, &want), event.AppendJSON(nil, &want)
		if clock := time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.999999Z"); !bytes.Contains(line, []byte(`,"time":"`+clock+`",`)) {
			t.Fatalf("%q does not have the time %s", line, clock)
		}
		if bytes.ContainsAny(line, "\r\n") {
			t.Fatalf("%q is not one line", line)
		}
		for _, text := range [][]byte{line, object} {
			got, err := event.ParseLine(text)
			if err != nil || show(&got) != show(&want) {
				t.Fatalf("%q is read as\n%s, %v; it was\n%s", text, show(&got), err, show(&want))
			}
			changed := bytes.Clone(text)
			changed[place%uint(len(changed))] ^= flip
			if got, err := event.ParseLine(changed); err == nil && flip != 0 && show(&got) == show(&want) {
				t.Fatalf("%q is read as if it were %q", changed, text)
			}
		}
	})
}

// inRange reports whether an event can have that time: a year of four digits.
func inRange(micros int64) bool {
	year := time.UnixMicro(micros).UTC().Year()
	return year >= 0 && year <= 9999
}

func show(e *event.Recorded) string {
	return fmt.Sprintf("%d %d %d %q %q %x %q", e.Sequence, e.Time, e.RecordedAt, e.Type, e.Key, e.Hash, e.Data)
}

// TestParseLineRefuses lines that show their reader something else than what would be verified, and says what is wrong with others.
func TestParseLineRefuses(t *testing.T) {
	e := event.Recorded{Event: event.Event{Type: "a", Key: "k", Data: []byte(`{"n":1}`)}, Sequence: 7}
	spaced := e
	spaced.Data = []byte("{\n\"n\":1}")
	plain, broken := string(event.AppendLine(nil, &e)), string(event.AppendLine(nil, &spaced))
	for line, want := range map[string]string{
		"":                                      "no JSON object",
		"\xff\x00":                              "no JSON object",
		"[1]":                                   "no JSON object",
		"{}":                                    "time",
		plain[:40]:                              "no JSON object",
		strings.Replace(plain, `:7,`, `:0,`, 1): "sequence",
		strings.Replace(plain, `:7,`, `:1e400,`, 1):                                     "no JSON object",
		strings.Replace(plain, `"data":{"n":1}`, `"dato":{"n":1}`, 1):                   "data is missing",
		strings.Replace(plain, `"hash":"00`, `"hash":"`, 1):                             "64 hexadecimal",
		strings.Replace(plain, `:00Z"`, `:00.0000001Z"`, 1):                             "not written as Tallystick",
		strings.Replace(plain, `:00Z"`, `:00+00:00"`, 1):                                "not written as Tallystick",
		strings.Replace(plain, `"data":`, `"data":{"n":2},"data":`, 1):                  "not written as Tallystick",
		strings.Replace(plain, `"data":{"n":1}`, `"data":{"n":2},"DATA":{"n":1}`, 1):    "not written as Tallystick",
		strings.Replace(plain, `"data":{"n":1}`, `"data":{"n":2},"raw":"{\"n\":1}"`, 1): "not written as Tallystick",
		strings.Replace(plain, `"data":{"n":1}`, `"data":{"n":1},"raw":"{\"n\":1}"`, 1): "not written as Tallystick",
		strings.Replace(broken, `"data":{"n":1}`, `"data":{"n":2}`, 1):                  "not written as Tallystick",
		strings.Replace(broken, `"raw":"{\n`, `"raw":"{\u000a`, 1):                      "not written as Tallystick",
		strings.Replace(plain, `{"n":1}}`, `{"n":1},"more":1}`, 1):                      "not written as Tallystick",
		plain + " ":            "not written as Tallystick",
		plain + "{}":           "no JSON object",
		strings.ToUpper(plain): "",
	} {
		if _, err := event.ParseLine([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want an error that says %q", line, err, want)
		}
	}
}
