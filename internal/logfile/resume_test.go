package logfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func extend(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text))
}

func zip(t *testing.T, path string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "gzip", path).Run(); err != nil {
		t.Fatal(err)
	}
}

// events are lines of events from one number to another.
func events(from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, "{\"n\":%d}\n", n)
	}
	return b.String()
}

// numbers are those of events that were read, such as "1-3 5".
func numbers(t *testing.T, records []string) string {
	t.Helper()
	var text []string
	first, last := 0, 0
	end := func() {
		if last > 0 {
			text = append(text, strings.TrimSuffix(fmt.Sprintf("%d-%d", first, last), fmt.Sprintf("-%d", first)))
		}
	}
	for _, record := range records {
		n := 0
		if _, err := fmt.Sscanf(record, `{"n":%d}`, &n); err != nil {
			t.Fatalf("%s is no event: %v", record, err)
		}
		if n != last+1 || last == 0 {
			end()
			first = n
		}
		last = n
	}
	end()
	return strings.Join(text, " ")
}

// readFile reads a file to its end, from what marks say, and returns its mark then.
func readFile(t *testing.T, path string, marks []Mark, o Options) (records []string, mark Mark, ids []string) {
	t.Helper()
	in, err := Open(path, marks, o)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	in.Finish()
	for {
		record, err := in.Next()
		if errors.Is(err, io.EOF) {
			return records, in.Mark(), ids
		}
		if err != nil || record.Err != nil {
			t.Fatal(err, record.Err)
		}
		records, ids = append(records, string(record.Data)), append(ids, record.ID)
	}
}

// TestResume: a file is gone on with where it was left, whatever it is called and however it is stored by then; another file is not.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	write(t, path, events(1, 2000))
	_, early, _ := readFile(t, path, nil, Options{})
	extend(t, path, events(2001, 3000))
	first, mark, _ := readFile(t, path, nil, Options{})
	if got := numbers(t, first); got != "1-3000" || mark.Records != 3000 {
		t.Fatalf("it reads %s, %d records", got, mark.Records)
	}
	extend(t, path, events(3001, 3010))
	copyFile(t, path, filepath.Join(dir, "copy"))
	copyFile(t, path, filepath.Join(dir, "zipped"))
	zip(t, filepath.Join(dir, "zipped"))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "z"), string(z.EncodeAll(text, nil)))
	rename(t, path, filepath.Join(dir, "renamed"))
	rename(t, filepath.Join(dir, "zipped.gz"), filepath.Join(dir, "zipped")) // what it is shows in its content
	write(t, filepath.Join(dir, "crlf"), strings.ReplaceAll(string(text), "\n", "\r\n"))
	write(t, filepath.Join(dir, "begun alike"), events(1, 1999)+events(9000, 9999)+events(1, 50))
	write(t, filepath.Join(dir, "short"), events(1, 2500))
	write(t, filepath.Join(dir, "other"), events(2, 4000))
	write(t, filepath.Join(dir, "empty"), "")
	for name, want := range map[string]string{
		"renamed": "3001-3010", "copy": "3001-3010", "zipped": "3001-3010", "z": "3001-3010", "crlf": "3001-3010",
		"begun alike": "1-1999 9000-9999 1-50", "short": "2001-2500", "other": "2-4000", "empty": "",
	} {
		records, now, _ := readFile(t, filepath.Join(dir, name), []Mark{early, mark}, Options{})
		if got := numbers(t, records); got != want {
			t.Errorf("%s goes on with %s, want %s", name, got, want)
		}
		if records, _, _ = readFile(t, filepath.Join(dir, name), []Mark{early, mark, now}, Options{}); len(records) > 0 {
			t.Errorf("%s: the second time, it reads %s", name, numbers(t, records))
		}
	}
	if records, _, _ := readFile(t, filepath.Join(dir, "copy"), []Mark{mark}, Options{Origin: "web-2"}); len(records) != 3010 {
		t.Errorf("of another origin it reads %d records", len(records))
	}
}

