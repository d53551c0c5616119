package api_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

type viewInfo struct {
	ViewID         string `json:"view_id"`
	Name           string
	Version        int
	Status         string
	Module         string
	Applied, Head  int64
	HaltedSequence int64 `json:"halted_sequence"`
	Error          string
	Successor      *viewInfo
}

func (s *service) view(path string) viewInfo {
	s.t.Helper()
	return decode[viewInfo](s.t, s.want(http.StatusOK, s.call("GET", path, "")))
}

func (s *service) views(path string) []viewInfo {
	s.t.Helper()
	return decode[struct{ Views []viewInfo }](s.t, s.want(http.StatusOK, s.call("GET", path, ""))).Views
}

// TestQueryAnswers: the answer is the view's own bytes, at the log's head, by GET and by POST, by name and by id.
func TestQueryAnswers(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	s.append("acme", `{"model":"gpt-4","time":"2025-03-01T00:00:00Z","tokens_in":150,"tokens_out":420}`)
	deployed := decode[viewInfo](t, s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/totals", string(views.MonthlyTotals()))))
	if deployed.Status != "live" || deployed.Version != 1 || deployed.Applied != 1 || len(deployed.ViewID) != 36 ||
		len(deployed.Module) != 64 {
		t.Errorf("deployed: %+v", deployed)
	}
	for n := range 3 {
		s.append("acme", `{"model":"gpt-4","time":"2025-03-02T00:00:00Z","tokens_in":1}`)
		for _, method := range []string{"GET", "POST"} {
			for _, log := range []string{"acme", id} {
				r := s.call(method, "/logs/"+log+"/views/totals/query?month=2025-03", "")
				want := fmt.Sprintf(`{"gpt-4":{"tokens_in":%d,"tokens_out":420}}`, 151+n)
				if body := string(s.want(http.StatusOK, r)); body != want || r.header.Get("Content-Type") != "application/json" {
					t.Errorf("%s: %s as %s, want %s", method, body, r.header.Get("Content-Type"), want)
				}
				if got, want := r.header.Get("Tally-Sequence"), fmt.Sprint(n+2); got != want {
					t.Errorf("%s: Tally-Sequence is %s, want %s", method, got, want)
				}
			}
		}
	}
	// The same module by its name, on another log, and the same deploy again.
	s.createLog("other")
	body := `{"module": "` + deployed.Module + `", "config": {}}`
	first := decode[viewInfo](t, s.want(http.StatusCreated, s.call("PUT", "/logs/other/views/totals", body)))
	again := decode[viewInfo](t, s.want(http.StatusOK, s.call("PUT", "/logs/other/views/totals", body)))
	if again != first {
		t.Errorf("deployed again: %+v, first %+v", again, first)
	}
	if got := s.views("/logs/other/views"); len(got) != 1 || got[0].Name != "totals" {
		t.Errorf("views: %+v", got)
	}
}

// TestBuildingView: until a view has caught up, a query gets its progress as a problem, and nothing else waits for it.
func TestBuildingView(t *testing.T) {
	const history = 5000 // more than one chunk of a build
	s := start(t)
	id := s.createLog("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", strings.Repeat(`{"model":"m","tokens_in":1}`+"\n", history)))
	s.createLog("idle")

	// Whoever holds the log's head holds up the build's last chunk, and appends to this log.
	tx, err := s.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }() // of no use once committed
	if _, err := tx.Exec(t.Context(), "SELECT FROM log_heads WHERE log_id = $1 FOR UPDATE", id); err != nil {
		t.Fatal(err)
	}
	deployed := make(chan reply, 1)
	go func() {
		r, err := s.try("POST", "/logs/acme/views/totals", strings.NewReader(string(views.MonthlyTotals())))
		if err != nil {
			t.Error(err)
		}
		deployed <- r
	}()
	var p problem
	for p.Applied == nil || *p.Applied == 0 { // until a chunk has been committed
		r := s.call("GET", "/logs/acme/views/totals/query", "")
		if p = s.problem(r); r.status == http.StatusNotFound {
			continue // not even recorded yet
		}
		p = s.wantProblem(http.StatusServiceUnavailable, "view_building", r, fmt.Sprintf("of %d events", history))
		if r.header.Get("Retry-After") != "1" || p.Head == nil || *p.Head != history {
			t.Fatalf("Retry-After %q, %s", r.header.Get("Retry-After"), r.body)
		}
	}
	if got := s.view("/logs/acme/views/totals"); got.Successor != nil || got.Status != "building" || got.Applied == 0 ||
		got.Head != history {
		t.Errorf("while it is building: %+v", got)
	}
	s.append("idle", `{}`)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := decode[viewInfo](t, s.want(http.StatusCreated, <-deployed)); got.Status != "live" || got.Applied != history {
		t.Errorf("deployed: %+v", got)
	}
	s.want(http.StatusOK, s.call("GET", "/logs/acme/views/totals/query", ""))
}

