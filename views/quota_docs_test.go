package views_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// recordedAt is when an event of the documentation is recorded: at its own time.
func recordedAt(t *testing.T, data []byte) time.Time {
	t.Helper()
	var event struct{ Time time.Time }
	if err := json.Unmarshal(data, &event); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return event.Time
}

// TestQuotaDocs runs the examples of docs/quota.md: "json config" deploys, the events of "json events" are admitted and folded, "text
// append" has an event and what becomes of it, "text ask" a query and its answer. With -update the outcomes are written anew.
func TestQuotaDocs(t *testing.T) {
	const file = "../docs/quota.md"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var l *quotaLog
	parts, examples := strings.Split(string(source), "```"), 0
	for i := 1; i < len(parts); i += 2 {
		kind, body, _ := strings.Cut(parts[i], "\n")
		first, want, _ := strings.Cut(body, "\n")
		var got string
		switch kind {
		case "json config":
			l = newQuotaLog(t, body)
			continue
		case "json events":
			for _, line := range lines(body) {
				if o := l.append(t, recordedAt(t, line), string(line)); o.Status != 0 {
					t.Errorf("%s: %s is refused: %s", file, line, o)
				}
			}
			continue
		case "text append":
			got = l.append(t, recordedAt(t, []byte(first)), first).String()
		case "text ask":
			got = l.ask(t, strings.TrimPrefix(first, "?"))
		default:
			continue
		}
		examples++
		if *update {
			parts[i] = kind + "\n" + first + "\n" + got + "\n"
		} else if strings.TrimSpace(want) != got {
			t.Errorf("%s: %s becomes\n%s\nnot\n%s", file, first, got, want)
		}
	}
	if examples < 20 {
		t.Errorf("only %d examples are run", examples)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(parts, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
