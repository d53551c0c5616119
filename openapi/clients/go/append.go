package tally

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// AppendOptions go beside events.
type AppendOptions struct {
	// IdempotencyKey is the identity of an event without an id of its own; in a batch, event n (from 0) gets it with :n added. "": the
	// client makes one for this call, so that its own retries count once.
	IdempotencyKey string
	// ExpectedSequence appends only if the log's last sequence is this one, 0 for an empty log; else the error's code is sequence_mismatch.
	// nil: wherever the log ends.
	ExpectedSequence *int64
	// DryRun asks what would happen: the answer, or the error, is that of the append, and nothing is stored.
	DryRun bool
}

// dryRun is the parameter's value.
func (o *AppendOptions) dryRun() string {
	if o != nil && o.DryRun {
		return "true"
	}
	return ""
}

func (o *AppendOptions) header() (header http.Header, ownKey bool) {
	o = orNew(o)
	key := o.IdempotencyKey
	if ownKey = key == ""; ownKey {
		key = newKey()
	}
	header = http.Header{"Idempotency-Key": {key}}
	if o.ExpectedSequence != nil {
		header.Set("Expected-Sequence", strconv.FormatInt(*o.ExpectedSequence, 10))
	}
	return header, ownKey
}

// Appended is what became of an event.
type Appended struct {
	Sequence int64 `json:"sequence"`
	// Duplicate: it was there before, by its id or its key, and counts once. False where only a retry within the call found it there.
	Duplicate bool `json:"duplicate"`
	Ahead     bool `json:"ahead"` // its time is more than a day ahead of the server's
	// Guards is what guards of views say of the event that they admit, by the views' names: JSON objects, such as that it is over a soft
	// limit. A guard need not say anything, and says nothing of a duplicate.
	Guards map[string]json.RawMessage `json:"guards,omitempty"`
	DryRun bool                       `json:"dry_run,omitempty"` // nothing was stored, as asked for
}

// AppendEvent appends one event, and returns when it is durable and counted in every live view. An event is a JSON object of at most 1 MiB:
// []byte, json.RawMessage and string are sent byte for byte, anything else as encoding/json writes it, once. If the guard of a view refuses
// it, the error's code is CodeRefusedByGuard, and nothing is stored.
func (c *Client) AppendEvent(ctx context.Context, log string, event any, o *AppendOptions) (Appended, error) {
	r, err := sending(http.MethodPost, event, "logs", log, "append")
	if err != nil {
		return Appended{}, err
	}
	var ownKey bool
	r.header, ownKey = o.header()
	r = r.with("dry_run", o.dryRun())
	r.safe = true
	var appended Appended
	a, err := c.call(ctx, r, &appended)
	if err == nil && appended.Sequence < 1 {
		err = c.stranger(a.header, errors.New("it has no sequence"))
	}
	if ownKey && a.tries > 1 {
		appended.Duplicate = false
	}
	return appended, err
}

// AppendedBatch is what became of a batch.
type AppendedBatch struct {
	FirstSequence int64 `json:"first_sequence"` // the smallest of the batch's events
	LastSequence  int64 `json:"last_sequence"`  // the largest
	Appended      int   `json:"appended"`       // events that are new
	Ahead         int   `json:"ahead"`          // new events whose time is more than a day ahead of the server's
	// Duplicates were there before, and count once. None where a retry within the call found all of the batch there, and the client had
	// made its key.
	Duplicates []DuplicateEvent `json:"duplicates"`
	DryRun     bool             `json:"dry_run,omitempty"` // nothing was stored, as asked for
}

// DuplicateEvent is an event of a batch that was there before.
type DuplicateEvent struct {
	Line     int   `json:"line"` // of the batch, from 1
	Sequence int64 `json:"sequence"`
}

// AppendEvents appends events in their order, all or none, and returns when they are durable and counted in every live view. They are a
// slice of events, each as AppendEvent takes them, or lines of JSON in []byte or a string, which are sent byte for byte. A batch has at
// most 10,000 events and 10 MiB. Where one is refused, the error's Line is its place, from 1.
func (c *Client) AppendEvents(ctx context.Context, log string, events any, o *AppendOptions) (AppendedBatch, error) {
	r := request{method: http.MethodPost, path: []string{"logs", log, "append_batch"}, safe: true}
	var err error
	if r.body, r.contentType, err = encodeBatch(events); err != nil {
		return AppendedBatch{}, err
	}
	var ownKey bool
	r.header, ownKey = o.header()
	a, err := c.ask(ctx, r.with("dry_run", o.dryRun()))
	if err != nil {
		return AppendedBatch{}, err
	}
	batch, err := c.appended(a, 1)
	if ownKey && a.tries > 1 && batch.Appended == 0 {
		batch.Appended, batch.Duplicates = len(batch.Duplicates), nil
	}
	return batch, err
}

// appended reads the answer to a batch of at least that many events. Something in between that answers 200 has stored nothing.
func (c *Client) appended(a answer, events int) (batch AppendedBatch, err error) {
	if err := json.Unmarshal(a.body, &batch); err != nil {
		return batch, c.stranger(a.header, fmt.Errorf("%w: %.200q", err, a.body))
	}
	if n := batch.Appended + len(batch.Duplicates); n < events {
		return batch, c.stranger(a.header, fmt.Errorf("it accounts for %d events of %d", n, events))
	}
	return batch, nil
}

// Sequence returns a pointer to a sequence, as options have it.
func Sequence(n int64) *int64 { return &n }
