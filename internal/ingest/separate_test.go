package ingest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

func separate(events ...event.Event) ingest.Request {
	return ingest.Request{Events: events, Expected: ingest.AnySequence, Separate: true}
}

func TestSeparateEvents(t *testing.T) {
	n, d := start(t, testrig.Settings{MaxAhead: time.Hour})
	log := n.NewLog(t)
	n.Append(t, log, testrig.Parse(t, `{"n":1}`, "stored"))
	future := time.Now().Add(100 * time.Hour).UTC().Format(time.RFC3339)
	got, err := n.Ingest.Append(log, separate(
		testrig.Parse(t, `{"n":2}`, "new"),
		testrig.Parse(t, `{"n":9}`, "stored"),
		testrig.Parse(t, `{"n":1}`, "stored"),
		testrig.Parse(t, `{"n":3}`, "new"),
		testrig.Parse(t, `{"time":"`+future+`"}`, "ahead"),
		testrig.Parse(t, `{"n":4}`, ""),
		testrig.Parse(t, `{"n":2}`, "new"),
	))
	if err != nil {
		t.Fatal(err)
	}
	var stored, within *ingest.KeyReusedError
	var ahead *ingest.TooFarAheadError
	if !errors.As(got[1].Err, &stored) || stored.Index != 1 || stored.Sequence != 1 ||
		!errors.As(got[3].Err, &within) || within.Index != 3 || within.Sequence != 0 ||
		!errors.As(got[4].Err, &ahead) || ahead.Index != 4 {
		t.Errorf("refused: %v, %v, %v", got[1].Err, got[3].Err, got[4].Err)
	}
	got[1].Err, got[3].Err, got[4].Err = nil, nil, nil
	want := []ingest.Appended{{Sequence: 2}, {}, {Sequence: 1, Duplicate: true}, {}, {}, {Sequence: 3}, {Sequence: 2, Duplicate: true}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("placed %v, want %v", got, want)
	}
	if nothing, err := n.Ingest.Append(log, separate(testrig.Parse(t, `{}`, "stored"))); err != nil || nothing[0].Err == nil {
		t.Errorf("a request of nothing but a refused event: %v, %v", nothing, err)
	}
	if events := testrig.Check(t, d.DSN())[log].Events; len(events) != 3 {
		t.Errorf("%d events are stored", len(events))
	}
}

// TestSeparateHammer: clients of two servers send the same keys with different bytes, in requests for many logs at once. Of each key, one
// content is stored, once; whoever sent that is told so, and everybody else that their event was refused.
func TestSeparateHammer(t *testing.T) {
	const clients, rounds, keys, contents = 8, 25, 40, 3
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	logs := make([]uuid.UUID, 5)
	for i := range logs {
		logs[i] = nodes[0].NewLog(t)
		deployReadyViews(t, nodes[0], logs[i])
	}
	type told struct {
		log      uuid.UUID
		sequence int64
		event    event.Event
	}
	var mu sync.Mutex
	var stored, refused []told
	var all sync.WaitGroup
	for c := range clients {
		node, random := nodes[c%len(nodes)], rand.New(rand.NewPCG(uint64(c), 7))
		all.Go(func() {
			for range rounds {
				var pending []ingest.Pending
				sent := make([][]event.Event, len(logs))
				for i, log := range logs {
					for range 1 + random.IntN(20) {
						content := fmt.Sprintf(`{"model":"m","tokens_in":%d}`, random.IntN(contents))
						sent[i] = append(sent[i], testrig.Parse(t, content, fmt.Sprint("key-", random.IntN(keys))))
					}
					p, err := node.Ingest.Enqueue(log, separate(sent[i]...))
					if err != nil {
						t.Error(err)
						return
					}
					pending = append(pending, p)
				}
				for i, p := range pending {
					placements, err := p.Wait()
					if err != nil || len(placements) != len(sent[i]) {
						t.Errorf("%d events were placed at %v (%v)", len(sent[i]), placements, err)
						return
					}
					mu.Lock()
					for k, placed := range placements {
						if as := (told{logs[i], placed.Sequence, sent[i][k]}); placed.Err == nil {
							stored = append(stored, as)
						} else {
							refused = append(refused, as)
						}
					}
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	found := testrig.Check(t, d.DSN())
	content := map[uuid.UUID]map[string]string{}
	for _, log := range logs {
		content[log] = map[string]string{}
	}
	for _, s := range stored {
		if got := found[s.log].Events[s.sequence-1]; string(got.Data) != string(s.event.Data) {
			t.Fatalf("event %d of key %s is %s, told of was %s", s.sequence, s.event.Key, got.Data, s.event.Data)
		}
		content[s.log][s.event.Key] = string(s.event.Data)
	}
	for _, r := range refused {
		if other := content[r.log][r.event.Key]; other == "" || other == string(r.event.Data) {
			t.Fatalf("%s was refused for key %s, which has %q", r.event.Data, r.event.Key, other)
		}
	}
	for _, log := range logs {
		if n := len(found[log].Events); n != len(content[log]) {
			t.Errorf("%d events are stored of %d keys", n, len(content[log]))
		}
	}
}
