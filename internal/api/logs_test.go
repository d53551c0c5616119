package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

type logInfo struct {
	LogID    string `json:"log_id"`
	Name     string
	Labels   map[string]string
	Sequence int64
}

// TestEnsureLog: a log is made once, whoever asks for it and how often, and never under labels that it has not.
func TestEnsureLog(t *testing.T) {
	s := start(t)
	const body = `{"labels":{"plan":"pro"}}`
	var ids []string
	var lock sync.Mutex
	var made int
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			r, err := s.try("PUT", "/logs/acme", strings.NewReader(body))
			if err != nil || r.status != http.StatusOK && r.status != http.StatusCreated {
				t.Errorf("%d %v: %s", r.status, err, r.body)
				return
			}
			lock.Lock()
			defer lock.Unlock()
			if r.status == http.StatusCreated {
				made++
			}
			ids = append(ids, decode[logInfo](t, r.body).LogID)
		})
	}
	all.Wait()
	if slices.Sort(ids); made != 1 || len(slices.Compact(ids)) != 1 {
		t.Fatalf("made %d times, with the ids %v", made, ids)
	}
	s.append("acme", `{"type":"a"}`)
	for _, same := range []string{body, "", `{}`, `{"labels":{"plan":"pro"}}`} {
		got := decode[logInfo](t, s.want(http.StatusOK, s.call("PUT", "/logs/acme", same)))
		if got.LogID != ids[0] || got.Name != "acme" || got.Labels["plan"] != "pro" || got.Sequence != 1 {
			t.Errorf("with the body %q: %+v", same, got)
		}
	}
	for _, other := range []string{`{"labels":{"plan":"free"}}`, `{"labels":{}}`, `{"labels":{"plan":"pro","more":""}}`} {
		p := s.wantProblem(http.StatusConflict, "name_taken", s.call("PUT", "/logs/acme", other), "other labels")
		if p.LogID != ids[0] {
			t.Errorf("with the body %s, the log that has the name is %q", other, p.LogID)
		}
	}
	s.wantProblem(http.StatusBadRequest, "invalid_name", s.call("PUT", "/logs/a%20b", ""))
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("PUT", "/logs/other", `{"lables":{}}`), "lables")
	s.wantProblem(http.StatusBadRequest, "invalid_labels", s.call("PUT", "/logs/other", `{"labels":{"\u0000":"x"}}`))
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/other", ""))
}
