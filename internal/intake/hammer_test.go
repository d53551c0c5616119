package intake

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// sentLine is a line of the hammer: an identity of a customer, and one of the contents that senders have for it.
type sentLine struct{ customer, id, content int }

func (l sentLine) String() string {
	return fmt.Sprintf(`{"customer":"%d","id":"%d","model":"m%d","tokens_in":%d}`, l.customer, l.id, l.id%3, l.content)
}

func (l sentLine) log() string { return fmt.Sprint("customer-", l.customer) }

func (l sentLine) event() string {
	return fmt.Sprintf(`{"id":"%d","model":"m%d","tokens_in":%d}`, l.id, l.id%3, l.content)
}

// hammered is an independent model of what senders were told, and of what must be stored then.
type hammered struct {
	mu      sync.Mutex
	content map[string]map[int]string // the event of an identity, by log
	refused []sentLine
	full    map[int]bool // customers for whose log there was no room
}

func (h *hammered) told(t *testing.T, l sentLine, r Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch r.Code {
	case "":
		if h.content[r.Log] == nil {
			h.content[r.Log] = map[int]string{}
		}
		if known := h.content[r.Log][l.id]; r.Log != l.log() || known != "" && known != l.event() {
			t.Errorf("%v is said to be in %s, where that identity is %s", l, r.Log, known)
		}
		h.content[r.Log][l.id] = l.event()
	case "idempotency_key_reused":
		h.refused = append(h.refused, l)
	case "too_many_logs":
		h.full[l.customer] = true
	default:
		t.Errorf("%v: %+v", l, r)
	}
}

// check compares the model with what is stored.
func (h *hammered) check(t *testing.T, dsn string, others, most int) {
	t.Helper()
	logs := stored(t, dsn)
	kept := logs[RejectsOf("gateway")]
	delete(logs, RejectsOf("gateway"))
	if len(logs) != others+most {
		t.Errorf("there are %d logs, not %d", len(logs), others+most)
	}
	if counted := query[int64](t, dsn, "SELECT created FROM source_logs"); len(counted) != 1 || counted[0] != int64(most) {
		t.Errorf("the source is said to have made %v logs, not %d", counted, most)
	}
	for name, events := range logs {
		found := map[string]int{}
		for _, event := range events {
			found[event]++
		}
		if len(events) != len(h.content[name]) {
			t.Errorf("%s has %d events of %d identities", name, len(events), len(h.content[name]))
		}
		for id, event := range h.content[name] {
			if found[event] != 1 {
				t.Errorf("%s has %d events %s for identity %d", name, found[event], event, id)
			}
		}
	}
	for customer := range h.full {
		if events, there := logs[fmt.Sprint("customer-", customer)]; there {
			t.Errorf("customer %d was refused a log, which has %d events", customer, len(events))
		}
	}
	distinct := map[sentLine]bool{}
	for _, l := range h.refused {
		distinct[l] = true
		if other := h.content[l.log()][l.id]; other == "" || other == l.event() {
			t.Errorf("%v was refused, and the identity is %q", l, other)
		}
	}
	if len(kept) == 0 || len(kept) < len(distinct) {
		t.Errorf("%d rejects are kept, %d reused identities were refused", len(kept), len(distinct))
	}
}

