package source_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/source"
)

// TestDocumentedExamples maps the records of docs/sources.md. A block of a mapping is followed by records, each with what becomes of it:
// events, one a line, in the log that the block names; a reject with its code and what is kept of it; or nothing.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	var (
		m      *source.Mapping
		record string
	)
	checked := map[string]int{}
	for _, block := range regexp.MustCompile("(?ms)^```(\\w+) ?(\\S*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		kind, name, text := block[1], block[2], strings.TrimSuffix(block[3], "\n")
		checked[kind]++
		switch kind {
		case "mapping":
			m = parse(t, text)
			continue
		case "record":
			record = text
			continue
		}
		var got []string
		if err := m.Unwrap([]byte(record), func(inner []byte) error {
			switch line := m.Map(inner); line.Outcome {
			case source.Skipped:
				if kind != "skipped" {
					t.Errorf("%s is skipped", inner)
				}
			case source.Rejected:
				raw, _ := m.RejectRaw(inner)
				if got = append(got, string(raw)); kind != "reject" || name != line.Code {
					t.Errorf("%s is rejected: %s, %s", inner, line.Code, line.Detail)
				}
			case source.Mapped:
				if got = append(got, string(line.Event)); kind != "event" || name != line.Log {
					t.Errorf("%s becomes an event in %s", inner, line.Log)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if joined := strings.Join(got, "\n"); joined != text {
			t.Errorf("%s\nbecomes\n%s\nand not\n%s", record, joined, text)
		}
	}
	if checked["mapping"] < 13 || checked["event"] < 13 || checked["reject"] == 0 || checked["skipped"] == 0 {
		t.Errorf("only these were checked: %v", checked)
	}
	for limit, written := range map[int]string{
		source.MaxMappingBytes:  "| a mapping | # bytes",
		source.MaxPointers:      "| different pointers in it | # |",
		source.MaxPointerBytes:  "| a pointer, a template | # bytes",
		source.MaxAlternatives:  "| a list of templates or pointers | # |",
		source.MaxConditions:    "| members of `select`, and values in one | # |",
		source.MaxKept:          "| members of `keep` | #,",
		source.MaxKeptNameBytes: "with names of # bytes |",
		source.DefaultMostLogs:  "(# if not given",
		source.MaxMostLogs:      "at most #)",
	} {
		if want := strings.ReplaceAll(written, "#", grouped(limit)); !strings.Contains(string(page), want) {
			t.Errorf("docs/sources.md does not say %q", want)
		}
	}
}

// grouped writes a number as the documentation does.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
