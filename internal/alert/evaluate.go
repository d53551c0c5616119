package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// maxEvaluation is how long a view may take to answer, with its waits for others.
	maxEvaluation = 30 * time.Second
	// maxWindowBytes bounds what an answer may have as its window.
	maxWindowBytes = 200
)

// errUnknownAlerts: the database has not said yet which alerts there are.
var errUnknownAlerts = errors.New("it is not known which alerts there are")

// work evaluates one log after the other until ctx ends.
func (a *Alerts) work(ctx context.Context, slow bool) {
	for {
		j, err := a.queue.take(ctx, slow)
		if err != nil {
			return
		}
		began := time.Now()
		tenant, err := a.evaluate(ctx, j.log)
		took := time.Since(began)
		if err != nil && ctx.Err() == nil {
			a.stats.Retries.Inc()
			a.config.Log.LogAttrs(ctx, slog.LevelWarn, "the alerts of a log could not be evaluated; trying again",
				slog.String("log", j.log.String()), slog.Any("error", err))
		}
		a.queue.done(j, tenant, took, err != nil)
	}
}

// evaluate evaluates all alerts that cover a log. The error is the database's, or says that there was no memory: it is to be tried again.
func (a *Alerts) evaluate(ctx context.Context, log uuid.UUID) (tenant uuid.UUID, err error) {
	set := a.known.set.Load()
	if set == nil {
		return tenant, errUnknownAlerts
	}
	tenant, name, known := a.logs.Owner(log)
	if !known {
		row, err := a.db.LogOwner(ctx, a.db.Read, log)
		if err = db.Classify(err); errors.Is(err, db.ErrNotFound) {
			return tenant, nil // a database that was set back to before it
		} else if err != nil {
			return tenant, fmt.Errorf("reading a log's name: %w", err)
		}
		tenant, name = row.TenantID, row.Name
	}
	alerts := set.coveredBy(log, tenant, name)
	if len(alerts) == 0 {
		return tenant, nil
	}
	began := time.Now()
	stood, err := a.standing(ctx, log, alerts)
	if err != nil {
		return tenant, err
	}
	e := &evaluation{alerts: a, log: log, name: name, now: a.now(), answers: map[string]answer{}}
	defer e.room.Release()
	e.room = a.config.Room.Hold()
	for i, alert := range alerts {
		if err := e.evaluate(ctx, alert, stood[i]); err != nil {
			return tenant, err
		}
	}
	a.stats.Evaluations.Add(int64(len(alerts)))
	a.stats.Times.ObserveTime(time.Since(began))
	return tenant, nil
}

// now is the time in whole microseconds, as PostgreSQL has it.
func (a *Alerts) now() time.Time { return a.config.Now().UTC().Truncate(time.Microsecond) }

// evaluation is one of all alerts of a log. Alerts that ask the same share the answer.
type evaluation struct {
	alerts  *Alerts
	log     uuid.UUID
	name    string
	now     time.Time
	answers map[string]answer
	room    *memory.Hold
}

// answer is a view's answer, or what is wrong with it.
type answer struct {
	body     []byte
	sequence int64
	err      string
}

func (e *evaluation) evaluate(ctx context.Context, alert *Alert, was state) error {
	at := moment{now: e.now}
	if alert.calendar != "" {
		at.from, at.to = alert.calendar.at(e.now, alert.zone)
		if before, err := time.Parse(time.RFC3339, was.window.key); err == nil {
			from, to := alert.calendar.at(before, alert.zone)
			switch {
			case from.After(at.from): // another server's clock is ahead
				at.from, at.to = from, to
			case from.Before(at.from) && (alert.asksOf(wordStart) || alert.asksOf(wordEnd)):
				// What came in just before the end of the window may not have been seen.
				closing := moment{now: e.now, from: from, to: to}
				if was, err = e.at(ctx, alert, was, closing); err != nil {
					return err
				}
			}
		}
	}
	_, err := e.at(ctx, alert, was, at)
	return err
}

// at evaluates an alert at a moment, and returns how it stands then.
func (e *evaluation) at(ctx context.Context, alert *Alert, was state, at moment) (state, error) {
	answer, err := e.ask(ctx, alert, at)
	if err != nil {
		return was, err
	}
	r := alert.read(answer, at)
	if r.err != "" {
		e.alerts.stats.Failures.Inc()
		if storable(r.err) == was.err && r.at.Sub(was.at) < firstRetry { // it is known, and will be looked at again
			return was, nil
		}
	}
	if hook := e.alerts.beforeRecord; hook != nil {
		hook(ctx, e.log)
	}
	if now, _ := alert.next(was, r); r.err == "" && !was.nonce.IsZero() && now.same(&was) {
		marked, err := e.alerts.mark(ctx, e.log, alert, was, now)
		if marked || err != nil {
			return now, err
		}
	}
	return e.alerts.recordReading(ctx, e.log, e.name, alert, r)
}

