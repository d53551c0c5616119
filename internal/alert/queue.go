package alert

import (
	"context"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// evaluateEvery is the least time from one evaluation of a log to the next: people see no more, and a query costs gas. A log of which
	// one takes long is given shareOf times as long in between, but at most mostBetween: it may have waited for the machine or the
	// database, and what fires is not to be told of minutes later for that.
	evaluateEvery = 100 * time.Millisecond
	shareOf       = 3
	mostBetween   = 5 * time.Second
	// slowFrom is from how long an evaluation on makes its log one for the workers of slow ones.
	slowFrom = 250 * time.Millisecond
	// retryAfter is how long after one that the database did not answer, or for which there was no memory, the next comes.
	retryAfter = time.Second
)

// queue holds the logs that are to be evaluated: each once, those of different tenants by turns. One worker at a time has a log.
type queue struct {
	mu    sync.Mutex
	logs  map[uuid.UUID]*job
	quick ready
	slow  ready
}

// job is a log that is to be evaluated, or was a moment ago.
type job struct {
	log     uuid.UUID
	tenant  uuid.UUID // zero as long as it is unknown
	slow    bool
	queued  bool      // it waits for a worker, or for its time
	running bool      // a worker has it
	again   bool      // it was added since that began
	next    time.Time // not before
}

// ready are the jobs that wait for a worker.
type ready struct {
	tenants []uuid.UUID // whose turn it is, in order
	jobs    map[uuid.UUID][]*job
	waiting int
	wake    chan struct{} // receives when there are any
}

func newReady() ready { return ready{jobs: map[uuid.UUID][]*job{}, wake: make(chan struct{}, 1)} }

func newQueue() *queue {
	return &queue{logs: map[uuid.UUID]*job{}, quick: newReady(), slow: newReady()}
}

// add has a log evaluated: as it is now, or later.
func (q *queue) add(log uuid.UUID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j := q.logs[log]
	if j == nil {
		j = &job{log: log}
		q.logs[log] = j
	}
	switch {
	case j.running:
		j.again = true
	case !j.queued:
		q.schedule(j)
	}
}

// schedule has a job wait for its time, and then for a worker. mu is held.
func (q *queue) schedule(j *job) {
	j.queued = true
	wait := time.Until(j.next)
	if wait <= 0 {
		q.enter(j)
		return
	}
	time.AfterFunc(wait, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.enter(j)
	})
}

func (q *queue) enter(j *job) {
	r := &q.quick
	if j.slow {
		r = &q.slow
	}
	if len(r.jobs[j.tenant]) == 0 {
		r.tenants = append(r.tenants, j.tenant)
	}
	r.jobs[j.tenant] = append(r.jobs[j.tenant], j)
	r.waiting++
	r.signal()
}

func (r *ready) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take waits for a job. The error is ctx's.
func (q *queue) take(ctx context.Context, slow bool) (*job, error) {
	r := &q.quick
	if slow {
		r = &q.slow
	}
	for {
		if j := q.tryTake(r); j != nil {
			return j, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.wake:
		}
	}
}

func (q *queue) tryTake(r *ready) *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(r.tenants) == 0 {
		return nil
	}
	tenant := r.tenants[0]
	r.tenants = r.tenants[1:]
	j := r.jobs[tenant][0]
	if r.jobs[tenant] = r.jobs[tenant][1:]; len(r.jobs[tenant]) > 0 {
		r.tenants = append(r.tenants, tenant)
	} else {
		delete(r.jobs, tenant)
	}
	if r.waiting--; r.waiting > 0 {
		r.signal()
	}
	j.queued, j.running, j.again = false, true, false
	return j
}

// done ends a job that took so long. again: it is to be done anew, a while later. Nothing is remembered of one that is done for good.
func (q *queue) done(j *job, tenant uuid.UUID, took time.Duration, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.running, j.tenant, j.slow = false, tenant, took >= slowFrom
	j.next = time.Now().Add(max(evaluateEvery-took, min(shareOf*took, mostBetween)))
	if again {
		j.next = time.Now().Add(retryAfter)
	}
	if again || j.again {
		q.schedule(j)
	}
}

// isDone reports whether a log was evaluated after it was added last, and forgets it then.
func (q *queue) isDone(log uuid.UUID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	j := q.logs[log]
	if j == nil {
		return true
	}
	if j.queued || j.running {
		return false
	}
	delete(q.logs, log)
	return true
}

// sweep forgets the logs that were evaluated a while ago.
func (q *queue) sweep() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for log, j := range q.logs {
		if !j.queued && !j.running && time.Since(j.next) > restFor {
			delete(q.logs, log)
		}
	}
}

// waiting returns how many logs wait for a worker.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.quick.waiting + q.slow.waiting
}
