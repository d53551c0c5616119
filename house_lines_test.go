package tallystick_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	// maxColumns is the longest line of code or prose. A tab counts as tabColumns.
	maxColumns = 140
	tabColumns = 4
	// firstMeasured is the first migration whose lines are measured: what landed before is never changed.
	firstMeasured = "migrations/00015"
)

// written are the kinds of files that we write by hand.
var written = []string{".go", ".md", ".sql", ".c", ".h", ".rs", ".ts", ".sh", "Makefile", ".yml", ".yaml", "Dockerfile", ".service"}

func columns(line string) int {
	return utf8.RuneCountInString(line) + (tabColumns-1)*strings.Count(line, "\t")
}

// mayBeLong tells whether a line cannot be broken: a row of a Markdown table, a URL by itself, an example in Markdown of what a program
// reads or prints by the line, such as an event, or a field of a struct whose tag describes it in the API.
func mayBeLong(path, line string, example bool) bool {
	if filepath.Ext(path) == ".md" && (example || strings.HasPrefix(strings.TrimSpace(line), "|")) {
		return true
	}
	if filepath.Ext(path) == ".go" && strings.Contains(line, ` doc:"`) && strings.HasSuffix(line, "`") {
		return true
	}
	words := slices.DeleteFunc(strings.Fields(line), func(word string) bool {
		return slices.Contains([]string{"//", "#", "--", "-", "*", `\`}, word)
	})
	return len(words) == 1 && strings.Contains(words[0], "://")
}

func TestLinesAreShort(t *testing.T) {
	for _, kind := range written {
		for path, text := range files(t, ".", kind) {
			if isGenerated(path, text) || strings.HasPrefix(path, "migrations/0") && path < firstMeasured {
				continue
			}
			number, example, fenced := 0, false, false
			for line := range strings.Lines(text) {
				number++
				line = strings.TrimRight(line, "\r\n")
				if info, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); fence {
					fenced = !fenced
					example = fenced && (info == "" || strings.Contains(info, "json") || strings.HasPrefix(info, "text"))
				}
				if n := columns(line); n > maxColumns && !mayBeLong(path, line, example) {
					t.Errorf("%s:%d has %d columns; at most %d are allowed", path, number, n, maxColumns)
				}
			}
		}
	}
}