// ask asks an alert's question, once for all that ask the same.
func (e *evaluation) ask(ctx context.Context, alert *Alert, at moment) (answer, error) {
	query := alert.query(at)
	key := alert.View + "?" + query
	if known, ok := e.answers[key]; ok {
		return known, nil
	}
	bounded, cancel := context.WithTimeout(ctx, maxEvaluation)
	defer cancel()
	got, err := e.alerts.views.Renew(bounded, e.log, alert.View, query, e.room)
	found, err := answerOf(&got, err)
	switch {
	case err != nil && bounded.Err() != nil && ctx.Err() == nil:
		found.err = fmt.Sprintf("the view took longer than %v to answer", maxEvaluation)
	case err != nil:
		return answer{}, fmt.Errorf("asking the view %s: %w", alert.View, err)
	}
	e.answers[key] = found
	return found, nil
}

// answerOf is what a view has answered, or why it never will. The error is one that another try may not meet.
func answerOf(got *view.Answer, err error) (answer, error) {
	found := answer{body: got.Body, sequence: got.Sequence}
	switch {
	case err != nil:
		var known bool
		if found.err, known = reasonOf(err); !known {
			return answer{}, err
		}
	case got.Type != "application/json":
		found.err = fmt.Sprintf("the view answers with %s, and not with JSON", got.Type)
	}
	return found, nil
}

// reasonOf says why a view has no answer, as far as that is not for another try to change.
func reasonOf(err error) (reason string, known bool) {
	var building *view.BuildingError
	var halted *view.HaltedError
	var failed *view.QueryError
	switch {
	case errors.Is(err, view.ErrViewNotFound):
		return "the log has no view of that name", true
	case errors.Is(err, view.ErrViewRetired):
		return "the view is retired", true
	case errors.Is(err, eventlog.ErrLogNotFound):
		return "there is no such log", true
	case errors.As(err, &building):
		return "the view is being built", true
	case errors.As(err, &halted):
		return halted.Error(), true
	case errors.As(err, &failed) && failed.Refused:
		return "the view refused the question: " + failed.Reason, true
	case errors.As(err, &failed):
		return "the view failed over the question: " + failed.Reason, true
	}
	return "", false
}

// read reads from an answer what the alert is about.
func (a *Alert) read(from answer, at moment) reading {
	r := reading{at: at.now, sequence: from.sequence, err: from.err}
	if r.err != "" {
		return r
	}
	values := make([]jsonscan.Value, a.pointers.Len())
	if err := a.pointers.Scan(from.body, values); err != nil {
		r.err = "the view's answer cannot be read: " + err.Error()
		return r
	}
	r.value, r.of = number{value: zero}, number{value: zero}
	var ok bool
	switch value := values[0]; {
	case value.Kind <= jsonscan.Null && a.absent != nil:
		r.value = *a.absent
	case value.Kind <= jsonscan.Null:
		r.err = "the answer has nothing at value, " + a.value
	default:
		if r.value, ok = numberOf(value); !ok {
			r.err = "what the answer has at value, " + a.value + ", is no number"
		}
	}
	switch {
	case r.err != "":
		return r
	case a.of != nil:
		r.of = *a.of
	case a.ofAt > 0:
		if r.of, ok = numberOf(values[a.ofAt]); !ok {
			r.err = "the answer has no number at of"
			return r
		}
	}
	switch {
	case a.calendar != "":
		r.window = window{key(at.from), at.to.UTC()}
	case a.windowAt > 0:
		r.window, r.err = windowOf(values[a.windowAt], at.now)
	}
	return r
}

// windowOf reads which window an answer is about. A time that is still to come is its end.
func windowOf(value jsonscan.Value, now time.Time) (w window, err string) {
	switch {
	case value.Kind <= jsonscan.Null:
		return w, ""
	case value.Kind >= jsonscan.Array || len(value.Text) > maxWindowBytes || slices.Contains(value.Text, 0):
		return w, fmt.Sprintf("what the answer has at window is no text or number of up to %d bytes", maxWindowBytes)
	}
	w.key = string(value.Text)
	if end, err := time.Parse(time.RFC3339, w.key); err == nil && end.After(now) {
		w.end = end.UTC().Truncate(time.Microsecond)
	}
	return w, ""
}
