package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/source"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// portionLines and portionBytes bound what is mapped before it is committed: what a delivery holds in memory, however long it is. The
	// bytes are those of events and of the records that they come from.
	portionLines = 4_000
	portionBytes = 512 << 10
	// lineBytes is about the memory of a line beside its bytes.
	lineBytes = 512
	// leastStep and mostStep are how much memory is booked ahead: as much as there is, within these.
	leastStep, mostStep = 16 << 10, 256 << 10
	// BaseBytes is about what a delivery holds, in bytes, beside its lines and what whoever reads it says: its goroutine, and the buffers
	// of its connection.
	BaseBytes = 32 << 10
)

// Form is how a delivery's records came: what a record of the log of rejects was, so that it can be mapped again.
type Form string

// The forms. Those of OTLP are kept as the objects that package otlp makes of them.
const (
	Events Form = "events"
	Logs   Form = "logs"
	Traces Form = "traces"
)

// ErrNeverFits: what is held of a delivery at once, beside its lines, is more than the server has for one request.
var ErrNeverFits = fmt.Errorf("%w: a part of the delivery takes more than there is for a request", memory.ErrFull)

// Intake is safe for concurrent use.
type Intake struct {
	db     *db.DB
	logs   *eventlog.Logs
	ingest *ingest.Ingester
	stats  *Stats
}

// New returns an intake that appends with the ingester.
func New(d *db.DB, logs *eventlog.Logs, ingester *ingest.Ingester) *Intake {
	return &Intake{db: d, logs: logs, ingest: ingester, stats: newStats()}
}

// Sender is who sends a delivery.
type Sender struct {
	Tenant  uuid.UUID
	Sees    func(log string) bool // which logs there are for the sender
	Account limits.Account
	Room    *memory.Hold // for what the delivery holds; nil: without bound
	// Path, RequestID and KeyName say in rejects where they came from; "" for what is not known.
	Path, RequestID, KeyName string
	// Still is asked before each portion whether the sender may go on; may be nil. Its error ends the delivery.
	Still func() error
	// Placed is called with what was appended to a log, and how long that took; may be nil.
	Placed func(log uuid.UUID, placements []ingest.Appended, took time.Duration)
}

// Summary is what became of a delivery.
type Summary struct {
	Stored        int           `json:"stored"`
	Duplicates    int           `json:"duplicates"`
	Skipped       int           `json:"skipped"`
	Rejected      int           `json:"rejected"`
	FirstRejected *RejectedLine `json:"first_rejected,omitempty"`
}

