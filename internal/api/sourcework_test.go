package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/intake"
)

type tested struct {
	Version, Mapped, Skipped, Rejected int
	More                               bool
	Lines                              []struct {
		Line                            int
		Outcome, Log, Key, Code, Detail string
		Event                           json.RawMessage
	}
}

// summarized is a line for each tested line.
func (r *tested) summarized() string {
	var all []string
	for _, l := range r.Lines {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s %s %s %s%s", l.Line, l.Outcome, l.Log, l.Key, l.Event, l.Code)))
	}
	return strings.Join(all, "\n")
}

const calls = `{"select":{"/kind":"call"},"log":"team-{/team}","type":"call","id":"{/id}","keep":{"n":{"at":"/n","as":"integer"}}}`

func TestTestingASource(t *testing.T) {
	s := start(t)
	s.want(http.StatusCreated, s.call("PUT", "/sources/gateway", calls))
	test := func(query, payload string, headers ...string) tested {
		t.Helper()
		return decode[tested](t, s.want(http.StatusOK, s.call("POST", "/sources/gateway/test"+query, payload, headers...)))
	}
	got := test("", `{"kind":"call","team":"a b","id":"1","n":"3"} {"kind":"ping"}
		{"kind":"call","team":"b","n":4}
		nonsense
		{"kind":"call","id":"2","n":4}
		{"kind":"call","id":"3","team":"b","n":3.5}`)
	want := `1 mapped team-a~20b 1 {"id":"1","n":3,"type":"call"}
2 skipped
3 rejected team-b  id_missing
4 rejected   invalid_json
5 rejected   no_log
6 rejected team-b  invalid_member`
	if got.summarized() != want || got.Mapped != 1 || got.Skipped != 1 || got.Rejected != 4 || got.Version != 1 || got.More {
		t.Errorf("%+v\n%s\nwant\n%s", got, got.summarized(), want)
	}
	for _, l := range got.Lines {
		if (l.Outcome == "rejected") != (l.Detail != "") {
			t.Errorf("%+v", l)
		}
	}
	if got := test("", `[{"kind":"ping"},`); got.summarized() != "1 skipped\n2 rejected   invalid_json" {
		t.Errorf("%s", got.summarized())
	}
	if got := test("", " \n"); got.summarized() != "" || got.Lines == nil {
		t.Errorf("%+v", got)
	}
	if got := test("", strings.Repeat(`{"kind":"ping"}`, intake.MaxPreviewLines+1)); len(got.Lines) != intake.MaxPreviewLines || !got.More {
		t.Errorf("%d lines, more: %v", len(got.Lines), got.More)
	}
	if got := test("", strings.Repeat(`{"kind":"ping"}`, intake.MaxPreviewLines)); len(got.Lines) != intake.MaxPreviewLines || got.More {
		t.Errorf("%d lines, more: %v", len(got.Lines), got.More)
	}

	s.want(http.StatusCreated, s.call("PUT", "/sources/gateway", `{"log":"{/attributes/to}","id":"{/attributes/id}","keep":{"b":"/body"}}`))
	const logs = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"},"attributes":[` +
		`{"key":"to","value":{"stringValue":"acme"}},{"key":"id","value":{"intValue":"7"}}]},{"body":{}}]}]}]}`
	for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded"} {
		got := test("?as=logs", logs, "Content-Type: "+contentType)
		if got.summarized() != "1 mapped acme 7 {\"b\":\"x\",\"id\":\"7\"}\n2 rejected   no_log" || got.Version != 2 {
			t.Errorf("%s: %s", contentType, got.summarized())
		}
	}
	if got := test("?as=traces", "\xff\xff", "Content-Type: application/x-protobuf"); got.summarized() != "1 rejected   invalid_otlp" {
		t.Errorf("%s", got.summarized())
	}
	if got := test("?version=1", `{"kind":"ping"}`); got.summarized() != "1 skipped" {
		t.Errorf("%s", got.summarized())
	}
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("POST", "/sources/gateway/test?as=metrics", "{}"))
	s.wantProblem(http.StatusNotFound, "source_not_found", s.call("POST", "/sources/other/test", "{}"))
	s.wantProblem(http.StatusNotFound, "version_not_found", s.call("POST", "/sources/gateway/test?version=3", "{}"))
	s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large",
		s.call("POST", "/sources/gateway/test", `"`+strings.Repeat("x", 1<<20)+`"`))
	listed := decode[struct{ Logs []struct{ Name string } }](t, s.want(http.StatusOK, s.call("GET", "/logs", ""))).Logs
	if len(listed) != 0 {
		t.Errorf("testing made logs: %v", listed)
	}
}

