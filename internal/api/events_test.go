package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// readEvent is an event as it is returned.
type readEvent struct {
	Sequence   int64
	Time       time.Time
	RecordedAt time.Time `json:"recorded_at"`
	Type, Key  string
	Hash       string
	Data       json.RawMessage
	Raw        *string
}

// sent is the event's bytes as they were sent.
func (e *readEvent) sent() string {
	if e.Raw != nil {
		return *e.Raw
	}
	return string(e.Data)
}

type eventsPage struct {
	Events     []readEvent
	NextCursor string `json:"next_cursor"`
}

// oddEvents are events whose bytes are easy to lose.
var oddEvents = []string{
	"{\r\n  \"a\": 1,\n\t\"b\": \"x\"\n}", `{"n":123456789012345678901234567890.10,"n":2}`, `{"type":"ty,p\"e","id":"k\"1"}`,
	` {"s":"\u0000\u2028é😀\\n"} `, `{}`,
}

// logWithEvents makes a log of n events of three types, with times about a day and odd bytes among them, and returns what was sent.
func (s *service) logWithEvents(name string, n int) (sent []string) {
	s.t.Helper()
	random := rand.New(rand.NewPCG(7, uint64(n)))
	for i := range n {
		if i%10 == 3 {
			sent = append(sent, strings.Replace(oddEvents[i/10%len(oddEvents)], `"k\"1"`, `"k\"`+strconv.Itoa(i)+`"`, 1))
			continue
		}
		at := time.Date(2025, 3, 1, random.IntN(24), random.IntN(60), 0, random.IntN(1e9), time.UTC)
		kind := []string{"a", "b", "c"}[random.IntN(3)]
		sent = append(sent, fmt.Sprintf(`{"type":%q,"time":%q,"n":%d}`, kind, at.Format(time.RFC3339Nano), i))
	}
	s.createLog(name)
	for _, event := range sent {
		s.append(name, event)
	}
	return sent
}

// stream reads a whole range, by lines.
func (s *service) stream(log, query string) (events []readEvent) {
	s.t.Helper()
	body := s.want(http.StatusOK, s.call("GET", "/logs/"+log+"/events?stream=true&format=ndjson&"+query, ""))
	for line := range bytes.Lines(body) {
		events = append(events, decode[readEvent](s.t, line))
	}
	return events
}

// pages reads a range page by page.
func (s *service) pages(log, query string, limit int) (events []readEvent) {
	s.t.Helper()
	for cursor := ""; ; {
		path := "/logs/" + log + "/events?limit=" + strconv.Itoa(limit) + "&" + query
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		page := decode[eventsPage](s.t, s.want(http.StatusOK, s.call("GET", path, "")))
		if len(page.Events) > limit {
			s.t.Fatalf("a page of %d has %d events", limit, len(page.Events))
		}
		events = append(events, page.Events...)
		if cursor = page.NextCursor; cursor == "" {
			return events
		}
	}
}

func numbers(events []readEvent) []int64 {
	found := make([]int64, len(events))
	for i, e := range events {
		found[i] = e.Sequence
	}
	return found
}