// TestPositionIsByContent: the identity of a record is the same in every copy of its file, equal lines differ, and what follows a
// difference differs.
func TestPositionIsByContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	write(t, path, "{}\n{}\n{}\n")
	_, _, plain := readFile(t, path, nil, Options{})
	if len(plain) != 3 || plain[0] == plain[1] || plain[1] == plain[2] || plain[0] == plain[2] {
		t.Errorf("equal lines are %q", plain)
	}
	copyFile(t, path, path+".1")
	zip(t, path+".1")
	if _, _, zipped := readFile(t, path+".1.gz", nil, Options{}); !slices.Equal(zipped, plain) {
		t.Errorf("compressed, they are %q, and %q before", zipped, plain)
	}
	write(t, path, "{}\n{} \n{}")
	_, _, spaced := readFile(t, path, nil, Options{})
	if len(spaced) != 3 || spaced[0] != plain[0] || spaced[1] == plain[1] || spaced[2] == plain[2] {
		t.Errorf("with another line in between, they are %q, and %q before", spaced, plain)
	}
	if _, _, other := readFile(t, path, nil, Options{Origin: "b"}); other[0] == plain[0] {
		t.Error("the origin does not matter")
	}
}

// TestResumeJSON: documents are gone on with by the record.
func TestResumeJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.json")
	write(t, path, "[{\"n\":1},\n\n{\"n\":2}]")
	first, mark, ids := readFile(t, path, nil, Options{})
	if numbers(t, first) != "1-2" || mark.Format != JSON {
		t.Errorf("it reads %q as %s", first, mark.Format)
	}
	if again, _, _ := readFile(t, path, []Mark{mark}, Options{}); len(again) > 0 {
		t.Errorf("again, it reads %q", again)
	}
	write(t, path, "{\"n\":1}{\"n\":2}\n{\"n\":3}")
	more, _, _ := readFile(t, path, []Mark{mark}, Options{})
	if numbers(t, more) != "3" {
		t.Errorf("more is %q", more)
	}
	if _, _, concatenated := readFile(t, path, nil, Options{}); !slices.Equal(concatenated[:2], ids) {
		t.Errorf("in another form they are %q, and %q before", concatenated, ids)
	}
}

func TestOpenRefusals(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"utf16": "\xff\xfe{\x00}\x00", "words": "hello\n", "a.gz": "\x1f\x8b\x08 and no more"} {
		write(t, filepath.Join(dir, name), text)
	}
	for name, want := range map[string]string{
		"": "it is a folder", "none": "no such file", "utf16": "it is UTF-16", "words": "--format", "a.gz": "gzip",
	} {
		if _, err := Open(filepath.Join(dir, name), nil, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	// One that is cut off is read as far as it goes.
	path := filepath.Join(dir, "cut")
	write(t, path, events(1, 20000))
	zip(t, path)
	if err := os.Truncate(path+".gz", 20000); err != nil {
		t.Fatal(err)
	}
	in, err := Open(path+".gz", nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	n := 0
	for ; err == nil; n++ {
		_, err = in.Next()
	}
	if n < 1000 || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("after %d records: %v", n, err)
	}
}

func TestDetect(t *testing.T) {
	const access = `192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512`
	for head, want := range map[string]Format{
		"":                                 NDJSON,
		"\n\n{\"a\":1}\n":                  NDJSON,
		"{\"a\":1, broken\n{\"a\":1}\n":    NDJSON,
		"{\"a\":\"\xff\"}\n{}\n":           NDJSON,
		"{\"a\":1}":                        NDJSON,
		"{\"a\":" + strings.Repeat(" ", 9): JSON,
		"{\"a\":1}{\"a\":2}\n":             JSON,
		"{\n\"a\":1}\n":                    JSON,
		"\uFEFF [{\"a\":1}]":               JSON,
		access:                             Access,
		"something else\n" + access + "\n": Access,
		"time,tokens in,team\n1,2,3\n":     CSV,
		"\"time\";\"tokens\"\r\n1;2\r\n":   CSV,
		"a\tb\n":                           CSV,
	} {
		if got, err := detect("x", []byte(head), true); got != want || err != nil {
			t.Errorf("%q is %s, %v, want %s", head, got, err, want)
		}
	}
	if got, err := detect("x.csv.gz", []byte("tokens\n1\n"), true); got != CSV || err != nil {
		t.Errorf("by its name it is %s, %v", got, err)
	}
	if got, err := detect("x", []byte(`{"a":"`+strings.Repeat("x", 100)), false); got != NDJSON || err != nil {
		t.Errorf("the beginning of a long line is %s, %v", got, err)
	}
}
