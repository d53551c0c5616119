package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestAppendAnswers: 201 for what is new, 200 for what was there, with the same sequence for ever.
func TestAppendAnswers(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	for i, event := range []string{`{"n":1}`, " { \"n\" : 1.0 } ", `{"type":"a","time":"2025-03-01T10:05:30Z"}`} {
		if got := s.append("acme", event); got.Sequence != int64(i+1) || got.Duplicate {
			t.Errorf("append %d: %+v", i+1, got)
		}
	}
	if got := s.append(id, `{"n":4}`, "Idempotency-Key: k", "Expected-Sequence: 3"); got.Sequence != 4 {
		t.Errorf("append by id: %+v", got)
	}
	retry := decode[appended](t, s.want(http.StatusOK,
		s.call("POST", "/logs/acme/append", `{"n":4}`, "Idempotency-Key: k", "Expected-Sequence: 3")))
	if retry.Sequence != 4 || !retry.Duplicate {
		t.Errorf("a retry: %+v", retry)
	}
	want := []string{`{"n":1}`, `{ "n" : 1.0 }`, `{"type":"a","time":"2025-03-01T10:05:30Z"}`, `{"n":4}`}
	if got := s.events(id); !slices.Equal(got, want) {
		t.Errorf("stored are %q, want %q", got, want)
	}
	if got := s.head("acme"); got.Sequence != 4 || len(got.Hash) != 64 {
		t.Errorf("the head is %+v", got)
	}
}

// TestIdentity: an event's id is its identity, whatever key comes beside it and whether it comes alone or in a batch; a header's key stands
// in where there is no id; white space around the object is no part of it.
func TestIdentity(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	post := func(path, body string, headers ...string) appended {
		t.Helper()
		r := s.call("POST", "/logs/acme/"+path, body, headers...)
		if r.status != http.StatusOK && r.status != http.StatusCreated {
			t.Fatalf("%s %q %q is answered %d: %s", path, body, headers, r.status, r.body)
		}
		return decode[appended](t, r.body)
	}
	retries := func(sequence int64, body, key string) {
		t.Helper()
		for _, headers := range [][]string{{}, {"Idempotency-Key: " + key}, {"Idempotency-Key: a third"}} {
			for _, sent := range []string{body, body + "\n", " \r\n\t" + body + " \r\n"} {
				if got := post("append", sent, headers...); got.Sequence != sequence || !got.Duplicate {
					t.Errorf("append %q %q: %+v, want the duplicate of %d", sent, headers, got, sequence)
				}
			}
			for _, batch := range []string{body, body + "\n", "[" + body + "]", "[\n  " + body + "\n]\n", "\n" + body + "\r\n" + body} {
				got := post("append_batch", batch, headers...)
				if got.Appended != 0 || got.FirstSequence != sequence || got.LastSequence != sequence {
					t.Errorf("append_batch %q %q: %+v, want duplicates of %d", batch, headers, got, sequence)
				}
			}
		}
	}
	post("append", `{"id":"e1","source":"s","n":1}`, "Idempotency-Key: one")
	retries(1, `{"id":"e1","source":"s","n":1}`, "one")
	post("append", `{"id":"e2","n":2}`+"\n", "Idempotency-Key: two")
	retries(2, `{"id":"e2","n":2}`, "two")
	post("append_batch", `{"id":"e3","n":3}`+"\n", "Idempotency-Key: three")
	retries(3, `{"id":"e3","n":3}`, "three")
	post("append", `{"id":"e4","n":4}`)
	retries(4, `{"id":"e4","n":4}`, "four")

	// The header stands in for the event of a batch that has no id, by its place.
	batch := "{\"n\":5}\n{\"id\":\"e6\"}\n{\"n\":7}\n"
	if got := post("append_batch", batch, "Idempotency-Key: mixed"); got.Appended != 3 || got.FirstSequence != 5 {
		t.Errorf("a batch with and without ids: %+v", got)
	}
	if got := post("append_batch", batch, "Idempotency-Key: mixed"); got.Appended != 0 || got.LastSequence != 7 {
		t.Errorf("its retry: %+v", got)
	}
	if got := post("append", `{"n":7} `, "Idempotency-Key: mixed:2"); got.Sequence != 7 || !got.Duplicate {
		t.Errorf("its last event by itself: %+v", got)
	}
	// Two events may come under one header key where they have ids; the key is free for an event that has none.
	for i, body := range []string{`{"id":"e8"}`, `{"id":"e9"}`, `{"n":10}`} {
		if got := post("append", body, "Idempotency-Key: shared"); got.Sequence != int64(8+i) || got.Duplicate {
			t.Errorf("%s: %+v", body, got)
		}
	}
	s.wantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused",
		s.call("POST", "/logs/acme/append", `{"id":"e1","source":"s","n":2}`, "Idempotency-Key: new"), `"s e1"`, "event 1")
	s.wantProblem(http.StatusBadRequest, "invalid_idempotency_key",
		s.call("POST", "/logs/acme/append", `{"id":"e99"}`, "Idempotency-Key: "+strings.Repeat("k", 513)))
	for i, event := range s.events(id) {
		if strings.TrimSpace(event) != event {
			t.Errorf("event %d is stored as %q", i+1, event)
		}
	}
	if got := s.head("acme").Sequence; got != 10 {
		t.Errorf("the log is at %d, want 10", got)
	}
}

