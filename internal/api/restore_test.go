package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// patience is far above what servers take to come back to their database.
const patience = 5 * time.Minute

// disconnect ends all connections to the database, and lets nobody in.
func (s *service) disconnect() {
	s.t.Helper()
	s.db.Reset()
	s.administer(`ALTER DATABASE "` + s.name + `" ALLOW_CONNECTIONS false`)
	s.administer(disconnectAll, s.name)
}

// backUp copies the database as it is.
func (s *service) backUp() {
	s.t.Helper()
	s.disconnect()
	s.administer(`CREATE DATABASE "` + s.name + `_backup" TEMPLATE "` + s.name + `"`)
	s.administer(`ALTER DATABASE "` + s.name + `" ALLOW_CONNECTIONS true`)
}

// restore puts the copy in the database's place.
func (s *service) restore() {
	s.t.Helper()
	s.disconnect()
	s.administer(`DROP DATABASE "` + s.name + `"`)
	s.administer(`ALTER DATABASE "` + s.name + `_backup" RENAME TO "` + s.name + `"`)
}

// until sends a request until the database is there.
func (s *service) until(method, path, body string, headers ...string) reply {
	s.t.Helper()
	for began := time.Now(); ; {
		r := s.call(method, path, body, headers...)
		if r.status != http.StatusServiceUnavailable {
			return r
		}
		if time.Since(began) > patience {
			s.t.Fatalf("%s %s: the database does not come back: %s", method, path, r.body)
		}
	}
}

func tokens(n int) string {
	return fmt.Sprintf(`{"model":"m","tokens_in":%d,"time":"2025-03-01T00:00:00Z"}`, n)
}

// appendTokens appends events that count so many tokens each.
func (s *service) appendTokens(log string, events, each int) {
	s.t.Helper()
	for i := range events {
		s.want(http.StatusCreated, s.until("POST", "/logs/"+log+"/append", tokens(each), fmt.Sprintf("Idempotency-Key: %d of %d", i, each)))
	}
}

// wantTotals checks what is said of the log acme: the answer, and the sequence that it reflects.
func wantTotals(t *testing.T, what, sequence, body string, events, sum int) {
	t.Helper()
	var answer struct {
		M struct {
			TokensIn int `json:"tokens_in"`
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || sequence != strconv.Itoa(events) || answer.M.TokensIn != sum {
		t.Errorf("%s: as of %s the answer is %s (%v); want %d tokens as of %d", what, sequence, body, err, sum, events)
	}
}

// TestSetBack: the database is restored to an earlier state under two running servers, and one of them appends to it. What both say
// afterwards is what the database holds: not what they remember, and nothing less.
func TestSetBack(t *testing.T) {
	t.Parallel()
	const question = "/logs/acme/views/totals/query?month=2025-03"
	for name, appended := range map[string]int{"then nothing": 0, "then less than was lost": 2, "then as much": 3, "then more": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t)
			a.outages = true
			b := *a
			dsn := a.db.Config().ConnString()
			b.url = a.serve(dsn)
			servers := map[string]*service{"the server that knew": a, "the server that appends": &b}
			a.createLog("acme")
			a.deployTotals("acme")
			a.appendTokens("acme", 5, 1)
			a.backUp()

			a.appendTokens("acme", 3, 100)
			a.want(http.StatusCreated, a.call("POST", "/logs", `{"name":"late"}`))
			a.append("late", `{}`)
			a.want(http.StatusCreated, a.call("POST", "/logs", `{"name":"lost"}`))
			a.want(http.StatusCreated, a.call("POST", "/logs/late/views/totals", string(views.MonthlyTotals())))
			tails, answers, gone := map[string]*subscription{}, map[string]*subscription{}, map[string]*subscription{}
			for who, s := range servers {
				for _, log := range []string{"late", "lost"} {
					s.want(http.StatusOK, s.until("GET", "/logs/"+log+"/views", ""))
				}
				r := s.until("GET", question, "")
				wantTotals(t, who+" before", r.header.Get("Tally-Sequence"), string(s.want(http.StatusOK, r)), 8, 305)
				tails[who] = s.subscribe(s.url+"/logs/acme/tail?after=0", "")
				for range 8 {
					tails[who].want()
				}
				answers[who] = s.subscribe(s.url+strings.Replace(question, "/query", "/live", 1), "")
				m := answers[who].want()
				wantTotals(t, who+" live before", m.id, m.data, 8, 305)
				gone[who] = s.subscribe(s.url+"/logs/late/tail?after=0", "")
				gone[who].want()
			}

			a.restore()
			b.appendTokens("acme", appended, 7)
			events, sum := 5+appended, 5+7*appended
			var ids []string
			for who, s := range servers {
				r := s.until("GET", question, "")
				wantTotals(t, who, r.header.Get("Tally-Sequence"), string(s.want(http.StatusOK, r)), events, sum)
				if m := tails[who].want(); m.event != "end" || !strings.Contains(m.data, "unknown_event_id") {
					t.Errorf("%s: the tail goes on with %+v; its history is gone", who, m)
				}
				if m := gone[who].want(); m.event != "end" || !strings.Contains(m.data, "log_not_found") {
					t.Errorf("%s: the tail of a log that is gone goes on with %+v", who, m)
				}
				m := answers[who].want()
				for sequence, _ := strconv.Atoi(m.id); m.event == "answer" && sequence < events; sequence, _ = strconv.Atoi(m.id) {
					m = answers[who].want() // of when less was appended
				}
				wantTotals(t, who+" live", m.id, m.data, events, sum)
				again := s.subscribe(s.url+"/logs/acme/tail?after=0", "")
				for i := range events {
					m := again.want()
					want := 1 + 6*min(1, i/5)
					if m.id != strconv.Itoa(i+1) || !strings.Contains(m.data, fmt.Sprintf(`"tokens_in":%d,`, want)) {
						t.Errorf("%s: the %dth event of a new tail is %+v; want one with %d tokens", who, i+1, m, want)
					}
				}
				// Names: one log was never created in this history, another is created again.
				s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/lost/views", ""))
				s.wantProblem(http.StatusNotFound, "log_not_found", s.call("POST", "/logs/lost/append", `{}`))
				if len(ids) == 0 {
					ids = append(ids, s.createLog("late"))
				}
				s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/late/views/totals", ""))
				ids = append(ids, decode[struct {
					LogID string `json:"log_id"`
				}](t, s.want(http.StatusOK, s.call("GET", "/logs/late", ""))).LogID)
				s.append("late", `{}`)
			}
			if ids[0] != ids[1] || ids[0] != ids[2] {
				t.Errorf("late is %v", ids)
			}
			a.appendTokens("acme", 1, 9)
			r := b.call("GET", question, "")
			wantTotals(t, "after another append", r.header.Get("Tally-Sequence"), string(r.body), events+1, sum+9)
			testrig.Check(t, dsn)
		})
	}
}
