package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/views"
)

// meter deploys a meter on a log of its own, as the view meter.
func (s *service) meter(log, config string) {
	s.t.Helper()
	s.createLog(log)
	s.want(http.StatusCreated, s.call("POST", "/logs/"+log+"/views/meter?config="+url.QueryEscape(config), string(views.Meter())))
}

// meterRow is a row of a meter's answer; decimals are texts, nil where there is none.
type meterRow struct {
	From, To                       *time.Time
	Group                          map[string]*string
	Count, Unique                  int
	Sum, Min, Max, Average, Latest *string
}

func (s *service) rows(log, query string) []meterRow {
	s.t.Helper()
	return decode[struct{ Rows []meterRow }](s.t, s.want(http.StatusOK, s.call("GET", "/logs/"+log+"/views/meter/query?"+query, ""))).Rows
}

// wantRow wants an answer of one row, written like this.
func (s *service) wantRow(log, query, want string) {
	s.t.Helper()
	answer := decode[struct{ Rows []json.RawMessage }](s.t,
		s.want(http.StatusOK, s.call("GET", "/logs/"+log+"/views/meter/query?"+query, "")))
	if len(answer.Rows) != 1 || string(answer.Rows[0]) != want {
		s.t.Errorf("?%s: %s, want the row %s", query, answer.Rows, want)
	}
}

