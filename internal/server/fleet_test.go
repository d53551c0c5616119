package server_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testrig"
)

// fleet is several servers, each in a process of its own that reaches the database by a wire of its own.
type fleet struct {
	t        *testing.T
	dsn      string
	wires    []*testrig.Wire
	running  []*child // of whoever disturbs them
	urls     []atomic.Pointer[string]
	http     *http.Client
	progress chan struct{} // has something once a request was answered
	faults   atomic.Int64  // that were caused
}

func startFleet(t *testing.T, dsn string, servers int) *fleet {
	f := &fleet{
		t: t, dsn: dsn, running: make([]*child, servers), urls: make([]atomic.Pointer[string], servers),
		wires:    make([]*testrig.Wire, servers),
		http:     &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hammerClients}},
		progress: make(chan struct{}, 1),
	}
	t.Cleanup(f.http.CloseIdleConnections)
	for i := range servers {
		f.restart(i)
	}
	return f
}

// restart starts a server on a wire that is not about to cause a fault: one that cannot reach its database does not start.
func (f *fleet) restart(i int) {
	f.wires[i] = testrig.NewWire(f.t, f.dsn)
	f.running[i] = startChild(f.t, f.wires[i].DSN)
	f.urls[i].Store(&f.running[i].url)
}

// stop ends the servers; what they were still doing has been done or never will be.
func (f *fleet) stop() {
	for _, c := range f.running {
		c.kill(f.t)
	}
}

// faultKinds is how many kinds of faults there are.
const faultKinds = 5

// disturb causes one fault after the other, each a number of answers after the one before, until stop is called. Each kind must have been
// caused by then. On a machine where that takes long, clients get far meanwhile: they are to go on until faults is faultKinds at least.
func (f *fleet) disturb(random *rand.Rand) (stop func()) {
	faults := [faultKinds]func(i int){
		func(i int) { f.running[i].kill(f.t); f.restart(i) },
		func(i int) { f.wires[i].LoseRequest() },
		func(i int) { f.wires[i].LoseAnswer() },
		func(i int) { f.wires[i].FailCommit(0, "XX000") },
		func(int) { f.cutDatabase() },
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for answers, next := 0, 0; ; answers++ {
			select {
			case <-ended:
				return
			case <-f.progress:
			}
			if answers >= next {
				faults[f.faults.Load()%int64(len(faults))](random.IntN(len(f.running)))
				f.faults.Add(1)
				next = answers + 10 + random.IntN(20)
			}
		}
	}()
	return func() {
		close(ended)
		<-done
		if f.t.Logf("%d faults", f.faults.Load()); f.faults.Load() < faultKinds {
			f.t.Errorf("only %d faults of %d kinds", f.faults.Load(), faultKinds)
		}
	}
}

