package webhook

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// troubledAfter is how many tries of a receiver fail in a row before it has one request under way at a time; slowFrom is how long its
	// tries take on average for the same.
	troubledAfter = 3
	slowFrom      = 2 * time.Second
	// maxPostponed bounds how far ahead a try is put off, up to twice that with chance in it: by then things may be otherwise.
	maxPostponed = 5 * time.Minute
	// leastTry is the shortest that a try is taken to last, where turns are given out ahead.
	leastTry = 20 * time.Millisecond
	// maxKnownPaces bounds the receivers and tenants that are remembered.
	maxKnownPaces = 10_000
)

// turns keeps one receiver, or one tenant, from taking all of a server's workers: each has so many requests under way at a time, and those
// that fail or are slow have a quarter of the workers among all of them. A try that is too much has to come back at its turn, which is
// reckoned from how long tries take, so that it comes back once and not again and again.
type turns struct {
	perWebhook, perTenant, forTroubled int

	mu       sync.Mutex
	webhooks map[uuid.UUID]*pace
	tenants  map[uuid.UUID]*pace
	troubled pace // of all receivers that fail or are slow
}

// pace is how many tries somebody has under way, and how long they take.
type pace struct {
	underWay int
	failures int           // in a row
	average  time.Duration // of late
	next     time.Time     // up to when turns have been given out
}

func newTurns(workers int) *turns {
	return &turns{
		perWebhook: max(workers/8, 1), perTenant: max(workers/2, 1), forTroubled: max(workers/4, 1),
		webhooks: map[uuid.UUID]*pace{}, tenants: map[uuid.UUID]*pace{},
	}
}

// take begins a try. If it cannot begin yet, ended is nil and the try has to come back after wait. Else the caller calls ended once.
func (t *turns) take(tenant, webhook uuid.UUID, now time.Time) (ended func(took time.Duration, ok bool), wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, all := known(t.webhooks, webhook), known(t.tenants, tenant)
	most, troubled := t.perWebhook, w.failures >= troubledAfter || w.average >= slowFrom
	if troubled {
		most = 1
	}
	switch {
	case w.underWay >= most:
		return nil, w.postpone(now, most)
	case all.underWay >= t.perTenant:
		return nil, all.postpone(now, t.perTenant)
	case troubled && t.troubled.underWay >= t.forTroubled:
		return nil, t.troubled.postpone(now, t.forTroubled)
	}
	counted := []*pace{w, all}
	if troubled {
		counted = append(counted, &t.troubled)
	}
	for _, p := range counted {
		p.underWay++
	}
	return func(took time.Duration, ok bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, p := range counted {
			p.end(took, ok)
		}
	}, 0
}

// postpone gives out the next turn.
func (p *pace) postpone(now time.Time, most int) time.Duration {
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(max(p.average, leastTry) / time.Duration(most))
	wait := p.next.Sub(now)
	if wait > maxPostponed {
		p.next = now.Add(maxPostponed)
		return maxPostponed + rand.N(maxPostponed) //nolint:gosec // no secret
	}
	return wait
}

func (p *pace) end(took time.Duration, ok bool) {
	p.underWay--
	p.average += (took - p.average) / 4
	if p.failures++; ok {
		p.failures = 0
	}
}

// known returns the pace of somebody, who is new if need be.
func known(paces map[uuid.UUID]*pace, id uuid.UUID) *pace {
	p := paces[id]
	if p == nil {
		if len(paces) >= maxKnownPaces {
			for other, idle := range paces {
				if idle.underWay == 0 {
					delete(paces, other)
				}
			}
		}
		p = &pace{}
		paces[id] = p
	}
	return p
}
