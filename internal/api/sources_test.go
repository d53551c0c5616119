package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/testdb"
)

// shownSource is a source as it is answered.
type shownSource struct {
	Name              string
	Version           int64
	Mapping, Resolved json.RawMessage
	CreatedAt         *time.Time `json:"created_at"`
	CreatedBy         string     `json:"created_by"`
	Deleted           bool
}

const toAcme = `{"log":"acme","id":"{/id}","keep":true}`

func TestSources(t *testing.T) {
	s := start(t)
	standard := decode[shownSource](t, s.want(http.StatusOK, s.call("GET", "/sources/default", "")))
	if standard.Version != 0 || standard.CreatedAt != nil || !strings.Contains(string(standard.Mapping), `"{/log}"`) {
		t.Errorf("the source default is %+v", standard)
	}
	s.wantProblem(http.StatusNotFound, "source_not_found", s.call("GET", "/sources/gateway", ""), "PUT /sources/{source}")
	first := decode[shownSource](t, s.want(http.StatusCreated, s.call("PUT", "/sources/gateway", toAcme, "Tally-Actor: ann")))
	if first.Version != 1 || string(first.Mapping) != toAcme || first.CreatedAt == nil || first.CreatedBy != "ann" ||
		first.Resolved == nil {
		t.Errorf("%+v", first)
	}
	again := s.call("PUT", "/sources/gateway", strings.ReplaceAll(toAcme, ",", " , "), "Tally-Actor: bob")
	if shown := decode[shownSource](t, s.want(http.StatusOK, again)); shown.Version != 1 || shown.CreatedBy != "ann" {
		t.Errorf("the same again: %+v", shown)
	}
	other := strings.ReplaceAll(toAcme, "acme", "other")
	s.want(http.StatusCreated, s.call("PUT", "/sources/gateway", other))
	for query, want := range map[string]string{"": other, "?version=1": toAcme, "?version=2": other} {
		shown := decode[shownSource](t, s.want(http.StatusOK, s.call("GET", "/sources/gateway"+query, "")))
		if string(shown.Mapping) != want {
			t.Errorf("%s: %s", query, shown.Mapping)
		}
	}
	s.wantProblem(http.StatusNotFound, "version_not_found", s.call("GET", "/sources/gateway?version=3", ""))
	s.want(http.StatusNoContent, s.call("DELETE", "/sources/gateway", ""))
	for _, method := range []string{"GET", "DELETE"} {
		s.wantProblem(http.StatusNotFound, "source_not_found", s.call(method, "/sources/gateway", ""))
	}
	versions := func(query string) (list, next string) {
		page := decode[struct {
			Versions   []shownSource
			NextCursor string `json:"next_cursor"`
		}](t, s.want(http.StatusOK, s.call("GET", "/sources/gateway/versions"+query, "")))
		for _, v := range page.Versions {
			list += fmt.Sprintf("%d %v;", v.Version, v.Deleted)
		}
		return list, page.NextCursor
	}
	if list, next := versions("?limit=2"); list != "3 true;2 false;" || next != "2" {
		t.Errorf("versions %s, then %q", list, next)
	}
	if list, next := versions("?limit=2&cursor=2"); list != "1 false;" || next != "" {
		t.Errorf("versions %s, then %q", list, next)
	}
	s.wantProblem(http.StatusNotFound, "source_not_found", s.call("GET", "/sources/never/versions", ""))
	for _, cursor := range []string{"a", "0", "-1", "9223372036854775808"} {
		s.wantProblem(http.StatusBadRequest, "invalid_cursor", s.call("GET", "/sources/gateway/versions?cursor="+cursor, ""), "next_cursor")
	}

	for _, name := range []string{"c", "a", "b", "default"} {
		s.want(http.StatusCreated, s.call("PUT", "/sources/"+name, toAcme))
	}
	var names []string
	for after := ""; len(names) < 10; {
		page := decode[struct {
			Sources    []shownSource
			NextCursor string `json:"next_cursor"`
		}](t, s.want(http.StatusOK, s.call("GET", "/sources?limit=3&cursor="+after, "")))
		for _, listed := range page.Sources {
			names = append(names, listed.Name)
		}
		if after = page.NextCursor; after == "" {
			break
		}
	}
	if fmt.Sprint(names) != "[a b c default]" {
		t.Errorf("listed: %v", names)
	}
	ready := decode[struct {
		Sources []shownSource
	}](t, s.want(http.StatusOK, s.call("GET", "/ready-sources", "")))
	if len(ready.Sources) == 0 || ready.Sources[0].Name == "" || ready.Sources[0].Mapping == nil {
		t.Errorf("ready: %+v", ready)
	}
}

