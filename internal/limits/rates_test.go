package limits_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/uuid"
)

// clock is a clock that the test moves. It is safe for concurrent use.
type clock struct{ now atomic.Pointer[time.Time] }

func newClock() *clock {
	c := &clock{}
	c.set(time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC))
	return c
}

func (c *clock) set(now time.Time)     { c.now.Store(&now) }
func (c *clock) Now() time.Time        { return *c.now.Load() }
func (c *clock) pass(by time.Duration) { c.set(c.Now().Add(by)) }

const (
	largestBody  = 10 << 20
	largestBatch = 10_000
)

func newLimiter(c *clock, defaults limits.Values) *limits.Limiter {
	return limits.New(nil, limits.Config{Defaults: defaults, LargestBody: largestBody, LargestBatch: largestBatch, Now: c.Now})
}

var tenantA, tenantB = uuid.New(), uuid.New()

// own is how a tenant's, or a key's, own limits are stored.
func own(l limits.Limits) []byte {
	stored, err := json.Marshal(l)
	if err != nil {
		panic(err) // it has numbers only
	}
	return stored
}

func exceeded(t *testing.T, what string, err error) *limits.ExceededError {
	t.Helper()
	var e *limits.ExceededError
	if !errors.As(err, &e) {
		t.Fatalf("%s: %v, want an *ExceededError", what, err)
	}
	return e
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	_ = exceeded(t, what, err)
}

func passes(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func BenchmarkRequest(b *testing.B) {
	l := limits.New(nil, limits.Config{Defaults: limits.Values{limits.Requests: 1 << 40, limits.Bytes: 1 << 40}})
	caller := limits.Caller{Tenant: tenantA, Key: "k", KeyLimits: own(limits.Limits{RequestsPerSecond: new(int64(1 << 40))})}
	for b.Loop() {
		if err := l.Account(caller).Request(1); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRequests: as many as the limit says at once, then as many each second; the wait that is announced is the right one, and somebody
// else's limit is somebody else's.
func TestRequests(t *testing.T) {
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Requests: 4})
	a := l.Account(limits.Caller{Tenant: tenantA})
	for range 4 {
		passes(t, "a request within the limit", a.Request(0))
	}
	for range 10 { // a refused request costs nothing
		e := exceeded(t, "the fifth request", a.Request(0))
		want := limits.Exceeded{Limit: limits.Requests, PerSecond: 4, Burst: 4, Wait: 250 * time.Millisecond}
		if len(e.Rates) != 1 || e.Rates[0] != want || e.Wait() != want.Wait {
			t.Fatalf("it is refused with %+v", e)
		}
	}
	passes(t, "another tenant", l.Account(limits.Caller{Tenant: tenantB}).Request(0))
	c.pass(250*time.Millisecond - time.Nanosecond)
	refused(t, "just before", a.Request(0))
	c.pass(time.Nanosecond)
	passes(t, "when announced", a.Request(0))
	c.pass(time.Hour)
	for range 4 {
		passes(t, "after a rest", l.Account(limits.Caller{Tenant: tenantA}).Request(0))
	}
	refused(t, "no rest saves up more than a burst", a.Request(0))
}

// TestHold: a tenant that is refused again and again is refused slowly, until it has given way for a while; another one is not.
func TestHold(t *testing.T) {
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Requests: 1})
	refusals := func(of uuid.UUID) (prompt int) {
		a := l.Account(limits.Caller{Tenant: of})
		for range 200 {
			var e *limits.ExceededError
			if errors.As(a.Request(0), &e) && e.Hold == 0 {
				prompt++
			} else if e != nil && (e.Hold < time.Second/2 || e.Hold > 3*time.Second/2) {
				t.Errorf("a refusal is held for %v", e.Hold)
			}
		}
		return prompt
	}
	if prompt := refusals(tenantA); prompt != 50 {
		t.Errorf("%d of 200 refusals are prompt, want 50", prompt)
	}
	if prompt := refusals(tenantB); prompt != 50 {
		t.Errorf("%d of another tenant's are", prompt)
	}
	c.pass(time.Second)
	if prompt := refusals(tenantA); prompt != 20 {
		t.Errorf("a second later %d are, want 20", prompt)
	}
}

// TestPolicy: a rate is told in whole seconds, whatever its burst.
func TestPolicy(t *testing.T) {
	for _, c := range []struct{ perSecond, burst, amount, seconds int64 }{
		{1, 1, 1, 1}, {1000, 100, 1000, 1}, {100, 10_000, 10_000, 100}, {3000, 10_000, 10_000, 4},
	} {
		e := limits.Exceeded{PerSecond: c.perSecond, Burst: c.burst}
		if amount, seconds := e.Policy(); amount != c.amount || seconds != c.seconds {
			t.Errorf("%d a second, %d at once: %d in %d s, want %d in %d s", c.perSecond, c.burst, amount, seconds, c.amount, c.seconds)
		}
	}
}