// TestHaltedView: a view that cannot fold an event says where and why; appends, other views and its successor go on.
func TestHaltedView(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/picky", string(haltingAt(3))))
	s.deployTotals("acme")
	s.append("acme", `{"n":1}`)
	if body := s.want(http.StatusOK, s.call("GET", "/logs/acme/views/picky/query", "")); string(body) != "true" {
		t.Errorf("answered %s", body)
	}
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", "{}\n{}\n{}"))
	r := s.call("GET", "/logs/acme/views/picky/query", "")
	if p := s.wantProblem(http.StatusConflict, "view_halted", r, "event 3", refusal, "deploy"); p.Sequence == nil || *p.Sequence != 3 {
		t.Errorf("sequence: %s", r.body)
	}
	if got := s.view("/logs/acme/views/picky"); got.Successor != nil || got.Status != "halted" || got.HaltedSequence != 3 ||
		got.Applied != 2 || !strings.Contains(got.Error, refusal) {
		t.Errorf("halted: %+v", got)
	}
	if r := s.call("GET", "/logs/acme/views/totals/query", ""); r.header.Get("Tally-Sequence") != "4" {
		t.Errorf("the other view: %d at %s", r.status, r.header.Get("Tally-Sequence"))
	}
	// History halts a build at the same event; a corrected version takes over.
	late := decode[viewInfo](t, s.want(http.StatusCreated, s.call("PUT", "/logs/acme/views/late", string(haltingAt(3)))))
	if late.Status != "halted" || late.HaltedSequence != 3 {
		t.Errorf("halted while building: %+v", late)
	}
	s.wantProblem(http.StatusConflict, "view_halted", s.call("GET", "/logs/acme/views/late/query", ""), "event 3")
	s.want(http.StatusCreated, s.call("PUT", "/logs/acme/views/picky", string(haltingAt(63))))
	if r := s.call("GET", "/logs/acme/views/picky/query", ""); r.status != http.StatusOK || r.header.Get("Tally-Sequence") != "4" {
		t.Errorf("the corrected version: %d: %s", r.status, r.body)
	}
	if got := s.append("acme", `{}`); got.Sequence != 5 {
		t.Errorf("appended %+v", got)
	}
}

// TestSuccessor: a view is one thing, whatever versions of it there are: the one that answers, and the one that was asked for last.
func TestSuccessor(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	const v = "/logs/acme/views/v"
	s.append("acme", `{"model":"m","tokens_in":1}`)
	s.append("acme", `{"model":"m","tokens_in":2}`)
	states := func() string {
		t.Helper()
		got := s.view(v)
		if list := s.views("/logs/acme/views"); len(list) != 1 || !reflect.DeepEqual(list[0], got) {
			t.Errorf("listed as %+v, and described as %+v", list, got)
		}
		text := fmt.Sprintf("%d %s", got.Version, got.Status)
		if next := got.Successor; next != nil {
			text += fmt.Sprintf(", then %d %s", next.Version, next.Status)
		}
		return text
	}
	for _, step := range []struct {
		module []byte
		want   string
	}{
		{views.RateCheck(), "1 live"},
		{haltingAt(2), "1 live, then 2 halted"},
		{haltingAt(1), "1 live, then 3 halted"},
		{views.MonthlyTotals(), "4 live"},
		{haltingAt(3), "5 live"},
		{haltingAt(2), "5 live, then 6 halted"},
	} {
		s.want(http.StatusCreated, s.call("POST", v, string(step.module)))
		if got := states(); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
	s.append("acme", `{"model":"m","tokens_in":3}`)
	if got := states(); got != "5 halted, then 6 halted" {
		t.Errorf("once both halted: %s", got)
	}
}
