package intake

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// MaxReplayed bounds the rejects of one replay.
	MaxReplayed = 10_000
	// replayPage is how many are read at a time.
	replayPage = 200
)

// Replayed is what became of rejects.
type Replayed struct {
	Summary

	Read        int   // rejects that were looked at
	Unavailable int   // of them: those of which too little was kept
	Next        int64 // the sequence to go on from
	Done        bool  // there are no more
}

// Replay maps rejects of a source again, by what it does now: up to limit of those in its log of rejects, from a sequence on. What maps is
// stored as if it had just been sent, so what is there already is a duplicate; what does not is not kept another time. A record without an
// identity is known by that of its reject: it is stored once, however often it is replayed. The error is as that of Delivery.Add, or
// ErrLogNotFound of package eventlog.
func (in *Intake) Replay(
	ctx context.Context, s *Source, sender Sender, rejects eventlog.Ref, events *eventlog.Reader, from int64, limit int,
) (done Replayed, err error) {
	head, err := events.Head(ctx, rejects.ID)
	if err != nil {
		return done, err
	}
	d := in.Deliver(s, sender, Events)
	d.replaying = true
	done.Next = max(from, 1)
	for done.Read < limit && !done.Done {
		if done.Next > head.Sequence {
			done.Done = true
			break
		}
		page, err := events.Page(ctx, rejects.ID, head, eventlog.Query{From: done.Next, PageBytes: portionBytes},
			min(replayPage, limit-done.Read), MaxReplayed, nil)
		if err != nil {
			return done, err
		}
		for i := range page.Events {
			done.Read++
			if err := d.again(ctx, &page.Events[i], &done); err != nil {
				return done, err
			}
		}
		done.Next, done.Done = page.Through+1, page.Done
	}
	done.Summary, err = d.Finish(ctx)
	return done, err
}

// again takes the record of a reject.
func (d *Delivery) again(ctx context.Context, recorded *event.Recorded, done *Replayed) error {
	var r Reject
	d.number = int(recorded.Sequence) // in what is told of the line
	if err := json.Unmarshal(recorded.Data, &r); err != nil || r.Type != RejectType {
		done.Unavailable++ // somebody else's
		return nil
	}
	record, err := r.Record()
	if err != nil || r.Unread || len(record) == 0 || len(record) > maxRawBytes-utf8.UTFMax && !r.Whole {
		done.Unavailable++
		return nil //nolint:nilerr // it can never be replayed
	}
	d.form = r.Form
	n := 0
	add := func(inner []byte) error {
		as := arrival{key: r.Key, unwrapped: r.Unwrapped, reject: r.ID + ":" + strconv.Itoa(n)}
		n++
		return d.add(ctx, inner, as)
	}
	if r.Unwrapped {
		return add(record)
	}
	err = d.source.Mapping.Unwrap(record, add)
	if invalid := (*event.InvalidError)(nil); errors.As(err, &invalid) {
		return d.refuse(ctx, record, arrival{}, invalid.Code, invalid.Detail)
	}
	return err
}
