package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/views"
)

// spans is what a receiver of OTLP over HTTP has got.
type spans struct {
	mu      sync.Mutex
	byID    map[string]*otlp.Span
	service []string
	text    strings.Builder // all of it, as JSON
}

// receive runs a receiver until the test ends, and has servers that are started send to it.
func receive(t *testing.T) *spans {
	t.Helper()
	got := &spans{byID: map[string]*otlp.Span{}}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
			http.Error(w, "not OTLP", http.StatusBadRequest)
			return
		}
		got.add(&request)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(receiver.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	return got
}

func (s *spans) add(request *collector.ExportTraceServiceRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(protojson.Format(request))
	for _, resource := range request.GetResourceSpans() {
		for _, attribute := range resource.GetResource().GetAttributes() {
			if attribute.GetKey() == "service.name" {
				s.service = append(s.service, attribute.GetValue().GetStringValue())
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.byID[string(span.GetSpanId())] = span
			}
		}
	}
}

// path returns the names of a span and of those that it is in, from the outermost on.
func (s *spans) path(span *otlp.Span) string {
	if parent := s.byID[string(span.GetParentSpanId())]; parent != nil {
		return s.path(parent) + " > " + span.GetName()
	}
	return span.GetName()
}

// of returns the paths of a trace's spans, in order.
func (s *spans) of(trace string) (paths []string) {
	for _, span := range s.byID {
		if hex(span.GetTraceId()) == trace {
			paths = append(paths, s.path(span))
		}
	}
	slices.Sort(paths)
	return paths
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var text strings.Builder
	for _, c := range b {
		text.WriteString(digits[c>>4:][:1] + digits[c&15:][:1])
	}
	return text.String()
}

func (s *spans) attribute(span *otlp.Span, name string) string {
	for _, attribute := range span.GetAttributes() {
		if attribute.GetKey() == name {
			return attribute.GetValue().String()
		}
	}
	return ""
}

// TestTraces: the spans of an append and of a query are within their clients', and hold nothing that is secret.
func TestTraces(t *testing.T) {
	const (
		appending, querying = "11111111111111111111111111111111", "22222222222222222222222222222222"
		parent              = "00f067aa0ba902b7"
	)
	got := receive(t)
	t.Setenv("OTEL_SERVICE_NAME", "billing")
	w := startWatched(t, func(c *server.Config) { c.RequestLog = nil })
	w.want(http.StatusCreated, "POST", "/logs", `{"name": "s3cret-log"}`)
	w.want(http.StatusCreated, "POST", "/logs/s3cret-log/views/s3cret-view", string(views.MonthlyTotals()))
	w.want(http.StatusCreated, "POST", "/logs/s3cret-log/append", `{"type": "s3cret-event"}`) // the snapshot is in memory afterwards
	secrets := []string{
		"Authorization: Bearer s3cret-a", "X-Api-Key: s3cret-b",
		"Idempotency-Key: s3cret-c", "Baggage: s3cret=d", "User-Agent: s3cret-e",
	}
	w.want(http.StatusCreated, "POST", "/logs/s3cret-log/append", `{"type": "s3cret-event"}`,
		append(secrets, "Traceparent: 00-"+appending+"-"+parent+"-01")...)
	w.want(http.StatusOK, "GET", "/logs/s3cret-log/views/s3cret-view/query?month=2025-03", "",
		append(secrets[:2:2], "Traceparent: 00-"+querying+"-"+parent+"-01")...)
	w.want(http.StatusBadRequest, "GET", "/logs/s3cret-log/views/s3cret-view/query?s3cret=s3cret-f", "")
	w.want(http.StatusNotFound, "GET", "/logs/s3cret-log/views/no/query", "", "Traceparent: 00-"+strings.Repeat("3", 32)+"-"+parent+"-00")
	w.want(http.StatusOK, "GET", "/readyz", "")
	w.stop()

	const append1 = "POST /logs/{log}/append"
	want := []string{
		append1, append1 + " > append", append1 + " > append > group", append1 + " > append > group > commit",
		append1 + " > append > group > commit > batch", append1 + " > append > group > fold",
	}
	if paths := got.of(appending); !slices.Equal(paths, want) {
		t.Errorf("an append's spans are %q", paths)
	}
	const query = "GET /logs/{log}/views/{view}/query"
	if paths := got.of(querying); !slices.Equal(paths, []string{query, query + " > GetView"}) {
		t.Errorf("a query's spans are %q", paths)
	}
	if paths := got.of(strings.Repeat("3", 32)); len(paths) > 0 {
		t.Errorf("a trace that is not sampled has the spans %q", paths)
	}
	for _, span := range got.byID {
		if parentID := hex(span.GetParentSpanId()); span.GetKind() == otlp.Span_SPAN_KIND_SERVER && hex(span.GetTraceId()) == appending {
			if parentID != parent || !strings.Contains(got.attribute(span, "http.response.status_code"), "201") ||
				!strings.Contains(got.attribute(span, "http.route"), "/logs/{log}/append") {
				t.Errorf("the server's span is %v", span)
			}
		}
		if span.GetName() == "group" && !strings.Contains(got.attribute(span, "tally.group.events"), "1") {
			t.Errorf("a group's span is %v", span)
		}
		if strings.Contains(span.GetName(), "readyz") || span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() {
			t.Errorf("there is a span %v", span)
		}
	}
	if text := got.text.String(); strings.Contains(text, "s3cret") {
		t.Errorf("a span holds a secret: %s", text)
	}
	if !slices.Contains(got.service, "billing") {
		t.Errorf("the service is %q", got.service)
	}
	if lines := w.logLines("sending traces by OTLP over HTTP"); len(lines) != 1 {
		t.Errorf("the log says %v", lines)
	}
}

