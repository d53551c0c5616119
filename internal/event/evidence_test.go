package event_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
)

// fenced is the first block of a language on a page.
func fenced(t *testing.T, page, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n```"+language+"\n")
	text, _, ended := strings.Cut(rest, "\n```\n")
	if !found || !ended {
		t.Fatalf("docs/evidence.md has no block of %s", language)
	}
	return text + "\n"
}

// TestEvidencePage: the page's worked example is what the chain gives, and its program, which shares no code with ours, takes an export
// that is whole and no other.
func TestEvidencePage(t *testing.T) {
	text, err := os.ReadFile("../../docs/evidence.md")
	if err != nil {
		t.Fatal(err)
	}
	page, dir := string(text), t.TempDir()
	head := event.Head{Hash: event.Genesis(exampleLog), RecordedAt: 1_740_823_530_000_000}
	var chain event.Chainer
	example := ""
	for _, sent := range []string{`{"type":"api.call","time":"2025-03-01T10:05:30Z","source":"s","id":"1","tokens":12}`, "{}"} {
		e, err := event.Parse([]byte(sent))
		if err != nil {
			t.Fatal(err)
		}
		var recorded event.Recorded
		recorded, head = chain.Next(head, e, 1_740_823_531_000_000)
		example += string(event.AppendLine(nil, &recorded)) + "\n"
	}
	genesis := event.Genesis(exampleLog)
	if got := fenced(t, page, "ndjson"); got != example {
		t.Errorf("the example is\n%swant\n%s", got, example)
	}
	if want := hex.EncodeToString(genesis[:]); !strings.Contains(page, want) {
		t.Errorf("the page does not say that its log starts from %s", want)
	}
	program := filepath.Join(dir, "verify.py")
	lines, _ := exampleLines(t, 40)
	whole := strings.Join(lines, "")
	if err := os.WriteFile(program, []byte(fenced(t, page, "python")), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		export, said string
		ok           bool
	}{
		"example":      {example, "ok: events 1 to 2, head " + hex.EncodeToString(head.Hash[:]), true},
		"whole":        {whole, "ok: events 1 to 40", true},
		"changed":      {strings.Replace(whole, `"tokens":12`, `"tokens":13`, 1), "event 1 is not what was recorded", false},
		"data but raw": {strings.Replace(whole, `"n":1,`, `"n":2,`, 1), "event 2 shows other data", false},
		"missing":      {strings.Join(append(append([]string{}, lines[:16]...), lines[17:]...), ""), "event 17 is missing", false},
	} {
		file := filepath.Join(dir, "export.ndjson")
		if err := os.WriteFile(file, []byte(test.export), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := exec.CommandContext(t.Context(), "python3", program, exampleLog.String(), file).CombinedOutput()
		if (err == nil) != test.ok || !strings.Contains(string(said), test.said) {
			t.Errorf("%s: %v: %s", name, err, said)
		}
	}
}
