package event_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

var exampleLog = uuid.MustParse("018f4f3c-0000-7000-8000-000000000001") //nolint:gochecknoglobals // a constant of another type

// exampleLines are the lines of a log of n events of several shapes, each with its end, and its head after each; the first is the empty
// log's.
func exampleLines(t testing.TB, n int) (lines []string, heads []event.Noted) {
	t.Helper()
	head := event.Head{Hash: event.Genesis(exampleLog), RecordedAt: 1_740_823_530_000_000}
	heads = append(heads, event.Noted{Hash: head.Hash})
	var chain event.Chainer
	for i := range n {
		text := fmt.Sprintf(`{"type":"api.call","time":"2025-03-01T10:05:30.%d5Z","source":"s","id":"%d","tokens":12}`, i%10, i)
		switch i % 4 {
		case 1:
			text = fmt.Sprintf("{\n\t\"n\": %d,\r\n \"text\": \"é \\n \\\"\"}\n", i)
		case 2:
			text = fmt.Sprintf(` {"n":%d}`, i)
		}
		e, err := event.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var recorded event.Recorded
		recorded, head = chain.Next(head, e, head.RecordedAt+int64(i))
		lines = append(lines, string(event.AppendLine(nil, &recorded))+"\n")
		heads = append(heads, event.Noted{Sequence: head.Sequence, Hash: head.Hash})
	}
	return lines, heads
}

func checkExport(t *testing.T, text string, log uuid.UUID, noted ...event.Noted) event.Checked {
	t.Helper()
	checked, err := event.CheckExport(strings.NewReader(text), log, noted...)
	if err != nil {
		t.Fatal(err)
	}
	return checked
}

