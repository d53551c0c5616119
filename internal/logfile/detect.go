package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Format is what a file is written in.
type Format string

const (
	NDJSON Format = "ndjson" // one JSON object to a line
	JSON   Format = "json"   // one JSON array of objects, or objects one after the other, over any number of lines
	CSV    Format = "csv"    // with a header row
	Access Format = "access" // the common or combined access log of web servers
)

// Formats are all formats.
var Formats = []Format{NDJSON, JSON, CSV, Access}

// headBytes is how much of a file is looked at to find its format, at most.
const headBytes = 64 << 10

var errUTF16 = errors.New("it is UTF-16, not UTF-8: iconv -f UTF-16 -t UTF-8 converts it")

// detect finds the format of a file by its beginning. whole says that this is all of it.
func detect(name string, head []byte, whole bool) (Format, error) {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return "", errUTF16
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), "\x00 \t\r\n")
	first, _, complete := bytes.Cut(head, []byte{'\n'})
	first = bytes.TrimRight(first, " \t\r")
	switch {
	case len(head) == 0:
		return NDJSON, nil
	case head[0] == '[':
		return JSON, nil
	case head[0] == '{':
		return detectJSON(first, complete || whole), nil
	}
	lines := bytes.SplitN(head, []byte{'\n'}, 11)
	for _, line := range lines[:min(len(lines), 10)] { // the first may be an odd one
		if accessLine.Match(bytes.TrimRight(line, "\r")) {
			return Access, nil
		}
	}
	if isNamedCSV(name) || headerRow.Match(first) {
		return CSV, nil
	}
	return "", fmt.Errorf("it is none of %s by its first line; name what it is by --format", formatNames())
}

// detectJSON tells lines of JSON from documents: by the first line, which is a whole object or not.
func detectJSON(line []byte, complete bool) Format {
	var wrong *jsonscan.SyntaxError
	switch err := jsonscan.Valid(line); {
	case !errors.As(err, &wrong):
		return NDJSON
	case wrong.Offset >= len(line) && complete: // it goes on in the next line
		return JSON
	case wrong.Offset < len(line) && jsonscan.Valid(line[:wrong.Offset]) == nil: // another object follows
		return JSON
	}
	return NDJSON
}

// headerRow is a row of at least two names.
var headerRow = regexp.MustCompile(`^"?[\p{L}_][\p{L}\d_ .:/()-]*"?([,;\t]"?[\p{L}_][\p{L}\d_ .:/()-]*"?)+$`)

func isNamedCSV(name string) bool {
	for _, compressed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, compressed)
	}
	return slices.Contains([]string{".csv", ".tsv"}, strings.ToLower(filepath.Ext(name)))
}

func formatNames() string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = string(f)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// ParseFormat returns the format of this name, or an error that names all; "" stands for the one that is found.
func ParseFormat(name string) (Format, error) {
	if name != "" && !slices.Contains(Formats, Format(name)) {
		return "", fmt.Errorf("%q is none of %s", name, formatNames())
	}
	return Format(name), nil
}
