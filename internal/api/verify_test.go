package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

type verified struct {
	OK     bool
	From   int64
	To     int64
	Events int64
	Wrong  int64
	Faults []struct {
		Kind     string
		Sequence int64
		Detail   string
	}
	Views []struct {
		View, Code, Detail string
		OK                 bool
		Audit              *struct{ Keys, Events int64 }
	}
}

func (s *service) verify(log, query string) verified {
	s.t.Helper()
	return decode[verified](s.t, s.want(http.StatusOK, s.call("GET", "/logs/"+log+"/verify?"+query, "")))
}

// TestVerifyAgainstANotedHead: against a head noted earlier, a log is found out that was cut off, or rewritten with a whole chain.
func TestVerifyAgainstANotedHead(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	s.append("acme", `{"n":1}`)
	s.append("acme", `{"n":2}`)
	early := s.head("acme")
	s.append("acme", `{"n":3}`)
	late := s.head("acme")
	for _, noted := range []head{early, late} {
		if r := s.verify("acme", "sequence="+strconv.FormatInt(noted.Sequence, 10)+"&hash="+noted.Hash); !r.OK {
			t.Errorf("an honest log is held against %+v: %+v", noted, r.Faults)
		}
	}
	if r := s.verify("acme", "sequence=2&hash="+late.Hash); r.OK || r.Faults[0].Kind != "history_rewritten" || r.Faults[0].Sequence != 2 {
		t.Errorf("another hash: %+v", r)
	}
	exec := func(statement string, args ...any) {
		if _, err := s.db.Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("DELETE FROM events WHERE log_id = $1 AND sequence = 3", id)
	exec(`UPDATE log_heads h SET sequence = 2, hash = e.hash, recorded_at = e.recorded_at
		FROM events e WHERE h.log_id = $1 AND e.log_id = h.log_id AND e.sequence = 2`, id)
	if r := s.verify("acme", ""); !r.OK {
		t.Errorf("without a noted head nobody can tell: %+v", r)
	}
	if r := s.verify("acme", "sequence=3&hash="+late.Hash); r.OK || r.Faults[0].Kind != "log_truncated" ||
		!strings.Contains(r.Faults[0].Detail, "ends at 2") {
		t.Errorf("a log that was cut off: %+v", r)
	}
	// The whole log written anew, with hashes that fit.
	log := uuid.MustParse(id)
	hash, chain := event.Genesis(log), event.Chainer{}
	for n := int64(1); n <= 2; n++ {
		e := event.Recorded{Sequence: n, RecordedAt: 1_700_000_000_000_000}
		e.Data, e.Time = []byte(`{"n":0}`), e.RecordedAt
		e.Hash = chain.Link(hash, &e)
		hash = e.Hash
		exec("UPDATE events SET data = $3, time = $4, recorded_at = $4, hash = $5 WHERE log_id = $1 AND sequence = $2",
			log, n, string(e.Data), time.UnixMicro(e.Time), hash[:])
	}
	exec("UPDATE log_heads SET hash = $2, recorded_at = $3 WHERE log_id = $1", log, hash[:], time.UnixMicro(1_700_000_000_000_000))
	if r := s.verify("acme", ""); !r.OK {
		t.Errorf("a log that was written anew is a whole one to whoever noted nothing: %+v", r)
	}
	if r := s.verify("acme", "sequence=2&hash="+early.Hash); r.OK || r.Faults[0].Kind != "history_rewritten" {
		t.Errorf("a log that was written anew: %+v", r)
	}
	s.wantProblem(http.StatusBadRequest, "invalid_hash", s.call("GET", "/logs/acme/verify?sequence=3", ""))
	s.wantProblem(http.StatusBadRequest, "invalid_hash", s.call("GET", "/logs/acme/verify?sequence=3&hash=abc", ""))
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/none/verify", ""))
	s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/acme/verify?views=none,such", ""))
}

// TestVerifyWhileAppending: a log that grows is whole at every moment.
func TestVerifyWhileAppending(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.createLog("acme")
	s.deployTotals("acme")
	s.append("acme", `{}`)
	const verifications, during = 10, 30
	due := make(chan struct{}, verifications*during) // appends; else a log that is verified slowly grows the more
	var appending sync.WaitGroup
	for range 3 {
		appending.Go(func() {
			for range due {
				if _, err := s.try("POST", "/logs/acme/append", strings.NewReader(`{"model":"m","tokens_in":1}`)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	last := int64(0)
	for range verifications {
		for range during {
			due <- struct{}{}
		}
		r := s.verify("acme", "")
		if !r.OK || r.To < last || r.Events != r.To {
			t.Errorf("a log that grows: %+v", r)
		}
		last = r.To
	}
	close(due)
	appending.Wait()
}

// TestVerifyViews: state that was edited is found, with its view and key.
func TestVerifyViews(t *testing.T) {
	s := start(t)
	s.logWithEvents("acme", 60)
	s.deployTotals("acme")
	s.append("acme", `{"model":"m","tokens_in":5,"time":"2025-03-01T00:00:00Z"}`)
	r := s.verify("acme", "")
	if !r.OK || len(r.Views) != 1 || !r.Views[0].OK || r.Views[0].Audit == nil || r.Views[0].Audit.Events != 61 ||
		r.Views[0].Audit.Keys == 0 {
		t.Fatalf("before: %+v", r)
	}
	testrig.StateToRows(t, s.db.Config().ConnString())
	if _, err := s.db.Exec(t.Context(),
		`UPDATE view_state_rows SET value = '{"tokens_in":6}' WHERE key = (SELECT min(key) FROM view_state_rows)`); err != nil {
		t.Fatal(err)
	}
	body := s.want(http.StatusOK, s.call("GET", "/logs/acme/verify", ""))
	if r := decode[verified](t, body); r.OK || r.Wrong != 0 || r.Views[0].OK ||
		!bytes.Contains(body, []byte(`"difference":{"way":"stored state"`)) {
		t.Errorf("an edited state: %s", body)
	}
	if r := s.verify("acme", "views=none"); !r.OK || len(r.Views) != 0 {
		t.Errorf("without views: %+v", r)
	}
	body = s.want(http.StatusOK, s.call("GET", "/logs/acme/verify", "", "Accept: application/x-ndjson"))
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	last := decode[struct{ Report *verified }](t, lines[len(lines)-1])
	if last.Report == nil || last.Report.OK || len(lines) < 2 {
		t.Errorf("in lines: %s", bytes.Join(lines, []byte("\n")))
	}
	for _, line := range lines[:len(lines)-1] {
		if p := decode[struct{ Progress map[string]json.RawMessage }](t, line); len(p.Progress) != 3 {
			t.Errorf("progress is %s", line)
		}
	}
}

// TestVerifyNamedViews: each view that is named is audited once, however often it is named, and lists are bounded.
func TestVerifyNamedViews(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{}`)
	s.deployTotals("acme")
	r := s.verify("acme", "views=totals"+strings.Repeat(",totals", 40))
	if len(r.Views) != 1 || r.Views[0].View != "totals" || !r.OK {
		t.Errorf("one view that is named 41 times is verified as %+v", r.Views)
	}
	path := "/logs/acme/verify?views=totals" + strings.Repeat(",totals", 299)
	s.wantProblem(http.StatusBadRequest, "invalid_views", s.call("GET", path, ""), "300", "64")
	s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/acme/verify?views=totals,none", ""))
}