func TestRefusedSources(t *testing.T) {
	s := start(t)
	for _, name := range []string{"-x", "a%20b", "a%2Fb", "%C3%A4", "x%00", "01980000-0000-7000-8000-000000000000"} {
		s.wantProblem(http.StatusBadRequest, "invalid_name", s.call("PUT", "/sources/"+name, toAcme))
		s.wantProblem(http.StatusNotFound, "source_not_found", s.call("GET", "/sources/"+name, ""))
		s.wantProblem(http.StatusNotFound, "version_not_found", s.call("GET", "/sources/"+name+"?version=1", ""))
		s.wantProblem(http.StatusNotFound, "source_not_found", s.call("GET", "/sources/"+name+"/versions", ""))
		s.wantProblem(http.StatusNotFound, "source_not_found", s.call("DELETE", "/sources/"+name, ""))
	}
	for _, mapping := range []string{"null", "[]", "{", "{}", `{"log": 3}`, strings.Repeat(`{"log":`, 9000), "\xff"} {
		s.wantProblem(http.StatusUnprocessableEntity, "invalid_mapping", s.call("PUT", "/sources/gateway", mapping))
	}
	s.wantProblem(http.StatusBadRequest, "body_missing", s.call("PUT", "/sources/gateway", ""))
	large := `{"log":"` + strings.Repeat("x", intake.MaxMappingBytes) + `"}`
	s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large", s.call("PUT", "/sources/gateway", large))
	s.wantProblem(http.StatusBadRequest, "invalid_parameter", s.call("PUT", "/sources/gateway?version=1", toAcme))
	s.wantProblem(http.StatusNotFound, "source_not_found", s.call("GET", "/sources/gateway", ""))

	_, err := s.db.Exec(t.Context(), "INSERT INTO sources (tenant_id, name, version, deleted, changed) "+
		"SELECT tenant_id, 'filler-' || n, 1, false, 0 FROM tenants, generate_series(1, $1) n", intake.MaxSources)
	if err != nil {
		t.Fatal(err)
	}
	s.wantProblem(http.StatusUnprocessableEntity, "too_many_sources", s.call("PUT", "/sources/gateway", toAcme), "1000")
}

// TestSourcesOfOtherServers: what a server is told of a source holds on another within a second. A mapping that this server does not
// understand is a newer server's, and asking again may help.
func TestSourcesOfOtherServers(t *testing.T) {
	database := testdb.New(t)
	s, other := startOn(t, database), startOn(t, database)
	version := func() int64 {
		return decode[shownSource](t, other.want(http.StatusOK, other.call("GET", "/sources/default", ""))).Version
	}
	for round := int64(1); round <= 3; round++ {
		s.want(http.StatusCreated, s.call("PUT", "/sources/default", strings.ReplaceAll(toAcme, "acme", fmt.Sprint("acme-", round))))
		put := time.Now()
		for asked := put; version() != round; asked = time.Now() {
			if asked.Sub(put) > time.Second {
				t.Fatalf("version %d is not there %v after it was put", round, asked.Sub(put))
			}
		}
	}
	_, err := s.db.Exec(t.Context(), `WITH next AS
			(UPDATE sources_version SET number = number + 1, nonce = gen_random_uuid() RETURNING number),
		head AS (UPDATE sources SET version = 4, changed = number FROM next WHERE name = 'default' RETURNING tenant_id)
		INSERT INTO source_versions (tenant_id, name, version, mapping, resolved, created_by)
		SELECT tenant_id, 'default', 4, '{"log": ["x"], "of the future": 1}', '{"of the future": 1}', '' FROM head`)
	if err != nil {
		t.Fatal(err)
	}
	other.await("the newer mapping is there", func() bool { return other.call("GET", "/sources/default", "").status != http.StatusOK })
	r := other.call("GET", "/sources/default", "")
	other.wantProblem(http.StatusServiceUnavailable, "newer_mapping", r)
	if r.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
}

// TestWhoPutASource: what is done with sources is in the audit log, with the key's name, also an operator's of another tenant; and it takes
// a key for all logs, since it concerns whoever sends to a source.
func TestWhoPutASource(t *testing.T) {
	d := openDoor(t)
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/litellm", toAcme, "Tally-Actor: ann"))
	d.want(http.StatusOK, d.as(d.owner, "PUT", "/sources/litellm", toAcme))
	d.want(http.StatusNoContent, d.as(d.operator, "DELETE", "/sources/litellm", "", "Tally-Tenant: acme"))
	for _, attempt := range [][2]string{{"PUT", toAcme}, {"DELETE", ""}} {
		d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(d.inside, attempt[0], "/sources/gateway", attempt[1]))
		d.wantProblem(http.StatusForbidden, "missing_scope", d.as(d.alone["append"], attempt[0], "/sources/gateway", attempt[1]))
		d.wantProblem(http.StatusBadRequest, "invalid_actor",
			d.as(d.owner, attempt[0], "/sources/gateway", attempt[1], "Tally-Actor: "+strings.Repeat("x", 201)))
	}
	recorded := decode[struct {
		Entries []struct {
			Actor, Action, Target string
			Detail                map[string]any
		}
	}](t, d.want(http.StatusOK, d.as(d.owner, "GET", "/audit-log?limit=200", ""))).Entries
	var got []string
	for _, e := range recorded {
		if strings.HasPrefix(e.Action, "source.") {
			got = append(got, fmt.Sprint(e.Action, " ", e.Target, " ", e.Detail["version"], " by ", e.Actor))
		}
	}
	operator := "bootstrap-" + d.operator[len("tally_"):][:16] + " of default"
	want := []string{
		"source.delete litellm 2 by " + operator, "source.put litellm 1 by owner (ann)", "source.put gateway 1 by owner",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	version := decode[shownSource](t, d.as(d.owner, "GET", "/sources/litellm?version=1", "").body)
	if version.CreatedBy != "owner (ann)" {
		t.Errorf("put by %q", version.CreatedBy)
	}
}