// cutDatabase ends the connections that are doing something, of all servers.
func (f *fleet) cutDatabase() {
	ctx := context.WithoutCancel(f.t.Context())
	conn, err := pgx.Connect(ctx, f.dsn)
	if err != nil {
		f.t.Error(err)
		return
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost
	if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'tallystick' AND state <> 'idle'`); err != nil {
		f.t.Error(err)
	}
}

// send sends an order to one server after the other until it is taken or refused. Now and then it goes away once the request is sent, or
// once the answer begins.
func (h *hammering) send(random *rand.Rand, o *order) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience && !h.Failed(); <-tick.C {
		told := h.told[o.log]
		after := told.Load()
		status, body := h.attempt(random, o.path(), o.key, o.body())
		switch status {
		case http.StatusOK, http.StatusCreated, http.StatusPaymentRequired:
			for last := o.settle(h.T, status, body, after); ; {
				if known := told.Load(); known >= last || told.CompareAndSwap(known, last) {
					break
				}
			}
			h.answered()
			return
		case 0, http.StatusServiceUnavailable, http.StatusInternalServerError:
			o.mu.Lock()
			o.inDoubt = true
			o.mu.Unlock()
		default:
			h.Errorf("%s is answered %d %s", o.key, status, body)
			return
		}
	}
	if !h.Failed() {
		h.Errorf("%s has no answer within %v", o.key, patience)
	}
}

// answered tells whoever disturbs the servers of an answer.
func (f *fleet) answered() {
	select {
	case f.progress <- struct{}{}:
	default:
	}
}

// attempt returns the status 0 where there is no whole answer.
func (f *fleet) attempt(random *rand.Rand, path, key, text string) (status int, body []byte) {
	ctx, cut := context.WithCancel(f.t.Context())
	defer cut()
	trace, once := &httptrace.ClientTrace{}, sync.OnceFunc(cut)
	switch random.IntN(12) {
	case 0:
		trace.WroteRequest = func(httptrace.WroteRequestInfo) { once() }
	case 1:
		trace.GotFirstResponseByte = once
	}
	url := *f.urls[random.IntN(len(f.urls))].Load() + path
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, url, strings.NewReader(text))
	if err != nil {
		f.t.Error(err)
		return 0, nil
	}
	request.Header.Set("Idempotency-Key", key)
	response, err := f.http.Do(request)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }() // nothing is lost
	if body, err = io.ReadAll(response.Body); err != nil {
		return 0, nil
	}
	return response.StatusCode, body
}

// check reads the logs, which nothing changes any more, and holds them to their limit, and to every answer.
func (h *hammering) check(orders [][]*order, limit int64, raised bool) {
	h.Helper()
	stored := testrig.Check(h.T, h.dsn)
	held := map[string]int64{}   // from a log and a key to the sequence
	used := map[string][]int64{} // of a log, after each event, from none
	for _, log := range h.logs {
		sums := []int64{0}
		for _, e := range stored[log].Events {
			sums = append(sums, sums[len(sums)-1]+unitsOf(h.T, e.Data))
			held[log.String()+*e.Key] = e.Sequence
		}
		if used[log.String()] = sums; sums[len(sums)-1] != limit {
			h.Errorf("log %s has %d units, its limit is %d", log, sums[len(sums)-1], limit)
		}
	}
	admitted, refused := 0, 0
	for _, mine := range orders {
		for _, o := range mine {
			h.checkOrder(o, held, raised)
			for i := range o.units {
				delete(held, o.log.String()+o.eventKey(i))
			}
			for _, r := range o.refusals {
				refused++
				h.checkRefusal(o, r, used[o.log.String()], raised)
			}
			admitted += min(int(o.sequence), 1)
		}
	}
	for key := range held {
		h.Errorf("%s is stored, and nobody sent it", key)
	}
	h.Logf("%d orders are admitted; %d refusals", admitted, refused)
}

func (h *hammering) checkOrder(o *order, held map[string]int64, raised bool) {
	if o.fresh > 1 {
		h.Errorf("%s was new %d times", o.key, o.fresh)
	}
	for i := range o.units {
		sequence, is := held[o.log.String()+o.eventKey(i)]
		switch {
		case o.sequence == 0 && is && (!raised || !o.inDoubt): // else an attempt that nobody waited for came after the refusal
			h.Errorf("%s is refused, and stored at %d", o.eventKey(i), sequence)
		case o.sequence != 0 && sequence != o.sequence+int64(i):
			h.Errorf("%s is at %d, its client was told %d", o.eventKey(i), sequence, o.sequence+int64(i))
		}
	}
}

// checkRefusal: the guard had counted the events before this one, all of them and nothing else, and there was no room.
func (h *hammering) checkRefusal(o *order, r refusedOrder, used []int64, raised bool) {
	at := max(r.Line, 1) - 1
	if len(o.units) > 1 && r.Line == 0 {
		h.Errorf("%s: the refusal of a batch names no line", o.key)
	}
	before := r.Answer.Sequence - 1 - int64(at) // what the log had
	if before < 0 || before >= int64(len(used)) {
		h.Errorf("%s is refused at %d; the log has %d events", o.key, r.Answer.Sequence, len(used)-1)
		return
	}
	sum := used[before]
	for _, n := range o.units[:at] {
		sum += int64(n)
	}
	if r.Answer.Used != sum || sum+int64(o.units[at]) <= r.Answer.Limit {
		h.Errorf("%s asks for %d at %d, where %d of %d are used; the guard counted %d",
			o.eventKey(at), o.units[at], r.Answer.Sequence, sum, r.Answer.Limit, r.Answer.Used)
	}
	if before < r.after {
		h.Errorf("%s is refused after %d events, when %d had been acknowledged", o.key, before, r.after)
	}
	if r.Answer.Limit != hammerLimit && (!raised || r.Answer.Limit != 2*hammerLimit) {
		h.Errorf("%s is refused for the limit %d", o.key, r.Answer.Limit)
	}
}

func unitsOf(t *testing.T, data []byte) int64 {
	t.Helper()
	var e struct{ Units int64 }
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e.Units
}