// TestLargest: the largest single request passes under any limit, and is paid for afterwards.
func TestLargest(t *testing.T) {
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Events: 100, limits.Bytes: 1 << 20})
	a := l.Account(limits.Caller{Tenant: tenantA})
	passes(t, "a body of the largest size", a.Request(largestBody))
	passes(t, "its events", a.Events(largestBatch))
	if wait := exceeded(t, "one byte more", a.Request(1)).Wait(); wait <= 0 || wait > time.Microsecond {
		t.Errorf("one byte waits for %v", wait)
	}
	if wait := exceeded(t, "the next one", a.Request(largestBody)).Wait(); wait != 10*time.Second {
		t.Errorf("a body of 10 MiB at 1 MiB a second waits for %v", wait)
	}
	if wait := exceeded(t, "the next batch", a.Events(largestBatch)).Wait(); wait != 100*time.Second {
		t.Errorf("a batch of 10,000 at 100 a second waits for %v", wait)
	}
	c.pass(10 * time.Second)
	passes(t, "the next body", a.Request(1<<62)) // whatever is announced: the operation refuses what is larger
	passes(t, "a request without a body", a.Request(0))
	passes(t, "one of unknown length", a.Request(-1))
	refused(t, "its bytes", a.Bytes(4096))
	c.pass(time.Second)
	passes(t, "its bytes later", a.Bytes(4096))
}

// TestAllOrNothing: what one rate refuses costs no other anything, be it the key's or the tenant's.
func TestAllOrNothing(t *testing.T) {
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Requests: 10, limits.Bytes: 1})
	keyed := l.Account(limits.Caller{Tenant: tenantA, Key: "k", KeyLimits: own(limits.Limits{RequestsPerSecond: new(int64(2))})})
	other := l.Account(limits.Caller{Tenant: tenantA, Key: "other"})
	passes(t, "the whole of the bytes", other.Request(largestBody))
	for range 5 {
		if e := exceeded(t, "no bytes are left", keyed.Request(1)); len(e.Rates) != 1 || e.Rates[0].Limit != limits.Bytes {
			t.Fatalf("refused with %+v", e)
		}
	}
	passes(t, "one", keyed.Request(0))
	passes(t, "two", keyed.Request(0))
	e := exceeded(t, "the key's third", keyed.Request(1))
	if r := e.Rates; len(r) != 2 || r[0].OfKey || r[0].Limit != limits.Bytes || !r[1].OfKey || r[1].Limit != limits.Requests {
		t.Errorf("refused with %+v", e)
	}
	for range 7 { // of ten, the others are used: one by the whole body, two with the key
		passes(t, "of the tenant", other.Request(0))
	}
	refused(t, "of the tenant, the eleventh", other.Request(0))
	c.pass(100 * time.Millisecond)
	refused(t, "the key's own is not whole yet", keyed.Request(0))
	passes(t, "the tenant's is", other.Request(0))
}

// TestChange: a new limit holds from the next request on, another's change does not give anything back, and 0 lifts a limit.
func TestChange(t *testing.T) {
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Requests: 2})
	with := func(stored []byte) limits.Account {
		return l.Account(limits.Caller{Tenant: tenantA, TenantLimits: stored})
	}
	passes(t, "one", with(nil).Request(0))
	passes(t, "two", with(own(limits.Limits{})).Request(0))
	refused(t, "three", with(own(limits.Limits{EventsPerSecond: new(int64(5))})).Request(0))
	more := own(limits.Limits{RequestsPerSecond: new(int64(100))})
	refused(t, "a higher limit begins with what was left", with(more).Request(0))
	c.pass(20 * time.Millisecond)
	passes(t, "at the new rate", with(more).Request(0))
	passes(t, "at the new rate", with(more).Request(0))
	refused(t, "at the new rate", with(more).Request(0))
	for range 1000 {
		passes(t, "without a limit", with(own(limits.Limits{RequestsPerSecond: new(int64(0))})).Request(0))
	}
}

// TestNoLimits: where there are none, nothing is counted or remembered, and a server may have no limiter at all.
func TestNoLimits(t *testing.T) {
	l := newLimiter(newClock(), limits.Values{})
	for _, a := range []limits.Account{
		{}, (*limits.Limiter)(nil).Account(limits.Caller{Tenant: tenantA}), l.Account(limits.Caller{Tenant: tenantA, Key: "k"}),
	} {
		passes(t, "a request", errors.Join(a.Request(1<<40), a.Events(1<<30), a.Bytes(1<<40)))
		passes(t, "what builds state", errors.Join(a.BuildView(), a.Append(t.Context(), uuid.New())))
		closeStream, err := a.OpenStream()
		passes(t, "a stream", err)
		closeStream()
		if _, err := a.CreateLog(); err != nil {
			t.Error(err)
		}
	}
	if tenants, _ := l.Forget(); tenants != 0 {
		t.Errorf("%d tenants are remembered", tenants)
	}
}

