package main

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/views/go/tally"
)

func TestLimit(t *testing.T) {
	log, err := tally.NewTestLog(`{"limit":10}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		event, answer string
		status        int
		seconds       int64
		last          int64
	}{
		{`{"team":"a","tokens":8}`, `{"remaining":2}`, 0, 0, 1},
		{`{"team":"a","tokens":"2.5"}`, `{"limit":10,"used":8,"resets_at":"2025-03-02T00:00:00Z"}`, 429, 50070, 1},
		{`{"team":"b","tokens":2.5}`, `{"remaining":7.5}`, 0, 0, 2},
		{`{"team":"b","tokens":11}`, `{"limit":10}`, tally.Forbidden, 0, 2},
		{`{"team":{},"tokens":1}`, `{"reason":"team_not_text"}`, tally.Conflict, 0, 2},
		{`{"team":"a","tokens":2}`, `{"remaining":0}`, 0, 0, 3},
	} {
		verdict, err := log.Append(tt.event)
		if err != nil || verdict.Status() != tt.status || string(verdict.Answer()) != tt.answer || verdict.RetryAfter() != tt.seconds {
			t.Errorf("%s: %d %s %d, %v", tt.event, verdict.Status(), verdict.Answer(), verdict.RetryAfter(), err)
		}
		if log.Last() != tt.last {
			t.Errorf("%s: the last event is %d, not %d", tt.event, log.Last(), tt.last)
		}
	}
	log.Now += tally.Day
	if verdict, err := log.Append(`{"team":"a","tokens":10}`); err != nil || verdict.Status() != 0 {
		t.Errorf("the next day: %v, %v", verdict, err)
	}
	if _, err := log.Append(`{"team":"a"}`); !errors.Is(err, tally.Ignored) {
		t.Errorf("an event without tokens: %v", err)
	}
	const want = `{"2025-03-01/a":{"tokens":10},"2025-03-01/b":{"tokens":2.5},"2025-03-02/a":{"tokens":10}}`
	if got, err := log.Query(""); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := tally.NewTestLog(`{"limit":-1}`); err == nil {
		t.Error("a limit below 0 is taken")
	}
}