// TestCheckExport: an export is checked as a log is, whatever it is packed in.
func TestCheckExport(t *testing.T) {
	lines, heads := exampleLines(t, 40)
	whole := strings.Join(lines, "")
	for name, text := range map[string]string{"plain": whole, "gzip": packed(t, whole, "gzip"), "zstd": packed(t, whole, "zstd")} {
		r := checkExport(t, text, exampleLog, heads[0], heads[20], heads[40])
		if r.Wrong != 0 || !r.Anchor || r.From != 1 || r.Through != 40 || r.Events != 40 || r.Keys != 20 || r.Hash != heads[40].Hash {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := checkExport(t, whole, uuid.UUID{}, heads[40]); r.Wrong != 0 || r.Anchor || r.Linked {
		t.Errorf("of a log that is not known: %+v", r)
	}
	if r := checkExport(t, strings.Join(lines[10:], ""), exampleLog, heads[40]); r.Wrong != 0 || r.Anchor || r.Linked ||
		r.From != 11 || r.Events != 30 {
		t.Errorf("from the middle: %+v", r)
	}
	if r := checkExport(t, strings.Join(lines[10:], ""), exampleLog, heads[9]); r.Wrong != 1 || r.Faults[0].Kind != event.FaultOutside {
		t.Errorf("from after the head that was noted: %+v", r)
	}
	if r := checkExport(t, strings.Join(lines[10:], ""), exampleLog, heads[10]); r.Wrong != 0 || r.Anchor || !r.Linked {
		t.Errorf("from a noted head on: %+v", r)
	}
	if r := checkExport(t, "", exampleLog, heads[0]); r.Wrong != 0 || r.Events != 0 || !r.Anchor {
		t.Errorf("of an empty log: %+v", r)
	}
}

// TestCheckExportFinds: whatever was done to an export is found and named.
func TestCheckExportFinds(t *testing.T) {
	lines, heads := exampleLines(t, 40)
	whole := strings.Join(lines, "")
	other, _ := exampleLines(t, 41)
	wrongHash := event.Noted{Sequence: 20, Hash: heads[21].Hash}
	replace := func(line int, from, to string) string {
		t.Helper()
		changed := append([]string{}, lines...)
		if changed[line-1] = strings.Replace(changed[line-1], from, to, 1); changed[line-1] == lines[line-1] {
			t.Fatalf("line %d has no %s: %s", line, from, lines[line-1])
		}
		return strings.Join(changed, "")
	}
	for name, test := range map[string]struct {
		text     string
		log      uuid.UUID
		noted    event.Noted
		kind     string
		sequence int64
	}{
		"a byte of the data": {replace(17, `"tokens":12`, `"tokens":13`), exampleLog, heads[40], event.FaultChanged, 17},
		"a byte of the hash": {replace(17, `"hash":"`, `"hash":"00`), exampleLog, heads[40], event.FaultUnreadable, 17},
		"the type":           {replace(17, `api.call`, `api.cast`), exampleLog, heads[40], event.FaultChanged, 17},
		"the key":            {replace(17, `"key":"s`, `"key":"t`), exampleLog, heads[40], event.FaultChanged, 17},
		"the time":           {replace(17, `"time":"2025`, `"time":"2024`), exampleLog, heads[40], event.FaultChanged, 17},
		"the last event": {
			replace(40, `{"type":"api.call"`, `{"type":"api.cast"`), exampleLog, heads[0], event.FaultChanged, 40,
		},
		"data, and raw left": {replace(18, `"n":17`, `"n":18`), exampleLog, heads[40], event.FaultUnreadable, 18},
		"data twice": {
			replace(17, `"data":`, `"data":{"tokens":99},"data":`), exampleLog, heads[40], event.FaultUnreadable, 17,
		},
		"Data beside data": {
			replace(17, `"data":`, `"Data":{"tokens":99},"data":`), exampleLog, heads[40], event.FaultUnreadable, 17,
		},
		"a missing line": {
			strings.Join(append(append([]string{}, lines[:16]...), lines[17:]...), ""), exampleLog, heads[40], event.FaultMissing, 17,
		},
		"a swapped pair": {
			strings.Join(lines[:16], "") + lines[17] + lines[16] + strings.Join(lines[18:], ""), exampleLog, heads[40],
			event.FaultMissing, 17,
		},
		"the last lines missing":       {strings.Join(lines[:30], ""), exampleLog, heads[40], event.FaultTruncated, 30},
		"cut in a line":                {whole[:len(whole)-3], exampleLog, heads[0], event.FaultUnreadable, 40},
		"garbage at the end":           {whole + "that is all\n", exampleLog, heads[40], event.FaultUnreadable, 41},
		"gzip cut off":                 {packed(t, whole, "gzip")[:600], exampleLog, heads[0], event.FaultUnreadable, 0},
		"zstd cut off":                 {packed(t, whole, "zstd")[:600], exampleLog, heads[0], event.FaultUnreadable, 0},
		"another log":                  {whole, uuid.New(), event.Noted{Sequence: 40, Hash: heads[40].Hash}, event.FaultChanged, 1},
		"another head":                 {whole, exampleLog, wrongHash, event.FaultRewritten, 20},
		"another empty log":            {whole, exampleLog, event.Noted{Hash: heads[1].Hash}, event.FaultRewritten, 0},
		"a part after another head":    {strings.Join(lines[20:], ""), exampleLog, wrongHash, event.FaultChanged, 21},
		"an event that was made up":    {whole + other[39], exampleLog, heads[40], event.FaultDuplicate, 40},
		"a line that is much too long": {whole + strings.Repeat("x", 9<<20) + "\n", exampleLog, heads[40], event.FaultUnreadable, 41},
	} {
		r := checkExport(t, test.text, test.log, test.noted)
		if r.Wrong == 0 || r.Faults[0].Kind != test.kind || (test.sequence > 0 && r.Faults[0].Sequence != test.sequence) {
			t.Errorf("%s: found %+v; want %s at %d", name, r.Faults, test.kind, test.sequence)
		}
	}
	for name, text := range map[string]string{
		"JSON": "[" + lines[0] + "]", "CSV": event.CSVHeader, "a text": "hello\n", "broken gzip": "\x1f\x8bx",
	} {
		if _, err := event.CheckExport(strings.NewReader(text), exampleLog); !errors.Is(err, event.ErrNotAnExport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func packed(t testing.TB, text, how string) string {
	t.Helper()
	var b bytes.Buffer
	if how == "gzip" {
		w := gzip.NewWriter(&b)
		_, err := w.Write([]byte(text))
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write([]byte(text))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzCheckExport: no file, however broken, does more than being refused, and none but the log itself is taken for it.
func FuzzCheckExport(f *testing.F) {
	lines, heads := exampleLines(f, 3)
	whole := strings.Join(lines, "")
	f.Add([]byte(whole))
	f.Add([]byte(packed(f, whole, "gzip")))
	f.Add([]byte(packed(f, whole, "zstd")))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := event.CheckExport(bytes.NewReader(file), exampleLog, heads[3])
		if err == nil && r.Wrong == 0 && r.Anchor && r.Hash != heads[3].Hash {
			t.Errorf("a forgery is taken: %+v", r)
		}
	})
}
