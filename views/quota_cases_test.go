package views_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestQuotaCreditCases plays worked cases whose answers were calculated by another program, unit by unit (tools/credit_cases.py).
func TestQuotaCreditCases(t *testing.T) {
	text, err := os.ReadFile("testdata/credit_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Timezone, Overdraft, At string
		Events                        []json.RawMessage
		Want                          struct {
			Left      map[string]string
			Overdrawn string
			Statuses  []int
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 20 {
		t.Fatalf("there are %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			credits := quotaCredits{Type: "use", Value: "/cost", Scope: "/model", Timezone: c.Timezone, Overdraft: c.Overdraft}
			config, err := json.Marshal(quotaConfig{Credits: &credits})
			if err != nil {
				t.Fatal(err)
			}
			l := newQuotaLog(t, string(config))
			var statuses []int
			for _, event := range c.Events {
				always := strings.Contains(string(event), `"always": true`)
				statuses = append(statuses, l.add(t, recordedAt(t, event), string(event), always).Status)
			}
			if !slices.Equal(statuses, c.Want.Statuses) {
				t.Errorf("the guard answers %v, not %v", statuses, c.Want.Statuses)
			}
			var listed struct{ Grants []map[string]any }
			if err := json.Unmarshal([]byte(l.ask(t, "show=grants&at="+c.At)), &listed); err != nil {
				t.Fatal(err)
			}
			left := map[string]string{}
			for _, g := range listed.Grants {
				if g["status"] == "active" {
					left[fmt.Sprint(g["grant"])] = decimalText(fmt.Sprint(g["left"]))
				}
			}
			for name, n := range c.Want.Left {
				c.Want.Left[name] = decimalText(n)
			}
			if !maps.Equal(left, c.Want.Left) {
				t.Errorf("left is %v, not %v", left, c.Want.Left)
			}
			if got := l.figure(t, "at="+c.At, "overdrawn"); got != decimalText(c.Want.Overdrawn) {
				t.Errorf("%s is overdrawn, not %s", got, c.Want.Overdrawn)
			}
		})
	}
}

// decimalText is a decimal without zeros at its end.
func decimalText(text string) string {
	n, _ := amount(text)
	return plain(n)
}