// TestEventsFilters holds ranges and filters against a model, in pages of several sizes and as a stream.
func TestEventsFilters(t *testing.T) {
	t.Parallel()
	s := start(t)
	const n = 400
	s.logWithEvents("acme", n)
	all := s.stream("acme", "")
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		query := url.Values{}
		keep := []func(e *readEvent) bool{}
		if random.IntN(2) == 0 {
			from, to := 1+random.Int64N(n), 1+random.Int64N(n)
			from, to = min(from, to), max(from, to)
			if random.IntN(2) == 0 {
				query.Set("from", strconv.FormatInt(from, 10))
			} else {
				query.Set("after", strconv.FormatInt(from-1, 10))
			}
			query.Set("to", strconv.FormatInt(to, 10))
			keep = append(keep, func(e *readEvent) bool { return e.Sequence >= from && e.Sequence <= to })
		}
		if random.IntN(2) == 0 {
			wanted := []string{"a", "b", "c", "ty,p\"e", "none"}[random.IntN(5)]
			query.Set("type", wanted)
			keep = append(keep, func(e *readEvent) bool { return e.Type == wanted })
		}
		for name, of := range map[string]func(*readEvent) time.Time{
			"time":     func(e *readEvent) time.Time { return e.Time },
			"recorded": func(e *readEvent) time.Time { return e.RecordedAt },
		} {
			if random.IntN(3) > 0 {
				continue
			}
			from, to := of(&all[random.IntN(n)]), of(&all[random.IntN(n)])
			if !from.Before(to) {
				from, to = to, from.Add(time.Microsecond)
			}
			query.Set(name+"_from", from.Format(time.RFC3339Nano))
			query.Set(name+"_to", to.Format(time.RFC3339Nano))
			keep = append(keep, func(e *readEvent) bool { return !of(e).Before(from) && of(e).Before(to) })
		}
		want := []int64{}
		for i := range all {
			if !slices.ContainsFunc(keep, func(f func(*readEvent) bool) bool { return !f(&all[i]) }) {
				want = append(want, all[i].Sequence)
			}
		}
		if got := numbers(s.stream("acme", query.Encode())); !slices.Equal(got, want) {
			t.Errorf("%s: the stream has %v, want %v", query.Encode(), got, want)
		}
		if got := numbers(s.pages("acme", query.Encode(), 1+random.IntN(150))); !slices.Equal(got, want) {
			t.Errorf("%s: the pages have %v, want %v", query.Encode(), got, want)
		}
	}
}

// TestEventsAreWhatWasSent: every format gives back the bytes, whatever they are.
func TestEventsAreWhatWasSent(t *testing.T) {
	s := start(t)
	sent := s.logWithEvents("acme", 120)
	lines := s.stream("acme", "")
	array := decode[[]readEvent](t, s.want(http.StatusOK, s.call("GET", "/logs/acme/events?stream=true", "")))
	reader := csv.NewReader(bytes.NewReader(s.want(http.StatusOK, s.call("GET", "/logs/acme/events?stream=true", "", "Accept: text/csv"))))
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(sent) || len(array) != len(sent) || len(rows) != len(sent)+1 {
		t.Fatalf("%d lines, %d elements, %d rows; %d events were sent", len(lines), len(array), len(rows), len(sent))
	}
	for i, want := range sent {
		want = strings.Trim(want, " \t\r\n") // what is around an event is no part of it
		one := decode[readEvent](t, s.want(http.StatusOK, s.call("GET", "/logs/acme/events/"+strconv.Itoa(i+1), "")))
		// encoding/csv reads a line break in a field as \n.
		inCSV := strings.ReplaceAll(rows[i+1][6], "\r\n", "\n")
		if lines[i].sent() != want || array[i].sent() != want ||
			inCSV != strings.ReplaceAll(want, "\r\n", "\n") || one.sent() != array[i].sent() {
			t.Errorf("event %d was sent as %q; as a line %q, in the array %q, in CSV %q",
				i+1, want, lines[i].sent(), array[i].Data, rows[i+1][6])
		}
		if lines[i].Sequence != int64(i+1) || one.Hash != lines[i].Hash || rows[i+1][5] != one.Hash || rows[i+1][4] != lines[i].Key ||
			array[i].Key != one.Key {
			t.Errorf("event %d differs between formats: %+v, %v", i+1, lines[i], rows[i+1])
		}
	}
	if head := s.head("acme"); lines[len(lines)-1].Hash != head.Hash {
		t.Error("the last event's hash is not the head's")
	}
}

