package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
)

const (
	// limitPatience is how long a portion waits until its sender's rate has room for it: most gateways drop what they are refused with 429,
	// and a delivery that is sent again would find the rate used up by its own first portions.
	limitPatience = 20 * time.Second
	// maxRounds bounds how often a portion is appended: again for logs that turned out not to exist, and in halves for views that need too
	// much for all of a log's events at once.
	maxRounds = 40
)

// part is the events of a portion that are for one log.
type part struct {
	log   eventlog.Ref
	lines []*line
}

// commit appends the portion's events, and what was rejected to the log of rejects. When it returns nil, all are durable.
func (d *Delivery) commit(ctx context.Context) error {
	if len(d.lines) == 0 {
		return nil
	}
	if d.sender.Still != nil {
		if err := d.sender.Still(); err != nil {
			return err
		}
	}
	if err := d.waitForLimits(ctx); err != nil {
		return err
	}
	waiting := make([]*line, 0, len(d.lines))
	for i := range d.lines {
		if l := &d.lines[i]; !l.failed && !l.result.Skipped {
			waiting = append(waiting, l)
		}
	}
	if err := d.store(ctx, waiting); err != nil {
		return err
	}
	if err := d.keepRejects(ctx); err != nil {
		return err
	}
	return d.tell()
}