// TestLargeTest: a mapping that makes much of little does not make answers without end.
func TestLargeTest(t *testing.T) {
	s := start(t)
	kept := []string{}
	for i := range 100 {
		kept = append(kept, fmt.Sprintf(`"m%d":"/text"`, i))
	}
	s.want(http.StatusCreated, s.call("PUT", "/sources/gateway", `{"log":"x","id":"{/id}","keep":{`+strings.Join(kept, ",")+`}}`))
	payload := ""
	for i := range 200 {
		payload += fmt.Sprintf(`{"id":"%d","text":%q}`, i, strings.Repeat("x", 1000))
	}
	r := s.want(http.StatusOK, s.call("POST", "/sources/gateway/test", payload))
	if got := decode[tested](t, r); !got.More || got.Mapped < 30 || got.Mapped == 200 || len(r) > 8<<20 {
		t.Errorf("%d mapped in %d bytes, more: %v", got.Mapped, len(r), got.More)
	}
}

type replayed struct {
	Read, Stored, Duplicates, Skipped, Rejected, Unavailable int
	Next                                                     int64
	FirstRejected                                            *struct {
		Sequence     int64
		Code, Detail string
	} `json:"first_rejected"`
}

func (r replayed) String() string {
	text := fmt.Sprintf("%d: %d stored, %d duplicates, %d skipped, %d rejected, %d unavailable",
		r.Read, r.Stored, r.Duplicates, r.Skipped, r.Rejected, r.Unavailable)
	if r.FirstRejected != nil {
		text += fmt.Sprintf(" (%d %s)", r.FirstRejected.Sequence, r.FirstRejected.Code)
	}
	if r.Next != 0 {
		text += fmt.Sprintf(", next %d", r.Next)
	}
	return text
}

// gatewayRig is a server with a source.
type gatewayRig struct{ *service }

func (g *gatewayRig) put(mapping string) {
	g.t.Helper()
	if r := g.call("PUT", "/sources/gateway", mapping); r.status >= 300 {
		g.t.Fatalf("%d %s", r.status, r.body)
	}
}

func (g *gatewayRig) send(path, body string, headers ...string) {
	g.t.Helper()
	g.want(http.StatusOK, g.call("POST", "/sources/gateway"+path, body, headers...))
}

func (g *gatewayRig) replay(want string, body ...string) {
	g.t.Helper()
	got := decode[replayed](g.t, g.want(http.StatusOK, g.call("POST", "/sources/gateway/replay", append(body, "{}")[0])))
	if got.String() != want {
		g.t.Errorf("replayed %s; want %s", got, want)
	}
}