// TestDeliveryHammer: senders of two servers send overlapping identities with the same and with other content, to logs that are made on
// demand up to a bound, while connections are ended; they send again after every error. Each identity is stored once with one content,
// whoever had that was told so, and there is never one log too many.
func TestDeliveryHammer(t *testing.T) {
	const senders, deliveries, customers, most, identities, contents = 8, 12, 30, 20, 60, 2
	d := testdb.New(t)
	desks := []*desk{startDesk(t, d.DSN(), testrig.Settings{}), startDesk(t, d.DSN(), testrig.Settings{})}
	code := views.MonthlyTotals()
	for customer := range 3 { // the others are the source's
		log, err := desks[0].Logs.Create(t.Context(), db.DefaultTenant, fmt.Sprint("customer-", customer), nil)
		if err != nil {
			t.Fatal(err)
		}
		desks[0].Deploy(t, log.ID, "monthly-totals", code, "{}")
	}
	s := sourceOf(t, fmt.Sprintf(`{"log": "customer-{/customer}", "id": "{/id}", "create": {"most": %d},
		"keep": {"model": "/model", "tokens_in": "/tokens_in"}}`, most))
	model := &hammered{content: map[string]map[int]string{}, full: map[int]bool{}}
	var wg sync.WaitGroup
	cut := make(chan int)
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for i := range cut {
			limit := 1
			if i%5 == 0 {
				limit = 50
			}
			query[bool](t, d.DSN(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
				AND application_name = 'tallystick' AND state <> 'idle' ORDER BY random() LIMIT $1`, limit)
		}
	})
	for sender := range senders {
		random := rand.New(rand.NewPCG(11, uint64(sender)))
		wg.Go(func() {
			for i := range deliveries {
				lines := make([]sentLine, 1+random.IntN(200))
				records := make([]string, len(lines))
				for i := range lines {
					lines[i] = sentLine{random.IntN(customers), random.IntN(identities), random.IntN(contents)}
					records[i] = lines[i].String()
				}
				cut <- i
				if !deliverUntilTaken(t, desks[random.IntN(2)], s, lines, records, model) {
					return
				}
			}
		})
	}
	wg.Wait()
	close(cut)
	cutter.Wait()
	model.check(t, d.DSN(), 3, most)
}

func deliverUntilTaken(t *testing.T, n *desk, s *Source, lines []sentLine, records []string, model *hammered) bool {
	const tries = 300
	for range tries {
		summary, results, err := n.deliver(s, Sender{}, records...)
		for i, r := range results { // what was told before an error is stored as well
			model.told(t, lines[i], r)
		}
		if err == nil {
			if total := summary.Stored + summary.Duplicates + summary.Rejected; total != len(lines) || len(results) != total {
				t.Errorf("%+v of %d lines", summary, len(lines))
			}
			return true
		}
		if !retryable(err) {
			t.Errorf("an error that does not say to try again: %v", err)
			return false
		}
	}
	t.Errorf("%d tries were not enough", tries)
	return false
}

// TestExactlyMost: two servers that make logs at once make as many as the source may, and lines for those that are there are stored.
func TestExactlyMost(t *testing.T) {
	const most, rounds = 5, 6
	d := testdb.New(t)
	desks := []*desk{startDesk(t, d.DSN(), testrig.Settings{}), startDesk(t, d.DSN(), testrig.Settings{})}
	s := sourceOf(t, fmt.Sprintf(`{"log": "{/log}", "id": "{/id}", "create": {"most": %d}, "keep": {}}`, most*rounds))
	rejected := make(chan int, rounds*len(desks))
	for round := range rounds {
		var wg sync.WaitGroup
		for i, n := range desks {
			wg.Go(func() {
				var records []string
				for k := range most + 1 {
					records = append(records, fmt.Sprintf(`{"log":"log-%d-%d","id":"%d"}`, round, (k+i*3)%(most+1), i))
				}
				summary, _, err := n.deliver(s, Sender{}, records...)
				if err != nil {
					t.Error(err)
				}
				rejected <- summary.Rejected
			})
		}
		wg.Wait()
	}
	close(rejected)
	total := 0
	for n := range rejected {
		total += n
	}
	logs := stored(t, d.DSN())
	delete(logs, RejectsOf("gateway"))
	events := 0
	for _, l := range logs {
		events += len(l)
	}
	if len(logs) != most*rounds || events+total != 2*rounds*(most+1) || total == 0 {
		t.Errorf("there are %d logs with %d events; %d lines were rejected", len(logs), events, total)
	}
}

// retryable reports whether a client is told to send the same again after the error.
func retryable(err error) bool {
	return isAny(err, ingest.ErrOutcomeUnknown, ingest.ErrBusy, db.ErrUnavailable, db.ErrConflict)
}
