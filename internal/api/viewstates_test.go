package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

type viewStatePage struct {
	Views []struct {
		Log, View, Status, Error, Module string
		LogID                            string `json:"log_id"`
		ViewID                           string `json:"view_id"`
		Version, Applied, Head           int64
		HaltedSequence                   int64     `json:"halted_sequence"`
		ChangedAt                        time.Time `json:"changed_at"`
	}
	NextCursor string `json:"next_cursor"`
}

// states are the views of all pages, as log/view@version=status.
func (d *frontDoor) states(key, query string, limit int) (states []string) {
	d.t.Helper()
	cursor := ""
	for pages := 0; pages < 50; pages++ {
		path := fmt.Sprintf("/view-states?limit=%d&cursor=%s&%s", limit, cursor, query)
		page := decode[viewStatePage](d.t, d.want(http.StatusOK, d.as(key, "GET", path, "")))
		for _, v := range page.Views {
			states = append(states, fmt.Sprintf("%s/%s@%d=%s", v.Log, v.View, v.Version, v.Status))
			if since := time.Since(v.ChangedAt); since < -time.Minute || since > time.Hour || v.Module == "" {
				d.t.Errorf("%+v", v)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			return states
		}
	}
	d.t.Fatalf("%s never ends", query)
	return nil
}

// TestViewStates: of all logs that there are for the key, by status and name, in pages that have each once.
func TestViewStates(t *testing.T) {
	d := openDoor(t)
	for _, log := range []string{"out-1", "in-2"} {
		d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/"+log+"/views/halting", string(haltingAt(2))))
		d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/"+log+"/append", `{"model":"m","tokens_in":1}`))
	}
	d.want(http.StatusCreated, d.as(d.rival, "POST", "/logs/theirs/views/halting", string(haltingAt(2))))
	d.want(http.StatusCreated, d.as(d.rival, "POST", "/logs/theirs/append", `{}`))
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-2/views/totals", string(haltingAt(9)))) // another version, which replaces it
	d.await("the second version is live", func() bool {
		return strings.Contains(strings.Join(d.states(d.owner, "status=live", 100), " "), "in-2/totals@2=live")
	})
	const (
		live    = "in-1/rates@1=live in-1/totals@1=live in-2/totals@2=live out-1/totals@1=live"
		halted  = "in-2/halting@1=halted out-1/halting@1=halted"
		retired = "in-2/totals@1=retired"
	)
	for query, want := range map[string]string{
		"status=live":               live,
		"status=halted":             halted,
		"status=halted,building":    halted,
		"status=building":           "",
		"status=retired":            retired,
		"status=halted,halted":      halted,
		"status=halted&view=totals": "",
		"status=retired,halted":     "in-2/halting@1=halted in-2/totals@1=retired out-1/halting@1=halted",
		"view=rates":                "in-1/rates@1=live",
		"view=none":                 "",
		"": "in-1/rates@1=live in-1/totals@1=live in-2/halting@1=halted in-2/totals@2=live " +
			"out-1/halting@1=halted out-1/totals@1=live",
	} {
		for _, limit := range []int{1, 2, 1000} {
			if got := strings.Join(d.states(d.owner, query, limit), " "); got != want {
				t.Errorf("%q, %d on a page: %s, want %s", query, limit, got, want)
			}
		}
	}
	if got := strings.Join(d.states(d.inside, "status=halted,building", 1), " "); got != "in-2/halting@1=halted" {
		t.Errorf("inside: %s", got)
	}
	if got := strings.Join(d.states(d.inside, "", 1), " "); strings.Contains(got, "out-1") || !strings.Contains(got, "in-1/rates") {
		t.Errorf("inside: %s", got)
	}
	const theirs = "theirs/halting@1=halted theirs/theirs-everywhere@1=live theirs/totals@1=live"
	if got := strings.Join(d.states(d.rival, "", 1), " "); got != theirs {
		t.Errorf("rival: %s", got)
	}
	page := decode[viewStatePage](t, d.want(http.StatusOK, d.as(d.owner, "GET", "/view-states?status=halted&limit=1", "")))
	if v := page.Views[0]; v.HaltedSequence != 2 || v.Applied != 1 || v.Head != 2 || !strings.Contains(v.Error, refusal) {
		t.Errorf("a halted view is %+v", v)
	}
	// A cursor holds when what it stands for has changed, and is worth nothing to another tenant.
	d.want(http.StatusOK, d.as(d.owner, "POST", "/logs/in-2/views/halting/resume", `{"skip":true}`))
	rest := decode[viewStatePage](t, d.want(http.StatusOK,
		d.as(d.owner, "GET", "/view-states?status=halted&cursor="+page.NextCursor, "")))
	if len(rest.Views) != 1 || rest.Views[0].Log != "out-1" {
		t.Errorf("after the view of the first page went on, the second is %+v", rest)
	}
	d.wantProblem(http.StatusBadRequest, "invalid_cursor", d.as(d.rival, "GET", "/view-states?cursor="+page.NextCursor, ""))
}

// TestViewStatesRefusals: hostile parameters are the client's fault.
func TestViewStatesRefusals(t *testing.T) {
	d := openDoor(t)
	for _, query := range []string{"status=sleepy", "status=,", "status=live,", "status=Live", "status=live&status=halted", "log=in-1"} {
		d.wantProblem(http.StatusBadRequest, "invalid_parameter", d.as(d.owner, "GET", "/view-states?"+query, ""))
	}
	for _, query := range []string{"view=a%00", "view=%25", "limit=0", "limit=1001", "status=" + strings.Repeat("live,", 30)} {
		d.wantProblem(http.StatusUnprocessableEntity, "invalid_request", d.as(d.owner, "GET", "/view-states?"+query, ""))
	}
	const none = "01980000-0000-7000-8000-000000000000"
	for _, cursor := range []string{"x", "1", none, none + ".", "." + none, none + "." + none, none + "." + none + "." + none} {
		d.wantProblem(http.StatusBadRequest, "invalid_cursor", d.as(d.owner, "GET", "/view-states?cursor="+cursor, ""))
	}
	_, appending := d.keyIn("acme", "sees-nothing", "*", "append", "admin")
	d.wantProblem(http.StatusForbidden, "missing_scope", d.as(appending, "GET", "/view-states", ""))
}