// TestGroupsOfTraces: the span of a group is in the trace of one of its requests, and linked with the spans of the others, both ways.
func TestGroupsOfTraces(t *testing.T) {
	const requests = 40
	got := receive(t)
	w := startWatched(t, func(c *server.Config) { c.Lanes, c.RequestLog = 1, nil })
	w.want(http.StatusCreated, "POST", "/logs", `{"name": "acme"}`)
	var sending sync.WaitGroup
	for range requests {
		sending.Go(func() {
			if status, text := w.call("POST", w.s.URL()+"/logs/acme/append", `{}`); status != http.StatusCreated {
				t.Errorf("%d, %s", status, text)
			}
		})
	}
	sending.Wait()
	w.stop()
	groups, linked, within := 0, 0, 0
	for _, span := range got.byID {
		switch span.GetName() {
		case "group":
			groups++
			for _, link := range span.GetLinks() {
				other := got.byID[string(link.GetSpanId())]
				if other.GetName() != "append" || !slices.ContainsFunc(other.GetLinks(), func(back *otlp.Span_Link) bool {
					return string(back.GetSpanId()) == string(span.GetSpanId())
				}) {
					t.Errorf("a group is linked with %v", other)
				}
				linked++
			}
			if got.byID[string(span.GetParentSpanId())].GetName() == "append" {
				within++
			}
		case "append":
			if got.attribute(span, "tally.append.wait") == "" {
				t.Errorf("an append does not say how long it waited: %v", span)
			}
		}
	}
	if groups == requests || within != groups || linked+within != requests {
		t.Errorf("%d groups, %d of them within an append, with %d links, of %d requests", groups, within, linked, requests)
	}
}

// TestTracesAreOptional: an environment that asks for none, or for what there is not, starts nothing, and says so where it seems a mistake.
func TestTracesAreOptional(t *testing.T) {
	for name, test := range map[string]struct {
		set  map[string]string
		says string
	}{
		"nothing":  {},
		"none":     {set: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}},
		"disabled": {set: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}},
		"console":  {set: map[string]string{"OTEL_TRACES_EXPORTER": "console"}, says: "none of otlp, none"},
		"grpc": {
			set:  map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
			says: "must be http/protobuf",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range test.set {
				t.Setenv(variable, value)
			}
			w := startWatched(t)
			w.want(http.StatusOK, "GET", "/logs", "")
			w.stop()
			switch text := w.log.String(); {
			case strings.Contains(text, "sending traces"), test.says == "" && strings.Contains(text, "traces"):
				t.Errorf("the log says %s", text)
			case !strings.Contains(text, test.says):
				t.Errorf("the log does not say %q: %s", test.says, text)
			}
			if lines := w.logLines("request"); len(lines) != 1 || lines[0]["trace_id"] != nil {
				t.Errorf("the lines are %v", lines)
			}
		})
	}
}
