package views_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"
)

// TestQuotaGrantPages: grants come in pages of as many rows as are asked for, in the order in which they are burnt down, also where the one
// that ended a page has been closed by the time of the next.
func TestQuotaGrantPages(t *testing.T) {
	l := newQuotaLog(t, `{"credits":{"value":"/cost"}}`)
	at := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	append1 := func(data string) {
		t.Helper()
		if o := l.append(t, at, data); o.Status != 0 {
			t.Fatalf("%s: %s", data, o)
		}
	}
	// As priority, end and sequence have it: e, b, a, d, c.
	for _, grant := range []string{
		`"a"`, `"b","expires":"2026-01-01T00:00:00Z"`, `"c","priority":200`, `"d"`, `"e","priority":1,"expires":"2027-01-01T00:00:00Z"`,
	} {
		append1(`{"type":"grant","amount":5,"grant":` + grant + `}`)
	}
	page := func(query, after string) (names []string, next string) {
		t.Helper()
		if after != "" {
			query += "&after=" + url.QueryEscape(after)
		}
		answer := l.ask(t, query)
		var listed struct {
			Grants []struct{ Grant string }
			Next   string
		}
		if err := json.Unmarshal([]byte(answer), &listed); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		for _, g := range listed.Grants {
			names = append(names, g.Grant)
		}
		return names, listed.Next
	}
	all := func(query string, limit int) (names []string) {
		t.Helper()
		for after := ""; ; {
			rows, next := page(fmt.Sprintf("%s&limit=%d", query, limit), after)
			if names = append(names, rows...); len(rows) > limit || next != "" && len(rows) != limit {
				t.Fatalf("a page of %d has %d rows", limit, len(rows))
			}
			if after = next; next == "" {
				return names
			}
		}
	}
	want := []string{"e", "b", "a", "d", "c"}
	for limit := 1; limit <= 6; limit++ {
		if got := all("show=grants", limit); !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %q, want %q", limit, got, want)
		}
	}
	first, next := page("show=grants&limit=2", "")
	append1(`{"type":"revoke","grant":"b"}`)
	if rest, _ := page("show=grants", next); !slices.Equal(append(first, rest...), want) {
		t.Errorf("after %q, which was closed meanwhile: %q", first, rest)
	}
	append1(`{"type":"chat","cost":7}`)
	if got := all("show=grants&closed", 1); !slices.Equal(got, []string{"b", "e"}) {
		t.Errorf("closed are %q", got)
	}
	if answer, err := l.view.Ask(t.Context(), l.state, "show=grants&after=nobody"); err == nil {
		t.Errorf("after a grant that was never there: %s", answer.Text)
	}
}
