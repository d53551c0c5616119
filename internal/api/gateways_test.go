package api_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/views"
)

// TestGatewaysCountOnce sends what each gateway sent, twice, with the headers that it sent, to a source in a tenant of its own: each event
// is stored once, byte for byte as its golden file says, each reject is kept once, and neither PostgreSQL nor the log of the server hears
// of what the mapping leaves out.
func TestGatewaysCountOnce(t *testing.T) {
	d, overheard := tappedDoor(t)
	for _, folder := range sourcesOf(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) { d.countOnce(t, folder) })
	}
	overheard()
}

func (d *frontDoor) countOnce(t *testing.T, folder string) {
	s, name := d.in(t), filepath.Base(folder)
	owner, key := s.tenantOf(name)
	s.want(http.StatusCreated, s.as(owner, "PUT", "/sources/"+name, recorded(t, folder+"/mapping.json")))
	first, again := expect(t, folder)
	for _, want := range []expected{first, again} {
		for _, file := range requestsOf(t, folder) {
			endpoint, r := s.replay(t, file, name, key, 1)
			s.wantTaken(name, filepath.Base(file), endpoint, r, want.answers[filepath.Base(file)])
		}
		for log, events := range first.events {
			got := strings.TrimSuffix(string(s.want(http.StatusOK, s.as(owner, "GET", "/logs/"+log+"/events?format=ndjson", ""))), "\n")
			if stored := dataOf(t, got); !slices.Equal(stored, events) {
				t.Errorf("%s has the events\n%s\nwant\n%s", log, strings.Join(stored, "\n"), strings.Join(events, "\n"))
			}
		}
		rejects := s.as(owner, "GET", "/logs/rejects-"+name+"/events?format=ndjson", "")
		if first.rejects == 0 {
			s.wantProblem(http.StatusNotFound, "log_not_found", rejects)
		} else if kept := dataOf(t, string(s.want(http.StatusOK, rejects))); len(kept) != first.rejects {
			t.Errorf("the rejects are\n%s\nwant %d", strings.Join(kept, "\n"), first.rejects)
		}
	}
	s.meter(t, folder, owner, first.events)
}

var (
	readyName   = regexp.MustCompile(`"ready": "([^"]*)"`)
	meterOnPage = regexp.MustCompile(`(?s)--ready meter.*?--config '(.*?)'`)
)

// meter deploys the meter of the gateway's page in docs/gateways on its fullest log, and wants every event counted.
func (d *frontDoor) meter(t *testing.T, folder, owner string, events map[string][]string) {
	t.Helper()
	ready := readyName.FindStringSubmatch(recorded(t, folder+"/mapping.json"))
	if ready == nil {
		return // a mapping of one's own
	}
	pages, err := filepath.Glob("../../docs/gateways/[a-z]*.md")
	if err != nil {
		t.Fatal(err)
	}
	fullest := slices.MaxFunc(slices.Collect(maps.Keys(events)), func(a, b string) int {
		return cmp.Or(len(events[a])-len(events[b]), strings.Compare(a, b))
	})
	deployed := false
	for _, page := range pages {
		text := recorded(t, page)
		config := meterOnPage.FindStringSubmatch(text)
		shows := strings.Contains(text, `{"ready": "`+ready[1]+`"`) || strings.Contains(text, "--ready "+ready[1]+"\n")
		if config == nil || deployed || !shows {
			continue
		}
		deployed = true
		view := "/logs/" + fullest + "/views/usage"
		d.want(http.StatusCreated, d.as(owner, "POST", view+"?config="+url.QueryEscape(config[1]), string(views.Meter())))
		var answer struct {
			Uncounted int
			Rows      []struct{ Count int }
		}
		body := d.want(http.StatusOK, d.as(owner, "GET", view+"/query", ""))
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		counted := 0
		for _, row := range answer.Rows {
			counted += row.Count
		}
		if answer.Uncounted != 0 || counted != len(events[fullest]) {
			t.Errorf("the meter of %s on %s answers %s, want %d events counted", page, fullest, body, len(events[fullest]))
		}
	}
	if !deployed {
		t.Errorf("no page of docs/gateways has a meter for %s", ready[1])
	}
}