// waitForLimits charges the portion's lines to the sender's limits, and waits where its rate is exceeded.
func (d *Delivery) waitForLimits(ctx context.Context) error {
	for began := time.Now(); ; {
		err := d.sender.Account.Events(len(d.lines))
		var exceeded *limits.ExceededError
		if !errors.As(err, &exceeded) || time.Since(began)+exceeded.Wait() > limitPatience {
			return err
		}
		select {
		case <-time.After(exceeded.Wait()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errManyRounds: whatever the portion was to be appended to kept vanishing.
var errManyRounds = fmt.Errorf("%w: a portion was not stored after %d rounds", ingest.ErrBusy, maxRounds)

// store appends the lines to their logs.
func (d *Delivery) store(ctx context.Context, waiting []*line) error {
	for range maxRounds {
		if len(waiting) == 0 {
			return nil
		}
		parts, err := d.divide(ctx, waiting)
		if err != nil {
			return err
		}
		if waiting, err = d.append(ctx, parts); err != nil {
			return err
		}
	}
	return errManyRounds
}

// divide divides lines by the logs that they are for, makes those that are missing where the source may, and rejects lines for which there
// is no log. The order of a log's lines stays.
func (d *Delivery) divide(ctx context.Context, waiting []*line) ([]*part, error) {
	byName := make(map[string]*part)
	names := make([]string, 0, len(byName))
	for _, l := range waiting {
		if byName[l.log] == nil {
			byName[l.log] = &part{}
			names = append(names, l.log)
		}
		byName[l.log].lines = append(byName[l.log].lines, l)
	}
	logs, err := d.findLogs(ctx, names)
	if err != nil {
		return nil, err
	}
	parts := make([]*part, 0, len(names))
	for _, name := range names {
		p := byName[name]
		if found := logs[name]; found.err != nil {
			p.reject(found.err.Code, found.err.Detail)
			continue
		}
		p.log = logs[name].Ref
		parts = append(parts, p)
	}
	return parts, nil
}

func (p *part) reject(code, detail string) {
	for _, l := range p.lines {
		l.reject(code, detail)
	}
}

func (l *line) reject(code, detail string) {
	l.failed, l.result = true, Result{Line: l.number, Code: code, Detail: detail}
}

// append appends the parts, all at once, and waits for all. It returns the lines that have to be tried again: of logs that turned out not
// to exist, and of those whose views need too much for all of their lines.
func (d *Delivery) append(ctx context.Context, parts []*part) (again []*line, _ error) {
	type pendingPart struct {
		*part
		ingest.Pending

		began time.Time
	}
	pending := make([]pendingPart, 0, len(parts))
	var failure error
	for _, p := range parts {
		var reached *limits.ReachedError
		if err := d.sender.Account.Append(ctx, p.log.ID); errors.As(err, &reached) {
			p.reject("limit_reached", reached.Error()+": an operator can raise it")
			continue
		} else if err != nil {
			failure = errors.Join(failure, err)
			continue // what is for other logs is stored all the same
		}
		request := ingest.Request{Events: make([]event.Event, len(p.lines)), Expected: ingest.AnySequence, Separate: true}
		for i, l := range p.lines {
			request.Events[i] = l.event
		}
		began := time.Now()
		waiting, err := d.intake.ingest.Enqueue(p.log.ID, request)
		if err != nil {
			failure = errors.Join(failure, err)
			continue
		}
		pending = append(pending, pendingPart{p, waiting, began})
	}
	for _, p := range pending { // also after a failure: a client that is told to come back should find what is on its way
		placements, err := p.Wait()
		var costly *ingest.TooCostlyError
		switch {
		case err == nil:
			d.place(p.part, placements, time.Since(p.began))
		case errors.Is(err, eventlog.ErrLogNotFound): // the database was set back: there may be another log of that name, or a new one
			d.intake.logs.Forget(d.sender.Tenant, p.log.Name)
			again = append(again, p.lines...)
		case errors.As(err, &costly) && len(p.lines) == 1:
			p.reject("append_too_costly", costly.Error())
		case errors.Is(err, db.ErrRejectedData) && len(p.lines) == 1:
			p.reject("value_refused", "the database refuses a value of the event")
		case errors.As(err, &costly), errors.Is(err, db.ErrRejectedData), errors.Is(err, memory.ErrFull) && len(p.lines) > 1:
			within := len(p.lines) / 2
			if costly != nil {
				within = costly.Events
			}
			more, err := d.appendHalves(ctx, p.part, within)
			again = append(again, more...)
			failure = errors.Join(failure, err)
		default:
			failure = errors.Join(failure, err)
		}
	}
	return again, failure
}

// appendHalves appends a part in two.
func (d *Delivery) appendHalves(ctx context.Context, p *part, within int) (again []*line, _ error) {
	first := min(max(within, 1), len(p.lines)-1)
	for _, lines := range [][]*line{p.lines[:first], p.lines[first:]} {
		more, err := d.append(ctx, []*part{{log: p.log, lines: lines}})
		if again = append(again, more...); err != nil {
			return again, err
		}
	}
	return again, nil
}

// place records where the lines of a part are.
func (d *Delivery) place(p *part, placements []ingest.Appended, took time.Duration) {
	for i, placed := range placements {
		l := p.lines[i]
		var reused *ingest.KeyReusedError
		var ahead *ingest.TooFarAheadError
		var refused *ingest.RefusedError
		switch {
		case errors.As(placed.Err, &reused):
			l.reject("idempotency_key_reused", reusedDetail(reused))
		case errors.As(placed.Err, &ahead):
			l.reject("event_too_far_ahead", ahead.Error())
		case errors.As(placed.Err, &refused):
			l.reject("refused_by_guard", refusedDetail(refused))
			l.result.Status, l.result.View, l.result.Answer = refused.Status, refused.View, refused.Answer
		default:
			l.result.Sequence, l.result.Duplicate = placed.Sequence, placed.Duplicate
		}
	}
	if d.sender.Placed != nil {
		d.sender.Placed(p.log.ID, placements, took)
	}
}

// reusedDetail does not quote the key: it is a value of the record.
func reusedDetail(err *ingest.KeyReusedError) string {
	if err.Sequence == 0 {
		return "another line of the same delivery has the same identity, and other content"
	}
	return fmt.Sprintf("the identity belongs to event %d of the log, which has other content", err.Sequence)
}

// refusedDetail has the guard's own words: status and answer.
func refusedDetail(err *ingest.RefusedError) string {
	detail := fmt.Sprintf("the view %s does not admit the event: %d", err.View, err.Status)
	if err.Answer != nil {
		detail += " " + string(err.Answer)
	}
	return detail
}

// tell counts the portion's lines, passes their results on, and begins the next portion.
func (d *Delivery) tell() error {
	results, before := make([]Result, len(d.lines)), d.summary.Duplicates
	for i := range d.lines {
		l := &d.lines[i]
		results[i] = l.result
		switch {
		case l.failed:
			d.summary.Rejected++
			if d.summary.FirstRejected == nil {
				d.summary.FirstRejected = &RejectedLine{Line: l.number, Code: l.result.Code, Detail: l.result.Detail}
			}
		case l.result.Skipped:
			d.summary.Skipped++
		case l.result.Duplicate:
			d.summary.Duplicates++
		default:
			d.summary.Stored++
		}
	}
	// Else a delivery whose portions take longer than its patience would use up what its repetitions need to get any further.
	d.sender.Account.ReturnEvents(d.summary.Duplicates - before)
	d.intake.stats.count(d.source, results)
	clear(d.lines)
	d.lines, d.bytes = d.lines[:0], 0
	d.sender.Room.Shrink(BaseBytes + d.held)
	if d.Results == nil {
		return nil
	}
	return d.Results(results)
}
