package alert

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var blocks = regexp.MustCompile("(?ms)^```(json alert|json answer|text reads)\n(.*?)^```$")

// TestAlertsDocs reads each answer in docs/alerts.md by the alert before it.
func TestAlertsDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	var alert *Alert
	var body []byte
	ran := 0
	now := time.Date(2025, 3, 20, 10, 0, 0, 0, time.UTC)
	for _, block := range blocks.FindAllStringSubmatch(string(page), -1) {
		switch text := block[2]; block[1] {
		case "json alert":
			if alert, err = Parse([]byte(text)); err != nil {
				t.Fatalf("%s\n%v", text, err)
			}
		case "json answer":
			body = []byte(text)
		default:
			at := moment{now: now}
			if alert.calendar != "" {
				at.from, at.to = alert.calendar.at(now, alert.zone)
			}
			if got := describe(alert, alert.read(answer{body: body}, at)); got != strings.TrimSpace(text) {
				t.Errorf("the page says\n%sand it reads\n%s", text, got)
			}
			ran++
		}
	}
	if ran < 3 {
		t.Errorf("%d answers were read", ran)
	}
}

// describe says what was read as the page does.
func describe(a *Alert, r reading) string {
	if r.err != "" {
		return r.err
	}
	text := "value " + r.value.text
	if r.of.text != "" {
		text += " of " + r.of.text
	}
	if r.window.key != "" {
		text += ", window " + r.window.key
	}
	var stand []string
	for _, threshold := range a.thresholds {
		is := " is not"
		if threshold.reached(r.value.value, r.of.value, a.direction) {
			is = " is reached"
		}
		stand = append(stand, threshold.text+is)
	}
	return text + ": " + strings.Join(stand, ", ")
}
