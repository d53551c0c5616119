package demo

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// traceCSV is a real trace of requests to a language model; data/README.md names its source.
//
//go:embed data/azure-llm-2023-code.csv
var traceCSV []byte

// What the trace lacks is made up, the same in each run: customers take turns, in different shares, and so do teams.
var (
	customers = []string{"demo-acme", "demo-globex", "demo-initech"}
	turns     = []int{0, 1, 0, 2, 0, 1, 0, 1, 0, 2} // places in customers: 5, 3 and 2 of 10 requests
	teams     = []string{"search", "editor", "review"}
)

const (
	model       = "code"
	traceMonth  = "2023-11"
	traceEnd    = "2023-11-16T23:59:00Z" // queried with a day's minutes, it covers the whole trace
	traceLayout = "2006-01-02 15:04:05.0000000"
	source      = "azure-llm-2023-code"
)

// event is one request of the trace as it is appended. Source and ID are its idempotency key, if it has one.
type event struct {
	ID        string    `json:"id,omitempty"`
	Source    string    `json:"source,omitempty"`
	Type      string    `json:"type"`
	Time      time.Time `json:"time"`
	Endpoint  string    `json:"endpoint"`
	Model     string    `json:"model"`
	Team      string    `json:"team"`
	TokensIn  int64     `json:"tokens_in"`
	TokensOut int64     `json:"tokens_out"`
}

// request is an event on its way to its customer's log.
type request struct {
	customer            string
	body                []byte
	tokensIn, tokensOut int64
}

// readEvents returns the events of the embedded trace.
func readEvents() ([]event, error) {
	rows, err := csv.NewReader(bytes.NewReader(traceCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	rows = rows[1:] // the names of the columns
	events := make([]event, len(rows))
	for i, row := range rows {
		events[i] = event{
			ID: strconv.Itoa(i + 1), Source: source, Type: "llm.request", Endpoint: "/v1/generate", Model: model,
			Team: teams[i/len(turns)%len(teams)],
		}
		if err := events[i].read(row); err != nil {
			return nil, fmt.Errorf("reading request %d of the trace: %w", i+1, err)
		}
	}
	return events, nil
}

// readTrace returns the events of the embedded trace, on their way to their customers' logs.
func readTrace() ([]request, error) {
	events, err := readEvents()
	if err != nil {
		return nil, err
	}
	requests := make([]request, len(events))
	for i, e := range events {
		body, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("writing request %d as an event: %w", i+1, err)
		}
		requests[i] = request{customer: customers[turns[i%len(turns)]], body: body, tokensIn: e.TokensIn, tokensOut: e.TokensOut}
	}
	return requests, nil
}

// read parses one row: timestamp, tokens in, tokens out. The csv package has checked the number of columns.
func (e *event) read(row []string) (err error) {
	if e.Time, err = time.Parse(traceLayout, row[0]); err != nil {
		return err
	}
	if e.TokensIn, err = strconv.ParseInt(row[1], 10, 64); err != nil {
		return err
	}
	e.TokensOut, err = strconv.ParseInt(row[2], 10, 64)
	return err
}
