package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

type logPage struct {
	Logs       []logInfo
	NextCursor string `json:"next_cursor"`
}

// names are those of all pages of a list of logs.
func (d *frontDoor) names(key string, limit int, parameters ...string) (names []string) {
	d.t.Helper()
	query := url.Values{"limit": {fmt.Sprint(limit)}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		query.Set(name, value)
	}
	for pages := 0; pages < 50; pages++ {
		page := decode[logPage](d.t, d.want(http.StatusOK, d.as(key, "GET", "/logs?"+query.Encode(), "")))
		if len(page.Logs) > limit {
			d.t.Fatalf("%d logs on a page of %d", len(page.Logs), limit)
		}
		for _, log := range page.Logs {
			names = append(names, log.Name)
		}
		if page.NextCursor == "" {
			return names
		}
		query.Set("cursor", page.NextCursor)
	}
	d.t.Fatalf("%v never ends", parameters)
	return nil
}

// searched is a door with logs that are hard to tell from patterns.
func searched(t *testing.T) *frontDoor {
	t.Helper()
	d := openDoor(t)
	for name, labels := range map[string]string{
		"in-percent":    `{"note":"100% off_by","plan":"gold"}`,
		"in-underscore": `{"note":"100x off-by","plan":"gold"}`,
		"in-backslash":  `{"note":"C:\\temp\\%","a=b,c\\d":"x=y,z"}`,
		"in-letters":    `{"company":"STRASSE Łódź ☃ <b>\u202e&\"'\"</b>","plan":"silver"}`,
		"out-gold":      `{"plan":"gold","region":"eu"}`,
		"out-names":     `{"gold":"plan"}`,
	} {
		d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs", `{"name":"`+name+`","labels":`+labels+`}`))
	}
	return d
}

