package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sample is one fenced block of a page.
type sample struct {
	line       int
	kind, body string
}

func samples(t *testing.T, page string) (list []sample) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	line := 1
	for i, part := range strings.Split(string(text), "```") {
		if i%2 == 1 {
			kind, body, _ := strings.Cut(part, "\n")
			list = append(list, sample{line, kind, body})
		}
		line += strings.Count(part, "\n")
	}
	return list
}

// asExpression makes an expression of what a page shows as an answer, in which … stands for anything.
func asExpression(shown string) *regexp.Regexp {
	return regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(shown)), "…", ".*?") + "$")
}

// reader does what a page says, as its reader would: in a folder, with a server of tally dev.
type reader struct {
	t      *testing.T
	page   string
	folder string
	server *process
	said   string // by the last command
}

func (r *reader) run(s sample, script string) {
	r.t.Helper()
	script = strings.ReplaceAll(script, "http://127.0.0.1:8080", r.server.url)
	cmd := exec.CommandContext(r.t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = r.folder
	cmd.Env = append(os.Environ(), "TALLY_URL="+r.server.url, "TALLY_MODULE_CACHE_DIR="+modules,
		"PATH="+filepath.Dir(tally)+":"+os.Getenv("PATH"))
	var failure bytes.Buffer
	cmd.Stderr = &failure
	said, err := cmd.Output()
	if r.said = string(said); err != nil {
		r.t.Fatalf("%s:%d: %v\n%s%s", r.page, s.line, err, said, &failure)
	}
}

func (r *reader) wants(s sample, shown string) {
	r.t.Helper()
	if !asExpression(shown).MatchString(strings.TrimSpace(r.said)) {
		r.t.Errorf("%s:%d: the answer is\n%s\nnot\n%s", r.page, s.line, r.said, shown)
	}
}

// TestTutorials does what the tutorials say, block by block. A block "sh" is run, and a block "text" after it is its answer, in which …
// stands for anything. A block whose kind ends in "file=NAME" is that file.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob("../../docs/tutorials/*.md")
	if err != nil || len(pages) < 2 {
		t.Fatalf("%d tutorials: %v", len(pages), err)
	}
	for _, page := range pages {
		if !slices.ContainsFunc(samples(t, page), func(s sample) bool { return s.kind == "sh" }) {
			continue // SQL, which internal/db runs
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			r := reader{t: t, page: page, folder: t.TempDir(), server: dev(t, folder(t))}
			for _, s := range samples(t, page) {
				kind, name, isFile := strings.Cut(s.kind, " file=")
				switch {
				case isFile:
					if err := os.WriteFile(filepath.Join(r.folder, name), []byte(s.body), 0o600); err != nil {
						t.Fatal(err)
					}
				case kind == "sh":
					r.run(s, s.body)
				case kind == "text":
					r.wants(s, s.body)
				}
			}
		})
	}
}

// TestReadme makes the calls that README.md shows with their answers.
func TestReadme(t *testing.T) {
	const page = "../../README.md"
	r := reader{t: t, page: page, folder: "../..", server: dev(t, folder(t))}
	calls := 0
	for _, s := range samples(t, page) {
		if s.kind != "console" {
			continue
		}
		for call := range strings.SplitSeq(strings.TrimSpace(s.body), "\n\n") {
			command, answer, hasAnswer := strings.Cut(call, "\n{")
			r.run(s, strings.Replace(command, "curl", "curl -sS --fail-with-body", 1))
			if hasAnswer {
				r.wants(s, anyID.ReplaceAllString("{"+answer, "…"))
			}
			calls++
		}
	}
	if calls < 4 {
		t.Errorf("only %d calls were made", calls)
	}
}

// anyID is an id that the server chooses.
var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