// TestKeysOfEvents: id and source together are the key, and a source of null is none.
func TestKeysOfEvents(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for i, event := range []string{
		`{"id":"a","source":null}`, `{"id":"a","source":"null"}`, `{"id":"a","source":"s"}`, `{"id":"s a"}`, `{"id":null,"source":"s"}`,
		`{"id":null,"source":"s"}`,
	} {
		if got := s.append("acme", event); got.Sequence != int64(i+1) {
			t.Errorf("%s: %+v", event, got)
		}
	}
	r := s.call("POST", "/logs/acme/append", `{"id":"a"}`)
	if p := s.wantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused", r, `"a"`); p.Sequence == nil || *p.Sequence != 1 {
		t.Errorf("an id without a source: %s", r.body)
	}
}

// TestBatchAnswers: a batch is appended in order; what was there before is named by its line.
func TestBatchAnswers(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	post := func(status int, body string, headers ...string) appended {
		t.Helper()
		return decode[appended](t, s.want(status, s.call("POST", "/logs/acme/append_batch", body, headers...)))
	}
	got := post(201, "{\"id\":\"a\"}\r\n\n  {\"id\":\"b\"}\t\n{\"n\":1}")
	if got.FirstSequence != 1 || got.LastSequence != 3 || got.Appended != 3 {
		t.Errorf("lines: %+v", got)
	}
	got = post(201, ` [ {"id":"c"} , {"id":"b"}, {"id":"c"} ] `)
	if got.FirstSequence != 2 || got.LastSequence != 4 || got.Appended != 1 ||
		len(got.Duplicates) != 2 || got.Duplicates[0].Line != 2 || got.Duplicates[0].Sequence != 2 || got.Duplicates[1].Sequence != 4 {
		t.Errorf("an array with duplicates: %+v", got)
	}
	got = post(200, "{\"id\":\"b\"}\n{\"id\":\"a\"}", "Expected-Sequence: 77")
	if got.Appended != 0 || got.FirstSequence != 1 || got.LastSequence != 2 {
		t.Errorf("duplicates only: %+v", got)
	}
	if got := post(201, "{}\n{}", "Idempotency-Key: k", "Expected-Sequence: 4"); got.LastSequence != 6 {
		t.Errorf("with a key: %+v", got)
	}
	if got := post(200, "{}\n{}", "Idempotency-Key: k"); got.FirstSequence != 5 || got.LastSequence != 6 {
		t.Errorf("a retry: %+v", got)
	}
	if want := []string{`{"id":"a"}`, `{"id":"b"}`, `{"n":1}`, `{"id":"c"}`, `{}`, `{}`}; !slices.Equal(s.events(id), want) {
		t.Errorf("stored are %q, want %q", s.events(id), want)
	}
}

// TestLimitsAreReached: what is just within a limit is accepted. TestRefusals has the other side.
func TestLimitsAreReached(t *testing.T) {
	s := start(t)
	id := s.createLog(strings.Repeat("a", 200))
	if got := s.append(id, padded(mebibyte)); got.Sequence != 1 {
		t.Errorf("an event of 1 MiB: %+v", got)
	}
	s.append(id, `{}`, "Idempotency-Key: "+strings.Repeat("k", 512))
	for name, body := range map[string]string{
		"10,000 lines":    strings.Repeat("{}\n", 10_000),
		"10,000 elements": "[" + strings.Repeat("{},", 9_999) + "{}]",
		"10 MiB":          strings.Repeat(padded(mebibyte-1)+"\n", 10),
	} {
		before := s.head(id).Sequence
		got := decode[appended](t, s.want(http.StatusCreated, s.call("POST", "/logs/"+id+"/append_batch", body)))
		if want := int64(min(10_000, len(body)/3)); name != "10 MiB" && got.LastSequence != before+want {
			t.Errorf("%s: %+v after %d", name, got, before)
		}
		if len(body) > 10*mebibyte {
			t.Fatalf("%s has %d bytes", name, len(body))
		}
	}
	if got := s.events(id)[0]; got != padded(mebibyte) {
		t.Errorf("the event of 1 MiB came back with %d bytes", len(got))
	}
}

// TestBodiesAreNotMixed: requests at the same time, of many sizes, are stored as their own bytes. The buffers that
// bodies are read into are used again and again.
func TestBodiesAreNotMixed(t *testing.T) {
	const clients, each = 16, 40
	s := start(t)
	logs := []string{s.createLog("a"), s.createLog("b"), s.createLog("c")}
	var done sync.WaitGroup
	for client := range clients {
		done.Go(func() {
			log := logs[client%len(logs)]
			for i := range each {
				mark := fmt.Sprintf("%d.%d|", client, i)
				event := `{"c":"` + strings.Repeat(mark, 1+(client*7+i*13)%700) + `"}`
				path, body := "/append", event
				if i%4 == 0 {
					path, body = "/append_batch", event+"\n"+event
				}
				if r, err := s.try("POST", "/logs/"+log+path, strings.NewReader(body)); err != nil || r.status != http.StatusCreated {
					t.Errorf("%s: %d %v", mark, r.status, err)
					return
				}
			}
		})
	}
	done.Wait()
	seen := map[string]int{}
	for _, log := range logs {
		for _, event := range s.events(log) {
			mark, _, _ := strings.Cut(strings.TrimPrefix(event, `{"c":"`), "|")
			mark += "|"
			if copies := strings.Count(event, mark); event != `{"c":"`+strings.Repeat(mark, copies)+`"}` {
				t.Fatalf("an event was stored with others' bytes: %s", shorten(event))
			}
			seen[mark]++
		}
	}
	for client := range clients {
		for i := range each {
			want := 1
			if i%4 == 0 {
				want = 2
			}
			if mark := fmt.Sprintf("%d.%d|", client, i); seen[mark] != want {
				t.Errorf("event %s is stored %d times, want %d", mark, seen[mark], want)
			}
		}
	}
}