func decimal(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

const durationMeter = `{"type":"request","value":"/data/duration_ms","aggregations":["sum","count"],"resolution":"minute"}`

// durations are 1,000 events whose values are "1" to "100", ten times over, spread over thirty days before and after a time.
func durations() []string {
	middle := time.Date(2025, 3, 15, 12, 0, 0, 0, time.UTC)
	events := make([]string, 1000)
	for i := range events {
		happened := middle.Add(time.Duration(i-len(events)/2) * 60 * 24 * time.Hour / 1000)
		events[i] = fmt.Sprintf(`{"id":"%d","source":"suite","type":"request","time":"%s","data":{"duration_ms":"%d"}}`,
			i, happened.Format(time.RFC3339), i%100+1)
	}
	return events
}

const sumOfDurations = `{"from":null,"to":null,"sum":"50500","count":1000}`

func TestMeterCountsSingleEvents(t *testing.T) {
	s := start(t)
	s.meter("single", durationMeter)
	for _, event := range durations() {
		s.append("single", event)
	}
	s.wantRow("single", "", sumOfDurations)
	if rows := s.rows("single", "window=day"); len(rows) != 60 && len(rows) != 61 {
		t.Errorf("events of 60 days are in %d days", len(rows))
	}
}

func TestMeterCountsABatch(t *testing.T) {
	s := start(t)
	s.meter("batch", durationMeter)
	s.want(http.StatusCreated, s.call("POST", "/logs/batch/append_batch", strings.Join(durations(), "\n")))
	s.wantRow("batch", "", sumOfDurations)
}

func TestMeterCountsPlainJSON(t *testing.T) {
	s := start(t)
	s.meter("plain", durationMeter)
	const event = `{"type":"request","data":{"duration_ms":"100"}}`
	s.append("plain", event)
	s.want(http.StatusCreated, s.call("POST", "/logs/plain/append_batch", "["+event+","+event+"]"))
	s.wantRow("plain", "aggregation=sum", `{"from":null,"to":null,"sum":"300"}`)
}

func TestMeterSeesNothingOfBadInput(t *testing.T) {
	s := start(t)
	s.meter("bad", durationMeter)
	for _, body := range []string{`<?xml version="1.0"?><event/>`, `"text"`, `7`, `null`, `{"type":"request"`} {
		for _, path := range []string{"/logs/bad/append", "/logs/bad/append_batch"} {
			if r := s.call("POST", path, body); r.status != http.StatusBadRequest {
				t.Errorf("POST %s %s is answered with %d", path, body, r.status)
			}
		}
	}
	if got := s.head("bad").Sequence; got != 0 {
		t.Errorf("%d events are stored", got)
	}
	s.wantRow("bad", "aggregation=count", `{"from":null,"to":null,"count":0}`)
}

func TestMeterTellsWhatItCouldNotCount(t *testing.T) {
	s := start(t)
	s.meter("uncounted", durationMeter)
	for _, data := range []string{
		`,"data":null`, ``, `,"data":{}`, `,"data":{"duration_ms":"NaN"}`, `,"data":{"duration_ms":"Inf"}`, `,"data":{"duration_ms":"100"}`,
	} {
		s.append("uncounted", `{"type":"request","time":"2025-03-01T10:00:00Z"`+data+`}`)
	}
	if got := s.head("uncounted").Sequence; got != 6 {
		t.Errorf("%d of 6 events are stored", got)
	}
	s.wantRow("uncounted", "aggregation=sum", `{"from":null,"to":null,"sum":"100"}`)
	got := string(s.want(http.StatusOK, s.call("GET", "/logs/uncounted/views/meter/query?uncounted", "")))
	entry := func(sequence int, rest string) string {
		return fmt.Sprintf(`{"sequence":%d,"time":"2025-03-01T10:00:00Z",%s}`, sequence, rest)
	}
	missing, notANumber := `"reason":"value_missing","field":"/data/duration_ms"`,
		`"reason":"value_not_a_number","field":"/data/duration_ms","found":`
	want := `{"count":{"value_missing":3,"value_not_a_number":2},"last":[` + strings.Join([]string{
		entry(1, missing), entry(2, missing), entry(3, missing), entry(4, notANumber+`"NaN"`), entry(5, notANumber+`"Inf"`),
	}, ",") + `]}`
	if got != want {
		t.Errorf("uncounted:\n%s\nwant\n%s", got, want)
	}
}

// TestMeterCountsDuplicatesOnce: of 1,000 events with one id and source, one is stored and counted. The same event again is
// answered with its sequence; with another time it is another payload, and refused.
func TestMeterCountsDuplicatesOnce(t *testing.T) {
	s := start(t)
	s.meter("duplicates", `{"type":"request"}`)
	for i := range 1000 {
		r := s.call("POST", "/logs/duplicates/append",
			fmt.Sprintf(`{"id":"same","source":"suite","type":"request","time":"2025-03-01T10:00:%02dZ"}`, i/2%60))
		switch {
		case i == 0:
			s.want(http.StatusCreated, r)
		case i/2%60 == 0:
			s.want(http.StatusOK, r)
		default:
			s.wantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused", r)
		}
	}
	s.wantRow("duplicates", "", `{"from":null,"to":null,"count":1}`)
}

func TestMeterWindows(t *testing.T) {
	s := start(t)
	s.meter("windows", `{"value":"/value","aggregations":["sum"],"group_by":{"customer":"/customer"},"resolution":"minute"}`)
	first := time.Date(2025, 3, 15, 10, 0, 0, 0, time.UTC)
	var events []string
	for customer := 1; customer <= 5; customer++ {
		for _, later := range []time.Duration{0, time.Minute, time.Hour, 24 * time.Hour} {
			at := first.Add(later).Format(time.RFC3339)
			events = append(events, fmt.Sprintf(`{"customer":"customer-%d","value":100,"time":"%s"}`, customer, at))
		}
	}
	s.want(http.StatusCreated, s.call("POST", "/logs/windows/append_batch", strings.Join(events, "\n")))

	s.wantRow("windows", "", `{"from":null,"to":null,"sum":"2000"}`)
	s.wantRow("windows", "customer=customer-3", `{"from":null,"to":null,"sum":"400"}`)
	for window, want := range map[string]string{"minute": "[500 500 500 500]", "hour": "[1000 500 500]", "day": "[1500 500]"} {
		var sums, csv []string
		for _, row := range s.rows("windows", "window="+window) {
			sums = append(sums, decimal(row.Sum))
			csv = append(csv, row.From.Format(time.RFC3339)+","+row.To.Format(time.RFC3339)+","+decimal(row.Sum)+",\r\n")
		}
		if got := fmt.Sprint(sums); got != want {
			t.Errorf("by %s: %s, want %s", window, got, want)
		}
		r := s.call("GET", "/logs/windows/views/meter/query?format=csv&window="+window, "")
		csv[len(csv)-1] = strings.TrimSuffix(csv[len(csv)-1], "\r\n") + "0\r\n" // nothing is uncounted, the last row says
		got, want := string(s.want(http.StatusOK, r)), "from,to,sum,uncounted\r\n"+strings.Join(csv, "")
		if got != want || !strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") {
			t.Errorf("as CSV by %s: %q as %s, want %q", window, got, r.header.Get("Content-Type"), want)
		}
	}
	groups := map[string]string{}
	for _, row := range s.rows("windows", "group_by=customer") {
		groups[decimal(row.Group["customer"])] = decimal(row.Sum)
	}
	if got := fmt.Sprint(groups); got != "map[customer-1:400 customer-2:400 customer-3:400 customer-4:400 customer-5:400]" {
		t.Errorf("by customer: %s", got)
	}
}

