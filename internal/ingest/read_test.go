package ingest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestEveryAppendIsInTheNextAnswer lets writers append and, at once, ask all three views on either of two servers. A
// writer has a model and a team of its own and a minute of its own, so it knows each answer to the last token.
func TestEveryAppendIsInTheNextAnswer(t *testing.T) {
	const logs, writersPerLog, appends = 3, 4, 25
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	var wg sync.WaitGroup
	for range logs {
		log := nodes[0].NewLog(t)
		deployReadyViews(t, nodes[0], log)
		for w := range writersPerLog {
			wg.Go(func() {
				writer := &writer{log: log, name: fmt.Sprintf("w%d", w), minute: time.Date(2025, 3, 1, 10, w, 0, 0, time.UTC)}
				for i := range appends {
					writer.append(t, nodes[(w+i/5)%2], i)
					writer.check(t, nodes[i%2])
				}
			})
		}
	}
	wg.Wait()
	testrig.Check(t, d.DSN())
}

// TestRestartedServerAnswersTheSame compares the answers of a server that folded the events with those of one that was
// started afterwards, byte for byte, before and after both go on.
func TestRestartedServerAnswersTheSame(t *testing.T) {
	old, d := start(t, testrig.Settings{})
	log := old.NewLog(t)
	deployReadyViews(t, old, log)
	var restarted *testrig.Node
	for i := range 4 {
		for j := range 10 {
			data := fmt.Sprintf(`{"time":"2025-0%d-01T00:%02d:00Z","model":"m%d","team":"t%d","tokens_in":%d.%d,"tokens_out":"1e-%d"}`,
				i+1, j, j%3, j%4, i, j, j)
			old.Append(t, log, testrig.Parse(t, data, ""))
		}
		if i%2 == 0 {
			restarted = testrig.Start(t, d.DSN(), testrig.Settings{})
		}
		for view, query := range map[string]string{
			"monthly-totals": "", "rate-check": "time=2025-03-01T00:07:00Z&minutes=30", "cost-by-team": "",
		} {
			was, is := old.Ask(t, log, view, query), restarted.Ask(t, log, view, query)
			if string(was.Body) != string(is.Body) || was.Sequence != is.Sequence || was.Sequence != int64(10*(i+1)) {
				t.Errorf("%s answered %s at %d, and after a restart %s at %d", view, was.Body, was.Sequence, is.Body, is.Sequence)
			}
		}
		old, restarted = restarted, old
	}
	testrig.Check(t, d.DSN())
}

// writer knows what it has appended.
type writer struct {
	log      uuid.UUID
	name     string
	minute   time.Time
	requests int
	in, out  int64
	last     int64 // the greatest sequence that was acknowledged
}

func (w *writer) append(t *testing.T, node *testrig.Node, i int) {
	in, out := rand.Int64N(1000), rand.Int64N(1000)
	data := fmt.Sprintf(`{"type":"api.call","time":%q,"model":%q,"team":%q,"tokens_in":%d,"tokens_out":"%d","n":%d}`,
		w.minute.Add(time.Duration(i)*time.Second).Format(time.RFC3339), w.name, w.name, in, out, i)
	placements := node.Append(t, w.log, testrig.Parse(t, data, ""))
	if len(placements) != 1 || placements[0].Sequence <= w.last || placements[0].Duplicate {
		t.Errorf("%s: placed at %+v after %d", w.name, placements, w.last)
	}
	w.last, w.requests, w.in, w.out = placements[0].Sequence, w.requests+1, w.in+in, w.out+out
}

func (w *writer) check(t *testing.T, node *testrig.Node) {
	type total struct {
		Requests int         `json:"requests"`
		In       int64       `json:"tokens_in"`
		Out      int64       `json:"tokens_out"`
		Tokens   int64       `json:"tokens"`
		Cost     json.Number `json:"cost"`
		Unpriced int         `json:"unpriced"`
	}
	ask := func(view, query string, into any) {
		answer := node.Ask(t, w.log, view, query)
		if answer.Sequence < w.last {
			t.Errorf("%s: %s answers for event %d after %d was acknowledged", w.name, view, answer.Sequence, w.last)
		}
		if err := json.Unmarshal(answer.Body, into); err != nil {
			t.Errorf("%s: %v", answer.Body, err)
		}
	}
	var months, costs map[string]total
	var minutes total
	ask("monthly-totals", "month=2025-03", &months)
	ask("rate-check", "time="+w.minute.Format(time.RFC3339), &minutes)
	ask("cost-by-team", "month=2025-03&team="+w.name, &costs)
	if got, want := months[w.name], (total{In: w.in, Out: w.out}); got != want {
		t.Errorf("%s: monthly-totals says %+v, want %+v", w.name, got, want)
	}
	if minutes.Requests != w.requests || minutes.Tokens != w.in+w.out {
		t.Errorf("%s: rate-check says %+v, want %d requests and %d tokens", w.name, minutes, w.requests, w.in+w.out)
	}
	if got := costs[w.name]; got.Requests != w.requests || got.In != w.in || got.Out != w.out || got.Unpriced != 0 {
		t.Errorf("%s: cost-by-team says %+v after %d requests", w.name, got, w.requests)
	}
}