// wantTaken checks the answer that the endpoint has for a gateway.
func (s *service) wantTaken(source, request, endpoint string, r reply, want taken) {
	s.t.Helper()
	switch {
	case source == "firehose":
		var answer struct {
			RequestID string
			Timestamp int64
		}
		if err := json.Unmarshal(s.want(http.StatusOK, r), &answer); err != nil || answer.RequestID == "" || answer.Timestamp == 0 {
			s.t.Errorf("%s: %s is not what Firehose wants: %v", request, r.body, err)
		}
	case endpoint == "/events":
		var answer taken
		if err := json.Unmarshal(s.want(http.StatusOK, r), &answer); err != nil || answer != want {
			s.t.Errorf("%s was answered %s, want %+v", request, r.body, want)
		}
	case endpoint == "/api/v1/events":
		s.want(http.StatusNoContent, r)
	case want.Rejected == 0 && len(r.body) > 2: // an empty message, as protobuf or {}
		s.t.Errorf("%s was answered %q, want nothing", request, r.body)
	default:
		s.want(http.StatusOK, r)
	}
}

// TestRejectsOfGatewaysKeepNoSecrets has every record that a source selects rejected, for lack of an identity, and sends each request cut
// off as well: of what is kept of that, nothing is a prompt, an address or a secret.
func TestRejectsOfGatewaysKeepNoSecrets(t *testing.T) {
	d, overheard := tappedDoor(t)
	for _, folder := range sourcesOf(t) {
		if len(canariesOf(t, folder)) == 0 {
			continue
		}
		t.Run(filepath.Base(folder), func(t *testing.T) {
			s, name := d.in(t), filepath.Base(folder)
			owner, key := s.tenantOf(name)
			var mapping map[string]any
			if err := json.Unmarshal([]byte(recorded(t, folder+"/mapping.json")), &mapping); err != nil {
				t.Fatal(err)
			}
			mapping["id"] = "{/nowhere}"
			changed, err := json.Marshal(mapping)
			if err != nil {
				t.Fatal(err)
			}
			s.want(http.StatusCreated, s.as(owner, "PUT", "/sources/"+name, string(changed)))
			for _, file := range requestsOf(t, folder) {
				s.replay(t, file, name, key, 0.6)
				s.replay(t, file, name, key, 1)
			}
			kept := dataOf(t, string(s.want(http.StatusOK, s.as(owner, "GET", "/logs/rejects-"+name+"/events?format=ndjson", ""))))
			if without := slices.DeleteFunc(slices.Clone(kept), func(reject string) bool {
				return !strings.Contains(reject, `"code":"id_missing"`) || !strings.Contains(reject, `"raw":`)
			}); len(without) == 0 {
				t.Errorf("the rejects hold nothing of the records: %s", kept)
			}
		})
	}
	overheard()
}

// TestPartsAreRefused: a body of several parts, which Benthos sends unless it is told otherwise, is refused, and that is told in the
// rejects.
func TestPartsAreRefused(t *testing.T) {
	s := start(t)
	s.want(http.StatusCreated, s.call("PUT", "/sources/usage", `{"ready":"cloudevents"}`))
	_, r := s.replay(t, recordings+"/benthos-multipart/parts", "usage", "none", 1)
	s.wantProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", r, "multipart/form-data")
	kept := dataOf(t, string(s.want(http.StatusOK, s.call("GET", "/logs/rejects-usage/events?format=ndjson", ""))))
	if len(kept) != 1 || !strings.Contains(kept[0], `"code":"unsupported_media_type"`) {
		t.Errorf("the rejects are %s", kept)
	}
}

// TestEventGridMayAsk: the ready mapping of Event Grid lets it deliver, and nobody else.
func TestEventGridMayAsk(t *testing.T) {
	s := start(t)
	s.want(http.StatusCreated, s.call("PUT", "/sources/eventgrid", `{"ready":"eventgrid"}`))
	for origin, allowed := range map[string]string{"eventgrid.azure.net": "eventgrid.azure.net", "events.example.com": ""} {
		r := s.call("OPTIONS", "/sources/eventgrid/events", "", "WebHook-Request-Origin: "+origin)
		s.want(http.StatusOK, r)
		if got := r.header.Get("WebHook-Allowed-Origin"); got != allowed {
			t.Errorf("%s may ask: %q, want %q", origin, got, allowed)
		}
		if rate := r.header.Get("WebHook-Allowed-Rate"); (rate != "") != (allowed != "") || !strings.Contains(r.header.Get("Allow"),
			"POST") {
			t.Errorf("%s was answered %v", origin, r.header)
		}
	}
}