// TestSearch: a text is found in names and in values of labels, and nothing in it is a pattern. Labels are compared as a whole. Whoever is
// for some logs finds those, and nobody another tenant's.
func TestSearch(t *testing.T) {
	d := searched(t)
	for _, c := range []struct {
		parameters string // with tabs between them
		owner      string
		inside     string
	}{
		{"search=percent", "in-percent", "in-percent"},
		{"search=PERCENT", "in-percent", "in-percent"},
		{"search=%", "in-backslash in-percent", "in-backslash in-percent"},
		{"search=0%", "in-percent", "in-percent"},
		{"search=f_b", "in-percent", "in-percent"},
		{"search=f-b", "in-underscore", "in-underscore"},
		{`search=\%`, "in-backslash", "in-backslash"},
		{`search=\`, "in-backslash", "in-backslash"},
		{"search=☃ <B>", "in-letters", "in-letters"},
		{"search=\u202e&\"'", "in-letters", "in-letters"},
		{"search=note", "", ""},
		{"search=out-", "out-1 out-gold out-names", ""},
		{"search=gold", "in-1 in-2 in-percent in-underscore out-1 out-gold", "in-1 in-2 in-percent in-underscore"},
		{"search=gold\tprefix=out-", "out-1 out-gold", ""},
		{"search=theirs", "", ""},
		{"label=plan=silver", "in-letters", "in-letters"},
		{"label=plan=Silver", "", ""},
		{"label=plan=%", "", ""},
		{"label=plan=", "", ""},
		{"label=gold=plan", "out-names", ""},
		{"label=plan=gold\tprefix=out-", "out-1 out-gold", ""},
		{"label=plan=gold,region=eu", "out-gold", ""},
		{"label=region=eu,plan=gold", "out-gold", ""},
		{"label=plan=gold,note=100% off_by", "in-percent", "in-percent"},
		{`label=a\=b\,c\\d=x=y\,z`, "in-backslash", "in-backslash"},
		{`label=note=C:\\temp\\%`, "in-backslash", "in-backslash"},
		{"label=plan=gold\tsearch=OFF", "in-percent in-underscore", "in-percent in-underscore"},
	} {
		for key, want := range map[string]string{d.owner: c.owner, d.inside: c.inside} {
			for _, sort := range []string{"name", "activity"} {
				for _, limit := range []int{1, 1000} {
					got := d.names(key, limit, append(strings.Split(c.parameters, "\t"), "sort="+sort)...)
					if sort == "activity" {
						slices.Sort(got)
					}
					if strings.Join(got, " ") != want {
						t.Errorf("%q by %s, %d on a page: %v, want %s", c.parameters, sort, limit, got, want)
					}
				}
			}
		}
	}
}

// TestSearchRefusals: what no log can have, or is none, is refused, and nothing of it is a fault of the server.
func TestSearchRefusals(t *testing.T) {
	d := searched(t)
	for _, query := range []string{
		"search=a%00b", "search=%ff", "search=%0a", "search=" + strings.Repeat("%C5%81", 101),
		"label=plan", "label==gold", "label=,", "label=plan=gold,", "label=plan=gold,plan=gold", "label=a=1,b=2,c=3,d=4,e=5", "label=a=%00",
		"label=%ff=1", "label=" + strings.Repeat("a", 256) + "=1", `label=a\=b`, "search=a&search=b", "label=a=1&label=b=2",
		"sort=",
	} {
		d.wantProblem(http.StatusBadRequest, "invalid_parameter", d.as(d.owner, "GET", "/logs?"+query, ""))
	}
	for _, query := range []string{"sort=size", "search=" + strings.Repeat("a", 201), "label=" + strings.Repeat("a", 2101)} {
		d.wantProblem(http.StatusUnprocessableEntity, "invalid_request", d.as(d.owner, "GET", "/logs?"+query, ""))
	}
	for _, cursor := range []string{
		"x", "1", "1.", ".", "1.x", "-1.01980000-0000-7000-8000-000000000000", "0.01980000-0000-7000-8000-000000000000",
		"99999999999999999999.01980000-0000-7000-8000-000000000000", "9223372036854775807.01980000-0000-7000-8000-000000000000",
		"1.00000000-0000-0000-0000-000000000000",
	} {
		d.wantProblem(http.StatusBadRequest, "invalid_cursor", d.as(d.owner, "GET", "/logs?sort=activity&cursor="+cursor, ""))
	}
}

// TestLogsByActivity: the latest first; a cursor goes on behind its log's last event, and a log that gets an event moves to the front.
func TestLogsByActivity(t *testing.T) {
	d := openDoor(t)
	touch := func(logs ...string) {
		for _, log := range logs {
			d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/"+log+"/append", `{"model":"m","tokens_in":1}`))
		}
	}
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs", `{"name":"in-empty"}`))
	touch("in-2", "out-1", "in-1")
	for _, limit := range []int{1, 2, 3, 4, 1000} {
		if got := strings.Join(d.names(d.owner, limit, "sort=activity"), " "); got != "in-1 out-1 in-2 in-empty" {
			t.Errorf("%d on a page: %s", limit, got)
		}
	}
	if got := strings.Join(d.names(d.inside, 2, "sort=activity"), " "); got != "in-1 in-2 in-empty" {
		t.Errorf("inside: %s", got)
	}
	first := decode[logPage](t, d.want(http.StatusOK, d.as(d.owner, "GET", "/logs?sort=activity&limit=2", "")))
	touch("in-2", "in-1")
	second := decode[logPage](t, d.want(http.StatusOK, d.as(d.owner, "GET", "/logs?sort=activity&limit=2&cursor="+first.NextCursor, "")))
	if len(second.Logs) != 1 || second.Logs[0].Name != "in-empty" || second.NextCursor != "" {
		t.Errorf("after two logs got events, the second page is %+v", second)
	}
	if got := strings.Join(d.names(d.owner, 10, "sort=activity"), " "); got != "in-1 in-2 out-1 in-empty" {
		t.Errorf("then: %s", got)
	}
	stolen := decode[logPage](t, d.want(http.StatusOK, d.as(d.rival, "GET", "/logs?sort=activity&cursor="+first.NextCursor, "")))
	if len(stolen.Logs) != 1 || stolen.Logs[0].Name != "theirs" {
		t.Errorf("with another tenant's cursor: %+v", stolen)
	}
}

// TestSearchesAreBounded: one that takes too long is ended and refused, others wait for nobody, and a list by name needs no slot.
func TestSearchesAreBounded(t *testing.T) {
	d := openDoor(t)
	conn, err := d.db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, statement := range []string{"BEGIN", "LOCK TABLE log_heads IN ACCESS EXCLUSIVE MODE"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	answers := make(chan reply)
	const clients = 8
	for range clients {
		go func() {
			r, err := d.try("GET", "/logs?sort=activity", strings.NewReader(""), "Authorization: Bearer "+d.owner)
			if err != nil {
				t.Error(err)
			}
			answers <- r
		}()
	}
	busy, broad := 0, 0
	for range clients {
		switch r := <-answers; r.status {
		case http.StatusServiceUnavailable:
			d.wantProblem(http.StatusServiceUnavailable, "busy", r, "searches")
			busy++
		default:
			d.wantProblem(http.StatusUnprocessableEntity, "search_too_broad", r, "5 seconds", "prefix")
			broad++
		}
	}
	if busy == 0 || broad == 0 {
		t.Errorf("%d were refused as busy, %d were ended", busy, broad)
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if got := d.names(d.owner, 10, "sort=activity"); len(got) != 3 {
		t.Errorf("afterwards there are %v", got)
	}
}
