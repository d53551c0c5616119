package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestProgress: a terminal gets a bar that moves and goes away, a file a line at first and then seldom.
func TestProgress(t *testing.T) {
	var terminal, file bytes.Buffer
	p := newProgress("totals version 2", &terminal, &file)
	p.set(0, 1_000_000, 0, -1)
	p.set(250_000, 1_000_000, 99_999.6, 7500*time.Millisecond)
	p.set(1_000_000, 1_000_000, 100_000, 0)
	p.set(1_000_100, 1_000_000, 100_000, 0) // more events came
	for _, want := range []string{
		"totals version 2: 0 of 1,000,000 events",
		"250,000 of 1,000,000 events, 100,000 events/s, 8s left",
		"  25% ",
	} {
		if !strings.Contains(terminal.String(), want) {
			t.Errorf("the terminal does not say %q but %q", want, terminal.String())
		}
	}
	if strings.Contains(terminal.String(), "\n") {
		t.Errorf("the bar leaves its line: %q", terminal.String())
	}
	p.finish()
	if last := terminal.String(); !strings.HasSuffix(last, "\r") {
		t.Errorf("the bar is not taken away: %q", last)
	}
	if file.Len() > 0 {
		t.Errorf("beside the bar it says %q", file.String())
	}

	p = newProgress("totals version 2", nil, &file)
	for done := range int64(1000) {
		p.set(done, 1000, 0, -1)
	}
	p.finish()
	if got := file.String(); got != "totals version 2: 0 of 1,000 events\n" {
		t.Errorf("the file gets %q", got)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", -7: "-7", 999: "999",
		1000: "1,000", -1000: "-1,000", -999999: "-999,999", 1234567890: "1,234,567,890",
	} {
		if got := thousands(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

func TestEscapeQuery(t *testing.T) {
	for query, want := range map[string]string{
		"month=2025-03&a=b+c%20d": "month=2025-03&a=b+c%20d",
		"team=a b":                "team=a%20b",
		"team=größe":              "team=gr%C3%B6%C3%9Fe",
		`x="<#>"`:                 "x=%22%3C%23%3E%22",
		"a\tb\n":                  "a%09b%0A",
		"":                        "",
	} {
		if got := escapeQuery(query); got != want {
			t.Errorf("%q is escaped %q, not %q", query, got, want)
		}
	}
}

// TestOneLine: what a view or a user wrote cannot move a terminal's cursor or break a table.
func TestOneLine(t *testing.T) {
	if got := oneLine("a\tb\x1b[2J\r\nc\u0085d"); got != `a b\u001b[2J\r\nc\u0085d` {
		t.Errorf("%q", got)
	}
	if got := oneLine(strings.Repeat("é", 1000)); len([]rune(got)) != maxCellRunes+1 {
		t.Errorf("%d characters are left", len([]rune(got)))
	}
}