// TestEventGridValidates: in its own schema Event Grid asks by an event, and wants its code back. Nothing of that is stored; a source that
// does not let Event Grid in takes it as a record, and other events of that schema are records as ever.
func TestEventGridValidates(t *testing.T) {
	s := start(t)
	const mapping = `{"log":"customer-{/subject}","id":"{/id}","source":"{/topic}","create":{},"keep":{"n":"/data/n"}`
	s.putSource("grid", mapping+`,"origins":["eventgrid.azure.net"]}`)
	s.putSource("other", mapping+`}`)
	event := func(subject, data string) string {
		return `[{"id":"2d1781af","topic":"/subscriptions/1","subject":"` + subject + `","eventType":"x","data":` + data + `}]`
	}
	asked := event("", `{"validationCode":"512d38b6-\"&","validationUrl":"https://example.com/validate"}`)
	const header = "Aeg-Event-Type: SubscriptionValidation"
	for range 2 {
		r := s.delivered("/sources/grid/events", asked, header, "Content-Type: application/json; charset=utf-8")
		answer := decode[map[string]string](t, s.want(http.StatusOK, r))
		if len(answer) != 1 || answer["validationResponse"] != `512d38b6-"&` || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("answered %v %s", r.header, r.body)
		}
	}
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.delivered("/sources/grid/events", event("", `{}`), header))
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/"+intake.RejectsOf("grid"), ""))
	if got := s.summaryOf(s.delivered("/sources/other/events", asked, header)); got.Rejected != 1 {
		t.Errorf("%+v", got)
	}
	r := s.delivered("/sources/grid/events", event("acme", `{"n":1}`), "Aeg-Event-Type: Notification")
	if got := s.summaryOf(r); got.Stored != 1 || strings.Join(s.named("customer-acme"), "") !=
		`{"id":"2d1781af","n":1,"source":"/subscriptions/1"}` {
		t.Errorf("%+v, %v", got, s.named("customer-acme"))
	}
}

// TestEventGridAsksWithoutKey: the validation that comes without a key is answered for Event Grid alone, and alike for any source.
func TestEventGridAsksWithoutKey(t *testing.T) {
	d := openDoor(t)
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/named", `{"ready":"eventgrid","origins":["events.example.com"]}`))
	_, reader := d.keyIn("acme", "reader", "in-*", "read")
	ask := func(source, origin string, headers ...string) (allowed string) {
		r := d.call("OPTIONS", "/sources/"+source+"/events", "", append(headers, "WebHook-Request-Origin: "+origin)...)
		d.want(http.StatusOK, r)
		return r.header.Get("WebHook-Allowed-Origin")
	}
	for _, headers := range [][]string{nil, {"X-Api-Key: " + reader}, {"X-Api-Key: no key"}} {
		for _, source := range []string{"named", "nonesuch"} {
			if got := ask(source, "eventgrid.azure.net", headers...); got != "eventgrid.azure.net" {
				t.Errorf("Event Grid may ask %s: %q", source, got)
			}
			if got := ask(source, "events.example.com", headers...); got != "" {
				t.Errorf("somebody else may ask %s: %q", source, got)
			}
		}
	}
	if got := ask("named", "events.example.com", "X-Api-Key: "+d.owner); got != "events.example.com" {
		t.Errorf("who is named may ask: %q", got)
	}
	if got := ask("named", "eventgrid.azure.net", "X-Api-Key: "+d.owner); got != "" {
		t.Errorf("who is not named may ask: %q", got)
	}
	nonesuch := d.call("OPTIONS", "/sources/nonesuch/events", "", "X-Api-Key: "+d.owner)
	d.wantProblem(http.StatusNotFound, "source_not_found", nonesuch)
}
