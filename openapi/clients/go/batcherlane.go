package tally

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// lane holds the events of a log that wait to be sent. Its members are the batcher's, and guarded by its lock.
type lane struct {
	log     string
	lines   [][]byte
	bytes   int
	oldest  time.Time // when the first line came
	added   int64     // events, ever
	done    int64     // of these, acknowledged or given up, in their order
	until   int64     // those up to this one go without lingering
	busy    bool      // it is being sent, or waits for its turn
	waiting *time.Timer
}

// flush sends without lingering what there is.
func (l *lane) flush() { l.until = l.added }

// due reports whether a batch is to go.
func (l *lane) due(o *BatcherOptions) bool {
	return len(l.lines) > 0 &&
		(len(l.lines) >= o.MaxEvents || l.bytes >= o.MaxBytes || l.done < l.until || time.Since(l.oldest) >= o.Linger)
}

// cut takes a batch off the lane.
func (l *lane) cut(o *BatcherOptions) [][]byte {
	n, size := 0, 0
	for n < len(l.lines) && n < o.MaxEvents && (n == 0 || size+len(l.lines[n]) <= o.MaxBytes) {
		size += len(l.lines[n])
		n++
	}
	batch := slices.Clone(l.lines[:n])
	l.lines, l.bytes = slices.Delete(l.lines, 0, n), l.bytes-size
	l.oldest = time.Now() // for those that are left, which came later than this batch
	return batch
}

// add takes a line; there is room.
func (b *Batcher) add(log string, line []byte) {
	l := b.lanes[log]
	if l == nil {
		l = &lane{log: log}
		b.lanes[log] = l
	}
	if len(l.lines) == 0 {
		l.oldest = time.Now()
	}
	l.lines = append(l.lines, line)
	l.bytes += len(line)
	l.added++
	b.buffered += len(line)
	b.dispatch(l)
}

// dispatch sends the lane's next batch, now, when others are sent, or when it has lingered.
func (b *Batcher) dispatch(l *lane) {
	switch {
	case l.busy || len(l.lines) == 0:
	case !l.due(&b.options):
		if l.waiting == nil {
			l.waiting = time.AfterFunc(b.options.Linger-time.Since(l.oldest), func() {
				b.mu.Lock()
				defer b.mu.Unlock()
				l.waiting = nil
				b.dispatch(l)
			})
		}
	case b.active < b.options.Concurrency:
		b.begin(l)
	default:
		l.busy = true
		b.waiting = append(b.waiting, l)
	}
}

// begin sends a batch of the lane.
func (b *Batcher) begin(l *lane) {
	l.busy = true
	b.active++
	batch := l.cut(&b.options)
	b.sending.Go(func() {
		b.deliver(l.log, batch)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.end(l, batch)
	})
}

// end is after each batch: the next one's turn is behind those of other logs.
func (b *Batcher) end(l *lane, batch [][]byte) {
	l.done += int64(len(batch))
	for _, line := range batch {
		b.buffered -= len(line)
	}
	l.busy = false
	b.active--
	if len(l.lines) == 0 {
		if l.waiting != nil {
			l.waiting.Stop()
			l.waiting = nil
		}
		delete(b.lanes, l.log)
	} else if l.due(&b.options) {
		l.busy = true
		b.waiting = append(b.waiting, l)
	} else {
		b.dispatch(l)
	}
	if len(b.waiting) > 0 {
		next := b.waiting[0]
		b.waiting = slices.Delete(b.waiting, 0, 1)
		b.begin(next)
	}
	b.wake()
}

// deliver appends a batch. It returns when all of its events are acknowledged or given up.
func (b *Batcher) deliver(log string, batch [][]byte) {
	for len(batch) > 0 {
		if i := firstInvalid(batch); i >= 0 {
			b.giveUp(log, batch[i:i+1], &Error{Status: http.StatusBadRequest, Code: "invalid_json", Detail: "the event is not valid JSON"})
			batch = slices.Delete(slices.Clone(batch), i, i+1)
			continue
		}
		err := b.append(log, batch)
		var e *Error
		switch {
		case err == nil:
			return
		case errors.As(err, &e) && e.Code != CodeConnection && e.Line >= 1 && e.Line <= len(batch):
			// Nothing of it was stored: the others go as another batch.
			b.giveUp(log, batch[e.Line-1:e.Line], err)
			if e.Code != CodeRefusedByGuard {
				batch = slices.Delete(slices.Clone(batch), e.Line-1, e.Line)
				continue
			}
			// A guard may refuse all that follow, too, and names one at a time: halves send none of them often.
			after := batch[e.Line:]
			b.deliver(log, batch[:e.Line-1])
			b.deliver(log, after[:len(after)/2])
			batch = after[len(after)/2:]
		case errors.As(err, &e) && e.Status == http.StatusRequestEntityTooLarge && len(batch) > 1:
			n := len(batch) / 2
			if e.Events > 0 && e.Events < int64(len(batch)) {
				n = int(e.Events)
			}
			for part := range slices.Chunk(batch, n) {
				b.deliver(log, part)
			}
			return
		default:
			b.giveUp(log, batch, err)
			return
		}
	}
}

// append sends a batch until the server takes or refuses it, or Close's context ends: the same bytes under the same key each time.
func (b *Batcher) append(log string, batch [][]byte) error {
	r := request{
		method: http.MethodPost, path: []string{"logs", log, "append_batch"}, safe: true,
		header: http.Header{"Idempotency-Key": {newKey()}},
	}
	r.body, r.contentType = joinTexts(batch)
	for n := 0; ; n++ {
		if b.ctx.Err() != nil {
			return context.Cause(b.ctx)
		}
		var a answer
		err := b.client.once(b.ctx, r, &a)
		if err == nil {
			_, err = b.client.appended(a, len(batch))
		}
		if err == nil || b.ctx.Err() == nil && !IsTransient(err) {
			return err
		}
		if !wait(b.ctx, retryAfter(err)+jitter(n)) {
			return context.Cause(b.ctx)
		}
	}
}

// giveUp reports events that are not acknowledged, and will not be sent again.
func (b *Batcher) giveUp(log string, events [][]byte, err error) {
	b.mu.Lock()
	b.failed += len(events)
	if b.failure == nil {
		b.failure = err
	}
	b.mu.Unlock()
	if b.options.OnFailure == nil {
		return
	}
	b.failing.Lock()
	defer b.failing.Unlock()
	b.options.OnFailure(log, events, err)
}
