package gateways_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// call is one request that a gateway took, as it must be counted.
type call struct {
	id, customer string
	value        int64
}

// customers take turns.
var customers = []string{"acme", "globex", "initech"}

// usage is what a gateway was asked for.
type usage struct {
	mu    sync.Mutex
	calls map[string]map[string]int64 // by customer and id, the value
	total int
}

func (u *usage) add(c call) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls == nil {
		u.calls = map[string]map[string]int64{}
	}
	if u.calls[c.customer] == nil {
		u.calls[c.customer] = map[string]int64{}
	}
	if _, twice := u.calls[c.customer][c.id]; twice || c.id == "" {
		return fmt.Errorf("the id %q of a call is no id of its own", c.id)
	}
	u.calls[c.customer][c.id] = c.value
	u.total++
	return nil
}

// count is what a meter answers for one customer.
type count struct{ events, different, sum int64 }

// owed is what must be counted for each customer.
func (u *usage) owed() map[string]count {
	u.mu.Lock()
	defer u.mu.Unlock()
	owed := map[string]count{}
	for customer, calls := range u.calls {
		c := count{events: int64(len(calls)), different: int64(len(calls))}
		for _, value := range calls {
			c.sum += value
		}
		owed[customer] = c
	}
	return owed
}

// caller makes calls until it is stopped.
type caller struct {
	*usage

	rig        *rig
	stop, done chan struct{}
}

// mostCalls bounds the calls of a test that does not get on.
const mostCalls = 5000

// calling makes a call every so often, of which make must know that the gateway took it.
func (r *rig) calling(u *usage, every time.Duration, make func(customer string) (call, error)) *caller {
	c := &caller{usage: u, rig: r, stop: newSignal(), done: newSignal()}
	go func() {
		defer close(c.done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := range mostCalls {
			made, err := make(customers[i%len(customers)])
			if err == nil {
				err = u.add(made)
			}
			if err != nil {
				r.Errorf("calling the gateway: %v", err)
				return
			}
			select {
			case <-tick.C:
			case <-c.stop:
				return
			case <-r.Context().Done():
				return
			}
		}
	}()
	return c
}

func newSignal() chan struct{} { return make(chan struct{}) }

// end makes the calls end.
func (c *caller) end() {
	close(c.stop)
	<-c.done
}

// more waits until so many more calls have been made.
func (c *caller) more(calls int) {
	c.rig.Helper()
	c.mu.Lock()
	want := c.total + calls
	c.mu.Unlock()
	until(c.rig, text("only %d calls were made", want-calls), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.total >= want || isClosed(c.done)
	})
}

func isClosed(signal chan struct{}) bool {
	select {
	case <-signal:
		return true
	default:
		return false
	}
}

// outages takes the server away in every way, while calls go on. between may be nil; it is called while nobody listens.
func (r *rig) outages(c *caller, between func()) {
	r.Helper()
	r.stores()
	// Killed: some requests are in flight, then connections are refused.
	r.killServer()
	r.front.set(away)
	c.more(10)
	if between != nil {
		between()
	}
	during(awayFor)
	// Another server is there, and its answers do not come back: whatever it stored is sent once more.
	r.startServer()
	r.front.set(losing)
	until(r, text("no request came while answers are lost"), func() bool { return r.front.lost.Load() > 0 })
	// A balancer without a server.
	r.front.set(refusing)
	until(r, text("no request came while they are refused"), func() bool { return r.front.refused.Load() > 0 })
	// Killed again, and at once replaced.
	r.front.set(through)
	r.stores()
	r.killServer()
	r.startServer()
	r.stores()
	c.more(10)
}

// awayFor is how long nobody listens, at least.
const awayFor = 1500 * time.Millisecond

// stores waits until the server has stored something more.
func (r *rig) stores() {
	r.Helper()
	before := r.stored()
	until(r, text("nothing more is stored after %d events", before), func() bool { return r.stored() > before })
}

// stored is the number of events in all logs.
func (r *rig) stored() (events int64) {
	r.Helper()
	for _, name := range r.logs() {
		log, err := r.client.GetLog(r.Context(), name)
		if err != nil {
			r.Fatal(err)
		}
		events += log.Sequence
	}
	return events
}