// RejectedLine is a line that was kept in the log of rejects.
type RejectedLine struct {
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Result is what became of one line: it is at a sequence of a log, or was skipped or rejected.
type Result struct {
	Line      int    `json:"line"`
	Log       string `json:"log,omitempty"`
	Sequence  int64  `json:"sequence,omitempty"`
	Duplicate bool   `json:"duplicate,omitempty"`
	Skipped   bool   `json:"skipped,omitempty"`
	Code      string `json:"code,omitempty"`
	Detail    string `json:"detail,omitempty"`
	// Of an event that a guard refused: by which status, the view, and what it said.
	Status int             `json:"status,omitempty"`
	View   string          `json:"view,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// Delivery takes the records of one request, portion by portion: each is committed before the next one is mapped. After an error, what was
// committed stays; the same delivery sent again finds it there. It is for one goroutine.
type Delivery struct {
	intake *Intake
	source *Source
	sender Sender
	form   Form
	// Key is the idempotency key that came with the delivery, "" for none: line n, from 1, without an identity of its own gets the key with
	// :n-1 added, and the records after the first of an envelope that is line n get it with :n-1.1, :n-1.2 and so on.
	Key string
	// Results is called with the results of lines that are committed; may be nil. Its error ends the delivery.
	Results func([]Result) error

	replaying bool // of rejects, which are kept already

	lines   []line
	bytes   int
	held    int64 // by whoever reads the delivery
	number  int   // of the last line
	summary Summary
}

// line is an event on its way to its log, or what is known of a record that becomes none.
type line struct {
	number int
	log    string
	event  event.Event
	record kept // of the record
	as     arrival
	result Result
	failed bool // rejected
}

// arrival is how a record came.
type arrival struct {
	key       string // the idempotency key beside it; "" for none
	unwrapped bool   // it was taken out of its envelope
	unread    bool   // it is no record, but a line or a body that could not be read
	reject    string // of which reject it is: by what a record without an identity is known then
}

// kept is what the log of rejects would keep of a record.
type kept struct {
	raw    []byte
	bytes  int               // that the record has
	whole  bool              // raw is all of it
	digest [sha256.Size]byte // of the record where it is not, and no event was made of it; that is as good
}

// Deliver begins a delivery to a source.
func (in *Intake) Deliver(s *Source, sender Sender, form Form) *Delivery {
	return &Delivery{intake: in, source: s, sender: sender, form: form}
}

// Add takes the next record, which must not change until Add returns. The error is memory.ErrFull, a limit's, ingest.ErrBusy or another
// transient one of Ingester.Append, or the database's; or ErrNeverFits, which is not.
func (d *Delivery) Add(ctx context.Context, record []byte) error {
	d.number++
	n := 0
	var failure error
	err := d.source.Mapping.Unwrap(record, func(inner []byte) error {
		failure = d.add(ctx, inner, arrival{key: d.given(n), unwrapped: d.source.Mapping.Unwraps()})
		n++
		return failure
	})
	if invalid := (*event.InvalidError)(nil); failure == nil && errors.As(err, &invalid) {
		return d.refuse(ctx, record, arrival{key: d.given(0)}, invalid.Code, invalid.Detail)
	}
	return err
}

// AddLong is Add for an envelope that is read as it comes: e has all but Fault. begin is the beginning of it, for its reject if it has no
// records. Each of its elements that is not as the mapping says is a reject of its own. The error may also be one of reading.
func (d *Delivery) AddLong(ctx context.Context, begin []byte, e source.Envelope) error {
	d.number++
	n := 0
	begin = bytes.Clone(begin[:min(len(begin), leastStep)])
	var failure error
	e.Fault = func(element []byte, fault *event.InvalidError) error {
		failure = d.refuse(ctx, element, arrival{key: d.given(n), unread: true}, fault.Code, fault.Detail)
		n++
		return failure
	}
	err := d.source.Mapping.Walk(e, func(record []byte) error {
		failure = d.add(ctx, record, arrival{key: d.given(n), unwrapped: true})
		n++
		return failure
	})
	if invalid := (*event.InvalidError)(nil); failure == nil && errors.As(err, &invalid) {
		return d.refuse(ctx, begin, arrival{key: d.given(n), unread: true}, invalid.Code, invalid.Detail)
	}
	return err
}

// Hold books so many bytes of the sender's room for whoever reads the delivery, instead of what it had; less is always to be had. It may
// commit a portion, and wait. The errors are those of Add; then nothing more is booked.
func (d *Delivery) Hold(ctx context.Context, bytes int64) error {
	had := d.held
	d.held = bytes
	err := d.book(ctx)
	if err != nil {
		d.held = had
	}
	return err
}

// Refuse takes what should have been the next record, and is none. whole says that raw is all of it.
func (d *Delivery) Refuse(ctx context.Context, raw []byte, whole bool, code, detail string) error {
	d.number++
	allowed, all := d.source.Mapping.RejectRaw(raw)
	k := keep(raw, allowed, all && whole)
	k.digest = sha256.Sum256(raw)
	return d.reject(ctx, k, arrival{unread: true}, code, detail)
}

func (d *Delivery) add(ctx context.Context, record []byte, as arrival) error {
	mapped, e := mapRecord(d.source.Mapping, record, as.key)
	switch mapped.Outcome {
	case source.Skipped:
		return d.take(ctx, line{result: Result{Skipped: true}})
	case source.Rejected:
		return d.refuse(ctx, record, as, mapped.Code, mapped.Detail)
	case source.Mapped:
	}
	if !d.sender.Sees(mapped.Log) {
		return d.refuse(ctx, record, as, "outside_pattern", "the key is not for logs of that name")
	}
	if as.reject != "" && e.KeyHash.IsZero() {
		if err := e.SetKey(as.reject); err != nil {
			return err
		}
	}
	l := line{log: mapped.Log, event: e, as: as, result: Result{Log: mapped.Log}, record: keep(record, mapped.Raw, mapped.Whole)}
	if !isSame(l.record.raw, mapped.Event) {
		l.record.raw = bytes.Clone(l.record.raw)
		d.bytes += len(l.record.raw)
	}
	return d.take(ctx, l)
}

// given returns the idempotency key that came with a record, which is the nth of its envelope, from 0; "" for none.
func (d *Delivery) given(n int) string {
	switch {
	case d.Key == "":
		return ""
	case n == 0:
		return d.Key + ":" + strconv.Itoa(d.number-1)
	}
	return d.Key + ":" + strconv.Itoa(d.number-1) + "." + strconv.Itoa(n)
}

// refuse rejects a record.
func (d *Delivery) refuse(ctx context.Context, record []byte, as arrival, code, detail string) error {
	raw, whole := d.source.Mapping.RejectRaw(record)
	k := keep(record, raw, whole)
	if !k.whole {
		k.digest = sha256.Sum256(record)
	}
	return d.reject(ctx, k, as, code, detail)
}

func (d *Delivery) reject(ctx context.Context, record kept, as arrival, code, detail string) error {
	record.raw = bytes.Clone(record.raw)
	d.bytes += len(record.raw)
	return d.take(ctx, line{failed: true, as: as, record: record, result: Result{Code: code, Detail: detail}})
}

// keep returns what the log of rejects would keep of a record of which the mapping leaves it raw.
func keep(record, raw []byte, whole bool) kept {
	return kept{raw: cut(raw), bytes: len(record), whole: whole && len(raw) <= maxRawBytes}
}

// take adds a line to the portion, and commits that when it is full.
func (d *Delivery) take(ctx context.Context, l line) error {
	l.number, l.result.Line = d.number, d.number
	d.bytes += len(l.event.Data)
	d.lines = append(d.lines, l)
	if err := d.book(ctx); err != nil || len(d.lines) == 0 {
		return err
	}
	if len(d.lines) < portionLines && d.bytes < portionBytes {
		return nil
	}
	return d.commit(ctx)
}

// book books what the delivery holds, in steps. Where there is no room, the portion is committed as it is: whoever waits holds nothing that
// others wait for. As long as a line fits into what is kept for small holds, there is no need to wait at all.
func (d *Delivery) book(ctx context.Context) error {
	for {
		need := BaseBytes + d.held + int64(d.bytes+len(d.lines)*lineBytes)
		if need <= d.sender.Room.Bytes() {
			return nil
		}
		ahead := min(max(need, leastStep), mostStep)
		if d.sender.Room.TryGrow(need+ahead) == nil || d.sender.Room.TryGrow(need) == nil {
			return nil
		}
		if len(d.lines) == 0 {
			d.lines = nil // what they had room for
			err := d.sender.Room.Grow(ctx, need)
			if errors.Is(err, memory.ErrTooMuch) {
				return ErrNeverFits
			}
			return err
		}
		if err := d.commit(ctx); err != nil {
			return err
		}
	}
}

// Finish commits what is left. When it returns nil, everything is durable.
func (d *Delivery) Finish(ctx context.Context) (Summary, error) {
	err := d.commit(ctx)
	return d.summary, err
}

// Lines is how many lines the delivery has so far.
func (d *Delivery) Lines() int { return d.number }