// TestEventsCompressed: a response is compressed for clients that ask for that, and only for them.
func TestEventsCompressed(t *testing.T) {
	s := start(t)
	s.logWithEvents("acme", 200)
	const events = "/logs/acme/events"
	for _, path := range []string{events + "?stream=true&format=ndjson", events, events + "?stream=true&format=csv"} {
		plain := s.call("GET", path, "", "Accept-Encoding: identity")
		for encoding, open := range map[string]func(io.Reader) (io.Reader, error){
			"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
			"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
		} {
			r := s.call("GET", path, "", "Accept-Encoding: "+encoding)
			if got := r.header.Get("Content-Encoding"); got != encoding || r.header.Get("Vary") == "" || len(r.body) >= len(plain.body) {
				t.Fatalf("%s asked for in %s is %q, varies by %q, and has %d bytes", path, encoding, got, r.header.Get("Vary"), len(r.body))
			}
			reader, err := open(bytes.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			if content, err := io.ReadAll(reader); err != nil || !bytes.Equal(content, plain.body) {
				t.Errorf("%s in %s: %v, and other bytes than without", path, encoding, err)
			}
		}
		if plain.header.Get("Content-Encoding") != "" {
			t.Error("compressed for a client that does not want it")
		}
	}
}

func TestEventsRefusals(t *testing.T) {
	s := start(t)
	s.logWithEvents("acme", 30)
	s.logWithEvents("other", 30)
	s.createLog("empty")
	page := decode[eventsPage](t, s.want(http.StatusOK, s.call("GET", "/logs/acme/events?limit=10&type=a", "")))
	cursor := page.NextCursor
	for path, want := range map[string]struct {
		status int
		code   string
		words  []string
	}{
		"/logs/none/events":                              {404, "log_not_found", nil},
		"/logs/none/events/1":                            {404, "log_not_found", nil},
		"/logs/acme/events/31":                           {404, "sequence_not_found", []string{"30"}},
		"/logs/empty/events/1":                           {404, "sequence_not_found", []string{"0"}},
		"/logs/acme/events/0":                            {422, "invalid_request", nil},
		"/logs/acme/events/x":                            {422, "invalid_request", nil},
		"/logs/acme/events?from=32":                      {404, "sequence_not_found", []string{"30"}},
		"/logs/acme/events?after=31":                     {404, "sequence_not_found", []string{"30"}},
		"/logs/acme/events?from=9&to=8":                  {400, "crossed_range", []string{"9", "8"}},
		"/logs/acme/events?from=9&after=8":               {400, "invalid_range", []string{"after"}},
		"/logs/acme/events?time_from=yesterday":          {400, "invalid_range", []string{"time_from", "RFC 3339"}},
		"/logs/acme/events?recorded_to=2025-03":          {400, "invalid_range", []string{"recorded_to"}},
		"/logs/acme/events?limit=0":                      {422, "invalid_request", nil},
		"/logs/acme/events?limit=10001":                  {422, "invalid_request", nil},
		"/logs/acme/events?format=xml":                   {400, "unsupported_format", []string{"xml", "ndjson"}},
		"/logs/acme/events?stream=true&limit=5":          {400, "invalid_range", []string{"stream"}},
		"/logs/acme/events?cursor=AAAA":                  {400, "invalid_cursor", nil},
		"/logs/acme/events?cursor=" + cursor:             {400, "invalid_cursor", nil}, // another filter
		"/logs/acme/events?type=a&cursor=B" + cursor[1:]: {400, "invalid_cursor", nil}, // another place
		"/logs/acme/events?after=9223372036854775807":    {404, "sequence_not_found", []string{"30"}},
		"/logs/acme/events?typ=a":                        {400, "invalid_parameter", []string{`"typ"`, "type"}},
		"/logs/acme/events?type=%00":                     {400, "invalid_event_type", []string{"U+0000"}},
		"/logs/acme/events?type=%ff":                     {400, "invalid_event_type", []string{"UTF-8"}},
		"/logs/other/events?type=a&cursor=" + cursor:     {400, "invalid_cursor", nil},
		"/logs/acme/events?time_from=2025-03-02T00:00:00Z&time_to=2025-03-01T00:00:00Z": {
			400, "crossed_range", []string{"time_from"},
		},
		"/logs/acme/events?recorded_from=2025-03-02T00:00:00Z&recorded_to=2025-03-02T00:00:00Z": {
			400, "crossed_range", []string{"recorded_from"},
		},
	} {
		s.wantProblem(want.status, want.code, s.call("GET", path, ""), want.words...)
	}
	s.wantProblem(http.StatusNotAcceptable, "not_acceptable", s.call("GET", "/logs/acme/events", "", "Accept: application/xml"), "ndjson")
	if got := s.want(http.StatusOK, s.call("GET", "/logs/empty/events", "")); string(got) != "{\"events\":[]}\n" {
		t.Errorf("an empty log's page is %s", got)
	}
	if got := s.stream("empty", ""); len(got) != 0 {
		t.Errorf("an empty log's stream has %v", got)
	}
	s.want(http.StatusOK, s.call("GET", "/logs/acme/events?from=31", "")) // the next one to come
}

// TestCSVForSpreadsheets: CSV is for spreadsheets unless csv=raw is set, on pages and streams.
func TestCSVForSpreadsheets(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{"type":"=HYPERLINK(1)","id":"+1"}`)
	for _, more := range []string{"", "&stream=true"} {
		people := string(s.want(http.StatusOK, s.call("GET", "/logs/acme/events?format=csv"+more, "")))
		programs := string(s.want(http.StatusOK, s.call("GET", "/logs/acme/events?csv=raw"+more, "", "Accept: text/csv")))
		if !strings.Contains(people, ",'=HYPERLINK(1),'+1,") || !strings.Contains(programs, ",=HYPERLINK(1),+1,") {
			t.Errorf("for people %q, for programs %q", people, programs)
		}
	}
	s.wantProblem(http.StatusBadRequest, "unsupported_format", s.call("GET", "/logs/acme/events?csv=raw", ""), "format=csv")
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("GET", "/logs/acme/events?format=csv&csv=safe", ""), "raw")
}

// TestEveryRFC3339Time: small letters and leap seconds are times, in events and in filters; one does not refuse a whole batch.
func TestEveryRFC3339Time(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	batch := `[{"time":"2016-12-31T23:59:60Z"},{"time":"2017-01-01t00:00:00z"},` +
		`{"time":"2016-12-31t23:59:60.5z"},{"time":"2017-01-01T05:29:59+05:30"}]`
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", batch))
	times := func(query string) (all []string) {
		t.Helper()
		page := decode[struct{ Events []struct{ Time string } }](t, s.want(http.StatusOK, s.call("GET", "/logs/acme/events?"+query, "")))
		for _, e := range page.Events {
			all = append(all, e.Time)
		}
		return all
	}
	want := []string{"2017-01-01T00:00:00Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:00.5Z", "2016-12-31T23:59:59Z"}
	if got := times(""); !slices.Equal(got, want) {
		t.Errorf("the times are %q, want %q", got, want)
	}
	if got := times("time_from=2016-12-31t23:59:60z&time_to=2016-12-31T23:59:60.25Z"); len(got) != 2 {
		t.Errorf("at the leap second are %q", got)
	}
	for _, text := range []string{"2016-12-31T23:58:60Z", "2016-12-31T24:00:00Z", "2016-12-31%2023:59:59Z", "2016-12-31T1:00:00Z"} {
		s.wantProblem(http.StatusBadRequest, "invalid_range", s.call("GET", "/logs/acme/events?recorded_from="+text, ""), "RFC 3339")
	}
}

// TestEventsPagesHoldWhileAppending: what is appended while somebody reads in pages comes after what is there, once.
func TestEventsPagesHoldWhileAppending(t *testing.T) {
	s := start(t)
	s.logWithEvents("acme", 50)
	cursor, seen := "", []int64{}
	for i := range 60 {
		path := "/logs/acme/events?limit=7"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		page := decode[eventsPage](t, s.want(http.StatusOK, s.call("GET", path, "")))
		seen = append(seen, numbers(page.Events)...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
		if i < 20 {
			s.append("acme", `{}`)
			s.append("acme", `{}`)
		}
	}
	for i, sequence := range seen {
		if sequence != int64(i+1) {
			t.Fatalf("place %d has sequence %d", i, sequence)
		}
	}
	if head := s.head("acme"); int64(len(seen)) != head.Sequence {
		t.Errorf("%d events were read; the log has %d", len(seen), head.Sequence)
	}
}
