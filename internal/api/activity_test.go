package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type activityInfo struct {
	At              time.Time
	IntervalSeconds int `json:"interval_seconds"`
	Intervals       []struct {
		At                        time.Time
		Open                      bool
		Events, Appends, Refusals int64
		P50                       *float64 `json:"append_p50_ms"`
	}
	Events, Appends int64
	EventsPerSecond float64  `json:"events_per_second"`
	P50             *float64 `json:"append_p50_ms"`
	P99             *float64 `json:"append_p99_ms"`
	Refusals        []struct {
		Code  string
		Count int64
	}
}

func (a *activityInfo) refused(code string) int64 {
	for _, r := range a.Refusals {
		if r.Code == code {
			return r.Count
		}
	}
	return 0
}

func (d *frontDoor) activity(key string) activityInfo {
	d.t.Helper()
	return decode[activityInfo](d.t, d.want(http.StatusOK, d.as(key, "GET", "/activity", "")))
}

// TestActivityOfAllServers: what was appended, by whatever way, and what was refused at one server shows at another one; to its own tenant
// alone.
func TestActivityOfAllServers(t *testing.T) {
	d := openDoor(t)
	before, ofRival := d.activity(d.owner), d.activity(d.rival)
	other := *d.service
	other.url = d.serve(d.db.Config().ConnString(), withKeys(d.operator))
	elsewhere := frontDoor{service: &other}

	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-1/append_batch", `[{"a":1},{"a":2},{"id":"x"},{"id":"x"}]`))
	elsewhere.want(http.StatusCreated, elsewhere.as(d.owner, "POST", "/logs/in-1/append", `{"a":3}`))
	elsewhere.want(http.StatusOK, elsewhere.as(d.owner, "POST", "/logs/in-1/append", `{"id":"x"}`))
	elsewhere.want(http.StatusOK, elsewhere.as(d.owner, "POST", "/sources/gateway/events", `{"id":"1"}`+"\n"+`{"id":"2"}`))
	elsewhere.want(http.StatusCreated, elsewhere.as(d.owner, "POST", "/logs/in-1/append?dry_run=true", `{"a":4}`))
	for _, of := range []struct{ key, log string }{{d.owner, "in-1"}, {d.owner, "in-1"}, {d.rival, "theirs"}} {
		elsewhere.wantProblem(http.StatusConflict, "sequence_mismatch",
			elsewhere.as(of.key, "POST", "/logs/"+of.log+"/append", `{}`, "Expected-Sequence: 999"))
	}
	elsewhere.wantProblem(http.StatusUnauthorized, "unauthorized", elsewhere.as(d.owner+"x", "GET", "/logs/in-1", ""))

	const events, appends = 3 + 1 + 2, 1 + 2 + 1
	for name, at := range map[string]*frontDoor{"the one": d, "the other": &elsewhere} {
		d.await(name+" has what both counted", func() bool {
			a := at.activity(d.owner)
			return a.Events == before.Events+events && a.refused("sequence_mismatch") == 2
		})
		a := at.activity(d.owner)
		if a.Appends != before.Appends+appends || a.refused("unauthorized") != 0 || a.P50 == nil || *a.P50 <= 0 || *a.P99 < *a.P50 {
			t.Errorf("%s: %+v", name, a)
		}
		sum := int64(0)
		for i, interval := range a.Intervals {
			sum += interval.Events
			if i > 0 && interval.At.Sub(a.Intervals[i-1].At) != 5*time.Second || (interval.Appends == 0) != (interval.P50 == nil) {
				t.Errorf("%s: interval %d is %+v", name, i, interval)
			}
		}
		if last := a.Intervals[len(a.Intervals)-1]; sum != a.Events || len(a.Intervals) != 180 || !last.Open || last.At.After(a.At) {
			t.Errorf("%s: %d of %d events in %d intervals, up to %+v", name, sum, a.Events, len(a.Intervals), last)
		}
		if a := at.activity(d.rival); a.Events != ofRival.Events || a.refused("sequence_mismatch") != 1 {
			t.Errorf("%s: of the other tenant %+v", name, a)
		}
	}
}

// TestActivityIsForAllLogs: a key that is for some logs learns nothing of the others, and each key learns only how that stands which it may
// list.
func TestActivityIsForAllLogs(t *testing.T) {
	d := openDoor(t)
	d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(d.inside, "GET", "/activity", ""), "in-*")
	for scope, shown := range map[string]string{
		"read": "building_views halted_views logs", "query": "building_views firing_alerts halted_views",
		"deploy": "building_views halted_views logs", "admin": "dead_deliveries firing_alerts",
	} {
		_, key := d.keyIn("acme", "sees-"+scope, "*", scope)
		answer := decode[map[string]any](t, d.want(http.StatusOK, d.as(key, "GET", "/activity?minutes=1", "")))
		var there []string
		for _, name := range []string{"building_views", "dead_deliveries", "firing_alerts", "halted_views", "logs"} {
			if answer[name] != nil {
				there = append(there, name)
			}
		}
		if slices.Sort(there); strings.Join(there, " ") != shown {
			t.Errorf("with %s there are %v, not %s", scope, there, shown)
		}
	}
	_, appending := d.keyIn("acme", "sees-nothing", "*", "append")
	d.wantProblem(http.StatusForbidden, "missing_scope", d.as(appending, "GET", "/activity", ""))
	token := d.token(d.owner, "read query", "in-1", 60, "")
	d.wantProblem(http.StatusForbidden, "missing_scope", d.as(token, "GET", "/activity", ""))
	if a := decode[map[string]any](t, d.want(http.StatusOK, d.as(d.owner, "GET", "/activity", ""))); a["logs"] != 3.0 {
		t.Errorf("%v logs", a["logs"])
	}
	for _, query := range []string{"minutes=0", "minutes=61", "minutes=-1", "minutes=x", "minutes=1e1", "minutes=4294967297"} {
		d.wantProblem(http.StatusUnprocessableEntity, "invalid_request", d.as(d.owner, "GET", "/activity?"+query, ""))
	}
	for _, query := range []string{"minutes=1&minutes=2", "hours=1"} {
		d.wantProblem(http.StatusBadRequest, "invalid_parameter", d.as(d.owner, "GET", "/activity?"+query, ""))
	}
}

// TestActivityWithoutDatabase: while connections are cut, appends and refusals are counted, and it is told of again when they are back.
func TestActivityWithoutDatabase(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	var counting sync.WaitGroup
	stored := 0
	counting.Go(func() {
		for range 300 {
			r, err := s.try("POST", "/logs/acme/append", strings.NewReader(`{}`))
			if err != nil {
				t.Error(err)
				return
			}
			if r.status == http.StatusCreated {
				stored++
			}
		}
	})
	for range 3 {
		s.administer(disconnectAll, s.name)
	}
	counting.Wait()
	s.outages = true
	a := decode[activityInfo](t, s.want(http.StatusOK, s.call("GET", "/activity", "")))
	// An interval that ended while connections were cut may be missing, with the two before it at most.
	if stored == 0 || a.Events > int64(len(s.events(id))) {
		t.Errorf("%d events, %d were acknowledged", a.Events, stored)
	}
	s.append("acme", `{}`)
	s.await("events are counted again", func() bool {
		return decode[activityInfo](t, s.want(http.StatusOK, s.call("GET", "/activity?minutes=1", ""))).Events > 0
	})
}
