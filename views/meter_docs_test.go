package views_test

import (
	"os"
	"strings"
	"testing"
)

// TestMeterDocs runs the examples of docs/meter.md: blocks marked "json config" and "json events" deploy and fold, and each
// block "text ask" has a query and what must come of it. With -update the answers are written anew.
func TestMeterDocs(t *testing.T) {
	const file = "../docs/meter.md"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var (
		d       *deployed
		state   memoryState
		queries int
	)
	parts := strings.Split(string(source), "```")
	for i := 1; i < len(parts); i += 2 {
		kind, body, _ := strings.Cut(parts[i], "\n")
		switch kind {
		case "json config":
			d, state = mustDeploy(t, "meter", body), nil
		case "json events":
			state = d.foldAll(t, lines(body)).State
		case "text ask":
			queries++
			query, want, _ := strings.Cut(body, "\n")
			answer := d.ask(t, state, strings.TrimPrefix(query, "?"))
			if *update {
				parts[i] = kind + "\n" + query + "\n" + strings.TrimSpace(strings.ReplaceAll(answer, "\r\n", "\n")) + "\n"
				continue
			}
			if got := strings.ReplaceAll(answer, "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("%s: %s is answered\n%s\nnot\n%s", file, query, got, want)
			}
		}
	}
	if queries < 8 {
		t.Errorf("only %d queries are asked", queries)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(parts, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func lines(text string) [][]byte {
	var list [][]byte
	for line := range strings.Lines(text) {
		list = append(list, []byte(strings.TrimSpace(line)))
	}
	return list
}
