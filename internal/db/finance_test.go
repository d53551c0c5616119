package db_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestFinanceTutorial runs the queries of docs/tutorials/sql-for-finance.md on its events, as an analyst. With -update its results are
// written anew.
func TestFinanceTutorial(t *testing.T) {
	const file = "../../docs/tutorials/sql-for-finance.md"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := testdb.New(t)
	login := newLogin(t, "IN ROLE tally_analyst")
	analyst := connect(t, as(t, d.DSN(), login))
	execute(t, analyst, "SET timezone = 'UTC'")
	var events, query string
	parts := strings.Split(string(source), "```")
	for i := 1; i < len(parts); i += 2 {
		kind, body, _ := strings.Cut(parts[i], "\n")
		switch kind {
		case "text events":
			events = body
		case "json config":
			appendExamples(t, d, events, body)
		case "sql query":
			query = body
		case "text result":
			got := table(t, analyst, query)
			if *update {
				parts[i] = kind + "\n" + got
			} else if got != body {
				t.Errorf("%s: %s returns\n%s\nnot\n%s", file, query, got, body)
			}
			query = ""
		}
	}
	if query != "" || events == "" {
		t.Errorf("%s has a query without a result, or no events", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(parts, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