func TestMeterWindowsWhereClocksChange(t *testing.T) {
	const name = "America/Los_Angeles"
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t)
	for log, days := range map[string]struct {
		first, changed time.Time
		hours          time.Duration
	}{
		"spring": {time.Date(2025, 3, 6, 10, 0, 0, 0, zone), time.Date(2025, 3, 9, 0, 0, 0, 0, zone), 23},
		"autumn": {time.Date(2025, 10, 30, 10, 0, 0, 0, zone), time.Date(2025, 11, 2, 0, 0, 0, 0, zone), 25},
	} {
		s.meter(log, `{"resolution":"hour"}`)
		for i := range 7 {
			s.append(log, `{"time":"`+days.first.AddDate(0, 0, i).Format(time.RFC3339)+`"}`)
		}
		rows := s.rows(log, "window=day&timezone="+name)
		if len(rows) != 7 {
			t.Fatalf("%s: %d days", log, len(rows))
		}
		for i, row := range rows {
			midnight := time.Date(days.first.Year(), days.first.Month(), days.first.Day()+i, 0, 0, 0, 0, zone)
			want := 24 * time.Hour
			if midnight.Equal(days.changed) {
				want = days.hours * time.Hour
			}
			if !row.From.Equal(midnight) || row.To.Sub(*row.From) != want || row.Count != 1 || i > 0 && !rows[i-1].To.Equal(*row.From) {
				t.Errorf("%s: day %d is %s to %s with %d events; it begins %s and has %s",
					log, i, row.From, row.To, row.Count, midnight, want)
			}
		}
	}
}

func TestMeterNumberForms(t *testing.T) {
	s := start(t)
	s.meter("forms", `{"value":"/value","aggregations":["sum","count","min","max","average","latest"]}`)
	for i, value := range []string{`123`, `"0.4567890123456789"`, `null`} {
		s.append("forms", fmt.Sprintf(`{"time":"2025-03-01T10:00:0%dZ","value":%s}`, i, value))
	}
	s.wantRow("forms", "", `{"from":null,"to":null,"sum":"123.4567890123456789","count":3,"min":"0.4567890123456789","max":"123",`+
		`"average":"61.72839450617283945","latest":"0.4567890123456789"}`)
}

func TestMeterOfAnEmptyRange(t *testing.T) {
	s := start(t)
	s.meter("empty", `{"value":"/value","unique":"/user","aggregations":["count","unique","sum","min","max","average","latest","p50"]}`)
	s.append("empty", `{"time":"2025-03-01T10:00:00Z","value":1,"user":"a"}`)
	const from = `"from":"2025-04-01T00:00:00Z","to":null`
	s.wantRow("empty", "from=2025-04-01&aggregation=count", `{`+from+`,"count":0}`)
	s.wantRow("empty", "from=2025-04-01&aggregation=unique", `{`+from+`,"unique":0}`)
	for _, aggregation := range []string{"sum", "min", "max", "average", "latest", "p50"} {
		if rows := s.rows("empty", "from=2025-04-01&aggregation="+aggregation); len(rows) != 0 {
			t.Errorf("%s of nothing is %v", aggregation, rows)
		}
	}
}
