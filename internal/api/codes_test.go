package api_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/api"
)

// TestMembersOfProblems: docs/api.md names the members that a problem may have, and no others.
func TestMembersOfProblems(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)\n## Problems\n(.*?)\n### ").FindStringSubmatch(string(text))
	if shown == nil {
		t.Fatal("docs/api.md has no section of problems")
	}
	named := map[string]bool{"type": true, "title": true, "status": true} // in the example alone
	for _, member := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(shown[1], -1) {
		named[member[1]] = true
	}
	members := api.Describe().Components.Schemas.Map()["Problem"].Properties
	for member := range members {
		if !named[member] {
			t.Errorf("docs/api.md does not say that a problem may have the member %s", member)
		}
	}
	for member := range named {
		if members[member] == nil {
			t.Errorf("docs/api.md says that a problem may have the member %s, which there is not", member)
		}
	}
}

// TestCodes: every problem code has one status, which docs/api.md documents. The codes are exactly those that the sources name.
func TestCodes(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, problems, found := strings.Cut(string(text), "\n## Problems\n")
	if !found {
		t.Fatal("docs/api.md has no section of problems")
	}
	documented := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([0-9]+) \\| (`[a-z_`, ]+) \\|").FindAllStringSubmatch(problems, -1) {
		status, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range regexp.MustCompile("[a-z_]+").FindAllString(row[2], -1) {
			if api.Statuses[code] != status {
				t.Errorf("docs/api.md says that %s is answered with %d; it is with %d", code, status, api.Statuses[code])
			}
			documented[code] = status
		}
	}
	for code, status := range api.Statuses {
		if documented[code] == 0 {
			t.Errorf("docs/api.md does not explain %s", code)
		}
		if http.StatusText(status) == "" || status < 400 {
			t.Errorf("%s has the status %d", code, status)
		}
	}
	if len(documented) < 60 {
		t.Errorf("only %d codes were found in docs/api.md", len(documented))
	}

	named := 0
	var sources strings.Builder
	uses := regexp.MustCompile(`(?:newProblem|invalid|checkText|checkSize|identify)\("([a-z_]+)"|` +
		`RefusedError\{(?:Code: )?"([a-z_]+)"|\bCode[A-Za-z]* += "([a-z_]+)"|code: +"([a-z_]+)"`)
	for _, folder := range []string{
		".", "../access", "../alert", "../event", "../eventlog", "../ingest", "../intake", "../view", "../wasm",
		"../webhook",
	} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || file == "codes.go" {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(source)
			for _, use := range uses.FindAllStringSubmatch(string(source), -1) {
				named++
				if code := strings.Join(use[1:], ""); api.Statuses[code] == 0 {
					t.Errorf("%s names the code %s, which has no status", file, code)
				}
			}
		}
	}
	if named < 80 {
		t.Errorf("only %d uses of codes were found in the sources", named)
	}
	for code := range api.Statuses {
		if !strings.Contains(sources.String(), strconv.Quote(code)) {
			t.Errorf("no source names the code %s: remove it from codes.go and from docs/api.md", code)
		}
	}
}
