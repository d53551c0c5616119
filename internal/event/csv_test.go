package event_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
)

// TestCSVIsNoFormula: what a spreadsheet would work out is text by default, in every column that a sender writes; for programs it is as it
// was.
func TestCSVIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		`=HYPERLINK("http://evil.example","x")`: `'=HYPERLINK("http://evil.example","x")`,
		"+1":                                    "'+1", "@SUM(A1)": "'@SUM(A1)", "-1+cmd|' /C calc'!A0": "'-1+cmd|' /C calc'!A0",
		"\t=1": "'\t=1", "=": "'=", "-": "'-", "-a": "'-a",
		"-5": "-5", "-1.50": "-1.50", "-1e-7": "-1e-7", "-.5": "'-.5", "--1": "'--1", "-1\t": "'-1\t",
		"": "", "api.call": "api.call", "a=1": "a=1", "'quoted": "'quoted", " =1": " =1", "1": "1",
	} {
		e := event.Recorded{Event: event.Event{Type: text, Key: text, Data: []byte(text)}, Sequence: 1}
		for form, c := range map[string]struct {
			append func([]byte, *event.Recorded) []byte
			want   string
		}{"default": {event.AppendCSV, want}, "raw": {event.AppendRawCSV, text}} {
			row, err := csv.NewReader(strings.NewReader(string(c.append(nil, &e)))).Read()
			if err != nil {
				t.Errorf("%s: %q: %v", form, text, err)
				continue
			}
			for _, column := range []int{3, 4, 6} {
				if row[column] != c.want {
					t.Errorf("%s: %q is written as %q, want %q", form, text, row[column], c.want)
				}
			}
		}
	}
	carriage := event.Recorded{Event: event.Event{Data: []byte("\r=1")}}
	if got := string(event.AppendCSV(nil, &carriage)); !strings.HasSuffix(got, ",\"'\r=1\"\r\n") {
		t.Errorf("a carriage return in front: %q", got)
	}
}
