package tally

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
)

// TailOptions select events, and who is told about lost connections.
type TailOptions struct {
	FollowOptions
	// After is the sequence after which to start: 0 for the log's beginning. nil: the log's head at the time of the call.
	After *int64
	// Type selects events of one type; "" for all.
	Type string
}

// Tail follows a log: it yields events as they are committed, each once and in order, over any number of connections, until ctx ends,
// the loop is left, or the server refuses. Its last pair is then that error: the cause of ctx, or an *Error such as unknown_event_id, where
// the log was set back.
func (c *Client) Tail(ctx context.Context, log string, o *TailOptions) iter.Seq2[Event, error] {
	o = orNew(o)
	return func(yield func(Event, error) bool) {
		f := following{
			FollowOptions: o.FollowOptions, client: c, request: get("logs", log, "tail").with("type", o.Type), resumes: true,
		}
		last := int64(0)
		if o.After != nil {
			last, f.last = *o.After, strconv.FormatInt(*o.After, 10)
		}
		f.handle = func(m message) error {
			if m.event != "event" {
				return nil // from a later version
			}
			sequence, err := strconv.ParseInt(m.id, 10, 64)
			if err != nil {
				return c.stranger(nil, fmt.Errorf("it has an event whose id, %.100q, is no sequence", m.id))
			}
			if sequence <= last {
				return nil // delivered before
			}
			var e Event
			if err := json.Unmarshal(m.data, &e); err != nil {
				return c.stranger(nil, err)
			}
			if last = sequence; !yield(e, nil) {
				return errEnough
			}
			return nil
		}
		if err := f.run(ctx); !errors.Is(err, errEnough) {
			yield(Event{}, err)
		}
	}
}