// TestStreams: counted for tenant and key, and given back once, however often it is closed.
func TestStreams(t *testing.T) {
	l := newLimiter(newClock(), limits.Values{limits.Streams: 3})
	keyed := l.Account(limits.Caller{Tenant: tenantA, Key: "k", KeyLimits: own(limits.Limits{Streams: new(int64(1))})})
	other := l.Account(limits.Caller{Tenant: tenantA, Key: "other"})
	open := func(a limits.Account, want *limits.ReachedError) func() {
		t.Helper()
		closeStream, err := a.OpenStream()
		var reached *limits.ReachedError
		errors.As(err, &reached)
		if (want == nil) != (err == nil) || want != nil && (reached == nil || *reached != *want) {
			t.Fatalf("opening a stream: %v, want %v", err, want)
		}
		return closeStream
	}
	ofKey := open(keyed, nil)
	open(keyed, &limits.ReachedError{Limit: limits.Streams, OfKey: true, Value: 1, Used: 1})
	first := open(other, nil)
	open(other, nil)
	open(other, &limits.ReachedError{Limit: limits.Streams, Value: 3, Used: 3})
	ofKey()
	ofKey()
	open(keyed, nil)
	open(other, &limits.ReachedError{Limit: limits.Streams, Value: 3, Used: 3})
	first()
	open(keyed, &limits.ReachedError{Limit: limits.Streams, OfKey: true, Value: 1, Used: 1})
	open(other, nil)
}

// TestForget: who asks for nothing is forgotten, but not who has a stream open, or still has to pay.
func TestForget(t *testing.T) {
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Requests: 10, limits.Events: 10, limits.Streams: 5})
	known := func(what string, wantTenants, wantKeys int) {
		t.Helper()
		if tenants, keys := l.Forget(); tenants != wantTenants || keys != wantKeys {
			t.Errorf("%s: %d tenants and %d keys are known, want %d and %d", what, tenants, keys, wantTenants, wantKeys)
		}
	}
	one := own(limits.Limits{RequestsPerSecond: new(int64(1))})
	for i := range 100 {
		passes(t, "a request", l.Account(limits.Caller{Tenant: tenantA, Key: strconv.Itoa(i), KeyLimits: one}).Request(0))
		if i%10 == 9 {
			c.pass(time.Second)
		}
	}
	closeStream, err := l.Account(limits.Caller{Tenant: tenantA, Key: "streaming", KeyLimits: one}).OpenStream()
	passes(t, "a stream", err)
	passes(t, "a large batch", l.Account(limits.Caller{Tenant: tenantB}).Events(largestBatch))
	known("at once", 2, 101)
	c.pass(10 * time.Minute)
	known("after ten minutes", 2, 1)
	c.pass(7 * time.Minute) // 10,000 events at ten a second are paid for after 1,000 s
	known("after seventeen minutes", 1, 1)
	closeStream()
	known("just after the stream", 1, 1)
	c.pass(10 * time.Minute)
	known("long after the stream", 0, 0)
	closeStream()
}

// TestLimitsHammer: with many callers at once, and changes and forgetting in between, no more passes than the limit, and no stream is left.
func TestLimitsHammer(t *testing.T) {
	const workers, requests, limit = 16, 500, 1000
	c := newClock()
	l := newLimiter(c, limits.Values{limits.Requests: limit, limits.Streams: 3})
	var passed, open, most atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			caller := limits.Caller{Tenant: tenantA, Key: strconv.Itoa(w)}
			caller.KeyLimits = own(limits.Limits{RequestsPerSecond: new(int64(limit / 4))})
			for i := range requests {
				if l.Account(caller).Request(int64(i)) == nil {
					passed.Add(1)
				}
				if closeStream, err := l.Account(caller).OpenStream(); err == nil {
					for now, high := open.Add(1), most.Load(); now > high && !most.CompareAndSwap(high, now); high = most.Load() {
					}
					open.Add(-1)
					closeStream()
				}
				if i%100 == 0 {
					l.Forget()
				}
			}
		})
	}
	group.Wait()
	if passed.Load() != limit/10 || most.Load() > 3 {
		t.Errorf("%d requests passed, and %d streams at a time", passed.Load(), most.Load())
	}
	c.pass(time.Hour)
	if tenants, keys := l.Forget(); tenants != 0 || keys != 0 {
		t.Errorf("%d tenants and %d keys are left", tenants, keys)
	}
}

// TestReturnedEvents: what is given back may be used again, at once, and never more than a burst of it.
func TestReturnedEvents(t *testing.T) {
	c := newClock()
	account := newLimiter(c, limits.Values{limits.Events: 10}).Account(limits.Caller{Tenant: tenantA})
	use := func(n int) {
		t.Helper()
		if err := account.Events(n); err != nil {
			t.Fatal(err)
		}
	}
	use(largestBatch)
	account.ReturnEvents(4000)
	use(4000)
	refused(t, "one more", account.Events(1))
	account.ReturnEvents(largestBatch)
	account.ReturnEvents(largestBatch)
	c.pass(time.Millisecond)
	use(largestBatch)
	refused(t, "more than a burst", account.Events(1))
	account.ReturnEvents(-5)
	refused(t, "after less than nothing was returned", account.Events(1))
}
