package ingest

import (
	"errors"
	"strconv"

	"github.com/tallystick/tallystick/internal/view"
)

// assignGuarded is assign for a log with guards. Each new event is judged on the state with all before it folded, so events get their
// places one by one, and the views with guards fold each at once. Where the request's events are separate, one that is refused leaves the
// others as if it had not been there.
func (l *lane) assignGuarded(p *plan, log *logPlan, w *waiter, f *view.Folding) (refused, err error) {
	start := log.head.Sequence
	fresh := 0
	w.appended = make([]Appended, len(w.request.Events))
	for i := range w.request.Events {
		placement, refused := p.place(log, w, i, 0, l.config.MaxAhead)
		if refused == nil && !placement.Duplicate {
			if refused = w.request.checkExpected(start); refused != nil {
				log.release(w, []int{i})
				return refused, nil
			}
			if placement.Guards, refused, err = l.appendGuarded(p, log, w, i, f); err != nil {
				return nil, err
			}
		}
		switch {
		case refused == nil && !placement.Duplicate:
			fresh++
		case refused == nil:
		case isOfEvent(refused) && w.request.Separate:
			placement, p.refused = Appended{Err: refused}, true
		default:
			return refused, nil
		}
		w.appended[i] = placement
	}
	p.repeated = p.repeated || fresh < len(w.request.Events)
	return nil, nil
}

// appendGuarded appends the request's event i, whose key is claimed, to the log's plan if the guards admit it.
func (l *lane) appendGuarded(p *plan, log *logPlan, w *waiter, i int, f *view.Folding) (answers string, refused, err error) {
	first, before := len(log.events), log.head
	log.append(&w.request.Events[i], &l.chain, p.now)
	said, err := f.Guard(&log.events[first], l.budget)
	if err == nil {
		return guardsText(said), nil, nil
	}
	log.cut(first, before)
	if no, ok := errors.AsType[*view.RefusedByGuardError](err); ok {
		return "", &RefusedError{Index: i, RefusedByGuardError: no}, nil
	}
	if halted, ok := errors.AsType[*view.GuardHaltedError](err); ok {
		return "", halted, nil
	}
	return "", nil, err
}

// guardsText returns what guards said as Appended.Guards.
func guardsText(said []view.GuardAnswer) string {
	if len(said) == 0 {
		return ""
	}
	text := []byte{'{'}
	for i, one := range said {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendQuote(text, one.View) // the name of a view is letters, digits and a few marks
		text = append(append(text, ':'), one.Answer...)
	}
	return string(append(text, '}'))
}

// isOfEvent reports whether a refusal is about one event of a request, and not about all of it.
func isOfEvent(refused error) bool {
	_, ok := IndexOf(refused)
	return ok
}
