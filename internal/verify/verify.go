// Package verify checks a log together with its views: its hash chain against its rows, and the state of each view against its events.
package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// Verifier verifies logs. It is safe for concurrent use.
type Verifier struct {
	events *eventlog.Reader
	views  *view.Views
}

// New returns a verifier that reads logs and audits views through these.
func New(events *eventlog.Reader, views *view.Views) *Verifier {
	return &Verifier{events: events, views: views}
}

// Request names what is verified.
type Request struct {
	Log   uuid.UUID
	Noted []event.Noted // heads that were noted earlier: the log must lead to them
	Views []string      // audited in this order
}

// Chain is Progress.Part while the hash chain is checked. A view may have that name, too: the chain comes first.
const Chain = "chain"

// Progress is how far one part of a verification is.
type Progress struct {
	Part        string // Chain, or the name of a view
	Done, Total int64  // events
}

// Report is what a verification found.
type Report struct {
	Head     event.Head    // of the log when the verification began
	Chain    event.Checked // what was read of the log, and its faults
	Views    []ViewReport  // one for each view of the request, in its order
	Finished time.Time
	Duration time.Duration
}

// OK reports whether nothing is wrong, and every view was audited or is retired without state.
func (r *Report) OK() bool {
	return r.Chain.Wrong == 0 && !slices.ContainsFunc(r.Views, func(v ViewReport) bool { return !v.OK() })
}

// ViewReport is the audit of one view, or why there is none.
type ViewReport struct {
	View  string
	Audit view.Report // the zero value when Err is set
	Err   error       // what keeps this view, but not the others, from being audited
}

// OK reports whether the view's state is what its events give. Of a retired view whose state is not kept, nothing is left that could be
// wrong.
func (r *ViewReport) OK() bool {
	if r.Err != nil {
		return errors.Is(r.Err, view.ErrStateNotKept)
	}
	return r.Audit.OK
}

// ViewNames returns the names of a log's views that are not retired, sorted, each once. What is read for that is booked in room, which may
// be nil. The error is memory.ErrFull, eventlog.ErrLogNotFound or the database's.
func (v *Verifier) ViewNames(ctx context.Context, log uuid.UUID, room *memory.Hold) ([]string, error) {
	infos, err := v.views.List(ctx, log, room)
	if err != nil {
		return nil, fmt.Errorf("listing the views of a log to verify: %w", err)
	}
	names := make([]string, len(infos))
	for i := range infos {
		names[i] = infos[i].Name
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Verify reads all rows of a log again, checks its hash chain, then audits views one after the other. Appends go on meanwhile. progress is
// called from this goroutine after each page of events. The error is eventlog.ErrLogNotFound, ctx's or the database's: faults, and views
// that cannot be audited, are in the report.
func (v *Verifier) Verify(ctx context.Context, request Request, progress func(Progress)) (*Report, error) {
	began := time.Now()
	of := func(part string) func(done, total int64) {
		return func(done, total int64) { progress(Progress{part, done, total}) }
	}
	head, chain, err := v.events.Verify(ctx, request.Log, eventlog.Verification{Noted: request.Noted, Progress: of(Chain)})
	if err != nil {
		return nil, fmt.Errorf("verifying the chain of a log: %w", err)
	}
	report := &Report{Head: head, Chain: chain}
	for _, name := range request.Views {
		audit, err := v.views.Audit(ctx, request.Log, name, view.AuditOptions{}, of(name))
		if err != nil && !concernsOneView(err) {
			return nil, fmt.Errorf("verifying the views of a log: %w", err)
		}
		report.Views = append(report.Views, ViewReport{View: name, Audit: audit, Err: err})
	}
	report.Finished = time.Now().UTC()
	report.Duration = time.Since(began)
	return report, nil
}

// concernsOneView reports whether an audit failed for a reason that says nothing about the audits of other views.
func concernsOneView(err error) bool {
	var refused *view.RefusedError
	var large *replay.StateTooLargeError
	return errors.Is(err, view.ErrStateNotKept) || errors.Is(err, view.ErrAuditInterrupted) ||
		errors.Is(err, view.ErrViewNotFound) || errors.Is(err, view.ErrVersionNotFound) ||
		errors.Is(err, db.ErrRejectedData) || errors.As(err, &refused) || errors.As(err, &large)
}
