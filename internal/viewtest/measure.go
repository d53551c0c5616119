package viewtest

import (
	"context"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// sampleEvents is how many events one sample folds at least, so that reading the clock costs nothing beside it.
	sampleEvents = 1000
	// maxSamples and measureTime bound a measurement; the median of what was taken in that time counts.
	maxSamples  = 200
	measureTime = 200 * time.Millisecond
)

// Measure folds the events again and again, each sample into a state of its own, and returns the median time per event. An event's
// JSON is scanned for the view's fields each time, as an append does. ok is false when there is nothing to measure: no
// events, or a view that halts over them.
func (v *View) Measure(ctx context.Context, events []Event) (perEvent time.Duration, ok bool, err error) {
	if len(events) == 0 {
		return 0, false, nil
	}
	var samples []time.Duration
	most := wasm.MaxBatchEvents
	for began := time.Now(); len(samples) < maxSamples && (time.Since(began) < measureTime || len(samples) == 0); {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		took, folded, err := v.sample(ctx, events, most)
		if err == nil && folded == 0 && most > 1 {
			most /= 4 // a batch of that many may take too much gas
			continue
		}
		if err != nil || folded == 0 {
			return 0, false, err
		}
		samples = append(samples, took/time.Duration(folded))
	}
	slices.Sort(samples)
	return samples[len(samples)/2], true, nil
}

// sample folds all events in one session, again and again until there are enough, up to most in one call where the view takes them so. It
// returns how many it folded; 0 when the view fails.
func (v *View) sample(ctx context.Context, events []Event, most int) (took time.Duration, folded int, err error) {
	session, err := v.Start(ctx, State{})
	if err != nil {
		return 0, 0, err
	}
	defer session.Close()
	batch := make([]wasm.Event, min(len(events), most))
	began := time.Now()
	for folded < sampleEvents {
		for at := 0; at < len(events); {
			n := min(len(batch), len(events)-at)
			for i := range n {
				if err := v.read(&batch[i], int64(folded+i+1), &events[at+i]); err != nil {
					return 0, 0, err
				}
			}
			if err := foldEach(session, batch[:n]); err != nil {
				return 0, 0, nil //nolint:nilerr // the folder's outcome shows that it halts
			}
			at += n
			folded += n
		}
	}
	return time.Since(began), folded, nil
}

func foldEach(session *wasm.Session, events []wasm.Event) error {
	for len(events) > 0 {
		n, err := session.FoldBatch(events)
		if n == 0 && err == nil {
			n = 1
			_, err = session.Fold(&events[0])
		}
		if err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}