// meter asks a log's meter; zero where it has none yet.
func (r *rig) meter(log string) count {
	r.Helper()
	answer, err := r.client.QueryView(r.Context(), log, meterView, "")
	if problem := (*tally.Error)(nil); errors.As(err, &problem) && problem.Status < 500 {
		return count{} // neither log nor view
	} else if err != nil {
		r.Fatal(err)
	}
	var metered struct {
		Uncounted int64
		Rows      []struct {
			Count, Unique int64
			Sum           string
		}
	}
	if err := json.Unmarshal(answer.Body, &metered); err != nil || metered.Uncounted != 0 || len(metered.Rows) > 1 {
		r.Fatalf("the meter of %s answers %s (%v)", log, answer.Body, err)
	}
	if len(metered.Rows) == 0 {
		return count{}
	}
	row := metered.Rows[0]
	sum, err := strconv.ParseInt(row.Sum, 10, 64)
	if err != nil {
		r.Fatalf("the meter of %s answers %s (%v)", log, answer.Body, err)
	}
	return count{row.Count, row.Unique, sum}
}

// counted is what is metered for the customers, in the logs whose names begin with prefix.
func (r *rig) counted(prefix string, owed map[string]count) map[string]count {
	r.Helper()
	counted := map[string]count{}
	for customer := range owed {
		counted[customer] = r.meter(prefix + customer)
	}
	return counted
}

// arrive waits until all calls are counted.
func (r *rig) arrive(u *usage, prefix string) {
	r.Helper()
	owed := u.owed()
	until(r, func() string { return fmt.Sprintf("owed are %v, counted %v", owed, r.counted(prefix, owed)) }, func() bool {
		return maps.Equal(owed, r.counted(prefix, owed))
	})
}

// settle ends gateways once all calls are counted, and holds what is counted in the end against the calls: in the meters, in the events
// themselves, and by folding all of them again.
func (r *rig) settle(u *usage, prefix string, gateways ...*process) {
	r.Helper()
	r.arrive(u, prefix)
	for _, p := range gateways {
		p.end(syscall.SIGTERM)
	}
	owed := u.owed()
	if counted := r.counted(prefix, owed); !maps.Equal(owed, counted) {
		r.Errorf("owed are %v, counted %v", owed, counted)
	}
	for customer, calls := range u.calls {
		if missing, more := r.compare(prefix+customer, calls); len(missing) > 0 || len(more) > 0 {
			r.Errorf("%s: the calls %q are not there; the events %q are of no call, or twice there", customer, missing, more)
		}
	}
}

// conclude says how it went. No log is there but those of customers, so nothing was rejected.
func (r *rig) conclude(u *usage, prefixes ...string) {
	r.Helper()
	others := slices.DeleteFunc(r.logs(), func(log string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool {
			customer, ours := strings.CutPrefix(log, prefix)
			return ours && u.calls[customer] != nil
		})
	})
	if len(others) > 0 {
		r.Errorf("there are other logs: %q", others)
	}
	r.Logf("%d calls were made, %d events are stored; the server was killed %d times, %d requests were refused, %d answers lost",
		u.total, r.stored(), r.kills, r.front.refused.Load(), r.front.lost.Load())
}

// compare holds a log's events against the calls by their ids: those that are missing, and events of no call or twice there. It has the
// log verified.
func (r *rig) compare(log string, calls map[string]int64) (missing, more []string) {
	r.Helper()
	left := maps.Clone(calls)
	for _, id := range r.ids(log) {
		if _, made := left[id]; !made {
			more = append(more, id)
		}
		delete(left, id)
	}
	verified, err := r.client.VerifyLog(r.Context(), log, nil)
	if err != nil || !verified.OK {
		r.Errorf("%s is not as it was recorded: %+v, %v", log, verified, err)
	}
	return slices.Collect(maps.Keys(left)), more
}

// ids returns the ids of a log's events as callers know them: what a mapping adds after a colon is left out.
func (r *rig) ids(log string) (ids []string) {
	r.Helper()
	stream, err := r.client.StreamEvents(r.Context(), log, tally.EventFilter{})
	if err != nil {
		r.Fatal(err)
	}
	defer stream.Close() //nolint:errcheck // nothing is lost
	for {
		line, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return ids
		} else if err != nil {
			r.Fatal(err)
		}
		var stored struct{ Data struct{ ID string } }
		if err := json.Unmarshal(line, &stored); err != nil {
			r.Fatal(err)
		}
		id, _, _ := strings.Cut(stored.Data.ID, ":")
		ids = append(ids, id)
	}
}