// events returns the events of a log, in the order of their bytes.
func (g *gatewayRig) events(log string) string {
	g.t.Helper()
	page := decode[struct {
		Events []struct{ Data json.RawMessage }
	}](g.t,
		g.want(http.StatusOK, g.call("GET", "/logs/"+log+"/events", "")))
	var all []string
	for _, e := range page.Events {
		all = append(all, string(e.Data))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestReplay: what was rejected is stored once its source's mapping is corrected, each once, however often it is replayed.
func TestReplay(t *testing.T) {
	g := &gatewayRig{start(t)}
	g.put(`{"log":"acme","create":{},"id":"{/uid}","keep":{"n":"/n"},"rejects":{"raw":"whole"}}`)
	g.replay("0: 0 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable")
	g.send("/events", `{"id":"1","n":1.50}{"id":"2","n":2}{"uid":"3","n":3}`+"\nnonsense\n"+`{"kind":"ping"}{"id":"4","n":"`+
		strings.Repeat("x", 100<<10)+`"}`)
	g.replay("5: 0 stored, 0 duplicates, 0 skipped, 3 rejected, 2 unavailable (1 id_missing)")
	g.put(`{"log":"acme","create":{},"select":{"/kind":{"not":"ping"}},"id":"{/id}","keep":{"n":"/n"}}`)
	g.replay("2: 2 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable, next 3", `{"limit":2}`)
	g.replay("3: 0 stored, 0 duplicates, 1 skipped, 0 rejected, 2 unavailable", `{"from":3}`)
	g.replay("5: 0 stored, 2 duplicates, 1 skipped, 0 rejected, 2 unavailable")
	g.replay("0: 0 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable", `{"from":6}`)
	g.send("/events", `{"id":"1","n":1.50}`) // what the gateway sends again is what was replayed
	if got := g.events("acme"); got != "{\"id\":\"1\",\"n\":1.50}\n{\"id\":\"2\",\"n\":2}\n{\"id\":\"3\",\"n\":3}" {
		t.Errorf("the log has\n%s", got)
	}
	if head := decode[struct{ Sequence int64 }](t, g.want(http.StatusOK, g.call("GET", "/logs/rejects-gateway", ""))); head.Sequence != 5 {
		t.Errorf("replays have made rejects: there are %d", head.Sequence)
	}
	g.want(http.StatusNoContent, g.call("DELETE", "/sources/gateway", ""))
	g.wantProblem(http.StatusNotFound, "source_not_found", g.call("POST", "/sources/gateway/replay", "{}"))
	g.wantProblem(http.StatusUnprocessableEntity, "invalid_request", g.call("POST", "/sources/gateway/replay", `{"limit":10001}`))
}

// TestReplayByWhatWasNotNamed: a corrected mapping looks at members that the old one did not. Of rejects that are kept whole, and of those
// that have these members by "with", it stores everything, once; of others it stores what it finds, and what it keeps is no more.
func TestReplayByWhatWasNotNamed(t *testing.T) {
	const total = 30
	body, want := "", []string{}
	for i := range total {
		body += fmt.Sprintf(`{"call":{"id":"%d","tokens":%d},"secret":"s-%d"}`+"\n", i, i, i)
		want = append(want, fmt.Sprintf(`{"id":"%d","n":%d}`, i, i))
	}
	slices.Sort(want)
	for rejects, replayed := range map[string]string{
		`{"raw":"whole"}`: "30: 30 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable",
		`{"raw":"named","with":["/call/id","/call/tokens"]}`: "30: 30 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable",
		`{"raw":"named"}`: "30: 0 stored, 0 duplicates, 0 skipped, 30 rejected, 0 unavailable (1 id_missing)",
		`{"raw":"none"}`:  "30: 0 stored, 0 duplicates, 0 skipped, 0 rejected, 30 unavailable",
	} {
		g := &gatewayRig{start(t)}
		g.put(`{"log":"acme","create":{},"id":"{/id}","keep":{"n":"/call/total"},"rejects":` + rejects + `}`)
		for range 2 { // a gateway that sends again
			g.send("/events", body)
		}
		g.put(`{"log":"acme","create":{},"id":"{/call/id}","keep":{"n":"/call/tokens"}}`)
		g.replay(replayed)
		kept := string(g.want(http.StatusOK, g.call("GET", "/logs/rejects-gateway/events?stream=true&format=ndjson", "")))
		if strings.Contains(kept, "s-7") != strings.Contains(rejects, "whole") {
			t.Errorf("%s: kept are %s", rejects, kept)
		}
		if !strings.Contains(replayed, " 30 stored") {
			continue
		}
		for range 2 {
			g.replay("30: 0 stored, 30 duplicates, 0 skipped, 0 rejected, 0 unavailable")
		}
		if got := g.events("acme"); got != strings.Join(want, "\n") {
			t.Errorf("%s: the log has\n%s", rejects, got)
		}
	}
}

// TestReplayForms: records come out of the log of rejects as they came in: with the key beside them, in or out of their envelope, from
// OTLP; and those that are to have no identity are stored once all the same.
func TestReplayForms(t *testing.T) {
	t.Run("envelope found late", func(t *testing.T) {
		g := &gatewayRig{start(t)}
		g.put(`{"log":"{/to}","create":{},"id":null,"keep":{"n":"/n"},"rejects":{"raw":"whole"}}`)
		g.send("/events", `{"records":[{"to":"a","n":1},{"to":"a","n":2},{"n":3}]}`)
		g.put(`{"unwrap":"/records","log":"{/to}","create":{},"id":null,"keep":{"n":"/n"},"rejects":{"raw":"whole"}}`)
		g.replay("1: 2 stored, 0 duplicates, 0 skipped, 1 rejected, 0 unavailable (1 no_log)")
		g.replay("1: 0 stored, 2 duplicates, 0 skipped, 1 rejected, 0 unavailable (1 no_log)")
		g.send("/events", `{"records":[{"n":4}]}`) // rejected out of its envelope
		g.put(`{"unwrap":"/records","log":["{/to}","unassigned"],"create":{},"id":null,"keep":{"n":"/n"}}`)
		g.replay("2: 2 stored, 2 duplicates, 0 skipped, 0 rejected, 0 unavailable")
		g.replay("2: 0 stored, 4 duplicates, 0 skipped, 0 rejected, 0 unavailable")
		if a, other := g.events("a"), g.events("unassigned"); a != "{\"n\":1}\n{\"n\":2}" || other != "{\"n\":3}\n{\"n\":4}" {
			t.Errorf("%s\n%s", a, other)
		}
	})
	t.Run("key beside", func(t *testing.T) {
		g := &gatewayRig{start(t)}
		g.put(`{"log":"{/to}","create":{},"keep":true}`)
		for range 2 {
			g.send("/events", `{"n":1}{"n":1}{"n":1}`, "Idempotency-Key: first")
		}
		g.put(`{"log":["{/to}","acme"],"create":{},"keep":true}`)
		g.replay("3: 3 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable")
		g.send("/events", `{"n":1}{"n":1}{"n":1}`, "Idempotency-Key: first")
		if got := g.events("acme"); got != "{\"n\":1}\n{\"n\":1}\n{\"n\":1}" {
			t.Errorf("%s", got)
		}
	})
	t.Run("OTLP", func(t *testing.T) {
		g := &gatewayRig{start(t)}
		g.put(`{"log":"acme","create":{},"id":"{/span_id}","keep":{"n":"/name","b":"/body"},"rejects":{"raw":"whole"}}`)
		g.send("/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"<x> "}}]}]}]}`,
			"Content-Type: application/json")
		g.put(`{"log":"acme","create":{},"id":["{/span_id}","{/body}"],"keep":{"n":"/name","b":"/body"}}`)
		g.replay("1: 1 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable")
		g.send("/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"<x> "}}]}]}]}`,
			"Content-Type: application/json")
		if got := g.events("acme"); strings.Count(got, "\n") != 0 || !strings.Contains(got, `"id":"<x> "`) {
			t.Errorf("%s", got)
		}
	})
	t.Run("named members", func(t *testing.T) {
		g := &gatewayRig{start(t)}
		g.put(`{"log":"{/to}","create":{},"id":"{/id}","keep":{"n":"/n"}}`)
		g.send("/events", `{"id":"1","n":1.50,"prompt":"secret"}`)
		if kept := g.events("rejects-gateway"); strings.Contains(kept, "secret") {
			t.Errorf("the log of rejects has %s", kept)
		}
		g.replay("1: 0 stored, 0 duplicates, 0 skipped, 1 rejected, 0 unavailable (1 no_log)")
		if kept := g.events("rejects-gateway"); strings.Contains(kept, "\n") {
			t.Errorf("a replay made a reject of a reject: %s", kept)
		}
		g.put(`{"log":"acme","create":{},"id":"{/id}","keep":{"n":"/n"}}`)
		g.replay("1: 1 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable")
		g.send("/events", `{"id":"1","n":1.50,"prompt":"secret"}`)
		if got := g.events("acme"); got != `{"id":"1","n":1.50}` {
			t.Errorf("%s", got)
		}
	})
	t.Run("what was no record", func(t *testing.T) {
		g := &gatewayRig{start(t)}
		g.put(`{"log":"acme","create":{},"id":null,"keep":true}`)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/sources/gateway/v1/logs",
			strings.NewReader(`{"resourceLogs":3}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request) // its error is in the form of OTLP
		if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusBadRequest {
			t.Fatalf("%v, %v", response, err)
		}
		g.call("POST", "/sources/gateway/events", `{"n":1}`, "Content-Encoding: gzip")
		g.call("POST", "/sources/gateway/events", `{"n":1}`, "ce-id: %zz", "ce-specversion: 1.0", "ce-type: x", "ce-source: y")
		g.want(http.StatusCreated, g.call("POST", "/logs/rejects-gateway/append", `{"type":"other","raw":"{}"}`))
		g.want(http.StatusCreated, g.call("POST", "/logs/rejects-gateway/append", `{"type":"tally.reject","raw_base64":"*"}`))
		g.want(http.StatusCreated, g.call("POST", "/logs/rejects-gateway/append", `{"type":"tally.reject","raw":3}`))
		head := decode[struct{ Sequence int64 }](t, g.want(http.StatusOK, g.call("GET", "/logs/rejects-gateway", "")))
		g.replay(fmt.Sprintf("%d: 0 stored, 0 duplicates, 0 skipped, 0 rejected, %[1]d unavailable", head.Sequence))
		if head.Sequence < 5 {
			t.Errorf("there are %d rejects only", head.Sequence)
		}
	})
}

// TestReplayInPages: all rejects are replayed, whatever pages they are read in.
func TestReplayInPages(t *testing.T) {
	g := &gatewayRig{start(t)}
	g.put(`{"log":"{/to}","create":{},"id":"{/id}","keep":true,"rejects":{"raw":"whole"}}`)
	const count = 1100
	padding := strings.Repeat("x", 3000)
	for first := 0; first < count; first += 100 {
		body := ""
		for i := range 100 {
			body += fmt.Sprintf(`{"id":"%d","padding":%q}`, first+i, padding)
		}
		g.send("/events", body)
	}
	g.put(`{"log":"acme","create":{},"id":"{/id}","keep":true}`)
	g.replay("1000: 1000 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable, next 1001")
	g.replay("100: 100 stored, 0 duplicates, 0 skipped, 0 rejected, 0 unavailable", `{"from":1001}`)
	g.replay("1100: 0 stored, 1100 duplicates, 0 skipped, 0 rejected, 0 unavailable", `{"limit":10000}`)
}

// TestReplayRights: a replay stores for whoever asks for it, in logs that there are for them.
func TestReplayRights(t *testing.T) {
	d := openDoor(t)
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/gateway",
		`{"log":"{/to}","id":"{/id}","keep":true,"rejects":{"raw":"whole"}}`))
	d.want(http.StatusOK, d.as(d.owner, "POST", "/sources/gateway/events", `{"id":"1"}{"id":"2"}`))
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/gateway", `{"log":["{/to}","out-1"],"id":"{/id}","keep":true}`))
	d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(d.inside, "POST", "/sources/gateway/replay", "{}"))
	_, narrow := d.keyIn("acme", "narrow", "rejects-*", "append")
	got := decode[replayed](t, d.want(http.StatusOK, d.as(narrow, "POST", "/sources/gateway/replay", "{}")))
	if got.String() != "2: 0 stored, 0 duplicates, 0 skipped, 2 rejected, 0 unavailable (1 outside_pattern)" {
		t.Errorf("by a key for the log of rejects alone: %s", got)
	}
	nonesuch := d.as(d.rival, "POST", "/sources/nonesuch/replay", "{}")
	d.wantProblem(http.StatusNotFound, "source_not_found", nonesuch)
	d.alike("replaying acme's", d.as(d.rival, "POST", "/sources/gateway/replay", "{}"), nonesuch)
	d.alike("testing acme's", d.as(d.rival, "POST", "/sources/gateway/test", "{}"), d.as(d.rival, "POST", "/sources/nonesuch/test", "{}"))
	got = decode[replayed](t, d.want(http.StatusOK, d.as(d.owner, "POST", "/sources/gateway/replay", "{}")))
	if got.Stored != 2 {
		t.Errorf("by the owner: %s", got)
	}
}

// TestReplayOfASuspendedTenant: a replay stops when its tenant is suspended meanwhile; once it is resumed, the rest is stored, once.
func TestReplayOfASuspendedTenant(t *testing.T) {
	d := openDoor(t)
	mapping := `{"log":"%s","create":{},"id":"{/id}","keep":true,"rejects":{"raw":"whole"}}`
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/gateway", fmt.Sprintf(mapping, "{/to}")))
	body := ""
	const count = 500
	for i := range count {
		body += fmt.Sprintf(`{"id":"%d","padding":%q}`, i, strings.Repeat("x", 3000))
	}
	d.want(http.StatusOK, d.as(d.owner, "POST", "/sources/gateway/events", body))
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/gateway", fmt.Sprintf(mapping, "in-replayed")))
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/logs/in-replayed", ""))
	suspend := func(suspended bool) {
		d.want(http.StatusOK, d.as(d.operator, "PATCH", "/tenants/acme", fmt.Sprintf(`{"suspended":%t}`, suspended)))
		d.await("the tenant is suspended or not", func() bool {
			return (d.attempt("POST /logs/{log}/append", "in-1", "", "X-Api-Key: "+d.owner).status == http.StatusForbidden) == suspended
		})
	}
	release := d.lockHeads()
	began, answered := time.Now(), make(chan reply, 1)
	go func() { answered <- d.as(d.owner, "POST", "/sources/gateway/replay", "{}") }()
	d.awaitLockWaiter()
	suspend(true)
	d.await("it has to be asked again whether the replay may go on", func() bool { return time.Since(began) > time.Second })
	release()
	d.wantProblem(http.StatusForbidden, "tenant_suspended", <-answered)
	head := func() int64 {
		return decode[struct{ Sequence int64 }](t, d.want(http.StatusOK, d.as(d.owner, "GET", "/logs/in-replayed", ""))).Sequence
	}
	stored := head()
	if stored == 0 || stored == count {
		t.Errorf("%d of %d are stored", stored, count)
	}
	suspend(false)
	got := decode[replayed](t, d.want(http.StatusOK, d.as(d.owner, "POST", "/sources/gateway/replay", "{}")))
	if int64(got.Stored) != count-stored || int64(got.Duplicates) != stored || head() != count {
		t.Errorf("after %d: %s; the log is at %d", stored, got, head())
	}
}
