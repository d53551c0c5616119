package view

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Status is where a version of a view is in its life.
type Status string

// A version builds, then is live until it halts or another replaces it.
const (
	Building Status = "building"
	Live     Status = "live"
	Halted   Status = "halted"
	Retired  Status = "retired"
)

// stateKept is a version's state that can be built on; one that is "dropping" or "dropped" cannot.
const stateKept = "kept"

const (
	// MaxVersionsListed bounds one page of a view's versions: each may carry a configuration of 64 KiB.
	MaxVersionsListed = 200
	// maxActionsListed bounds the actions that are listed, newest first.
	maxActionsListed = 500
	// maxHaltedEvent bounds what is shown of the event that a version halted at, in bytes.
	maxHaltedEvent = 4 << 10
)

var (
	// ErrViewNotFound: the log, which exists, has no view with that name.
	ErrViewNotFound = errors.New("view not found")
	// ErrViewRetired: every version of the view is retired. A deploy or a rollback brings it back.
	ErrViewRetired = errors.New("the view is retired")
)

// Info describes one version of a view.
type Info struct {
	Name           string
	ViewID         uuid.UUID
	VersionID      uuid.UUID
	Version        int32
	ModuleSHA256   string
	Config         []byte
	FoldGas        int64 // the budget of one event's fold
	Guard          bool  // it decides on events before they are appended
	OnHalt         OnHalt
	Status         Status
	StateKept      bool   // false: a rollback to this version builds from the first event
	Applied        int64  // the sequence it has folded up to; the head's for a live one
	Head           int64  // the log's head when this was read
	HaltedSequence int64  // the event it could not fold; 0 unless it halted
	HaltedEvent    string // that event's JSON, or its beginning; empty unless it is halted now
	Error          string // why it halted
	Actor          string // who deployed it; "" is unknown
	CreatedAt      time.Time
	LiveAt         time.Time // when it last became live, and so on; zero when it never did
	RetiredAt      time.Time
	HaltedAt       time.Time
	Progress       *Progress // nil unless it is building
	Unchanged      bool      // of a deploy alone: what it asked for had been asked for last already
}

// Progress is how far a version is built.
type Progress struct {
	Done, Total     int64   // events
	EventsPerSecond float64 // of late; 0 when nothing is known yet
	SecondsLeft     int64   // at that rate; -1 when it is 0
}

// Action is something that was done to a view.
type Action struct {
	Version  int32  // 0: the whole view
	Action   string // deploy, live, rollback, retire, halt, resume or skip
	Actor    string // who requested it; "": the server itself, or unknown
	Sequence int64  // the event that a halt, resume or skip is about, or the head at which it went live; 0: none
	Detail   string // why
	At       time.Time
}

// List describes the versions of a log's views that are not retired, by name, and the one with the highest turn as the last of its name.
// Here and below, their memory is booked in room, which may be nil. The error is memory.ErrFull, eventlog.ErrLogNotFound or the database's.
func (v *Views) List(ctx context.Context, log uuid.UUID, room *memory.Hold) ([]Info, error) {
	infos, err := v.list(ctx, log, "", room)
	if err == nil && len(infos) == 0 {
		if err := v.notFound(ctx, v.db.Read, log); !errors.Is(err, ErrViewNotFound) {
			return nil, err
		}
	}
	return infos, err
}

// Get describes the versions of one view that are not retired, the one with the highest turn as the last. The error is
// ErrViewNotFound, ErrViewRetired, eventlog.ErrLogNotFound or the database's.
func (v *Views) Get(ctx context.Context, log uuid.UUID, name string, room *memory.Hold) ([]Info, error) {
	for {
		infos, err := v.list(ctx, log, name, room)
		if err != nil || len(infos) > 0 {
			return infos, err
		}
		if err := v.absent(ctx, v.db.Read, log, name); err != nil {
			return nil, err
		}
	}
}

// absent returns why a view has no version that is not retired; nil when it has one by now: then the caller looks for it again.
func (v *Views) absent(ctx context.Context, from dbsqlc.DBTX, log uuid.UUID, name string) error {
	active, err := v.db.ViewIsActive(ctx, from, dbsqlc.ViewIsActiveParams{LogID: log, Name: name})
	switch kind := db.Classify(err); {
	case isNotFound(kind):
		return v.notFound(ctx, from, log)
	case kind != nil:
		return fmt.Errorf("finding a view: %w", kind)
	case !active:
		return ErrViewRetired
	}
	return nil
}

// notFound returns why there is no view: ErrViewNotFound, eventlog.ErrLogNotFound, or the database's error.
func (v *Views) notFound(ctx context.Context, from dbsqlc.DBTX, log uuid.UUID) error {
	_, err := v.db.GetHead(ctx, from, log)
	switch kind := db.Classify(err); {
	case isNotFound(kind):
		return eventlog.ErrLogNotFound
	case kind != nil:
		return fmt.Errorf("finding a log: %w", kind)
	}
	return ErrViewNotFound
}

// viewID returns the id of a view. The error is ErrViewNotFound, eventlog.ErrLogNotFound or the database's.
func (v *Views) viewID(ctx context.Context, from dbsqlc.DBTX, log uuid.UUID, name string) (uuid.UUID, error) {
	id, err := v.db.ViewID(ctx, from, dbsqlc.ViewIDParams{LogID: log, Name: name})
	if kind := db.Classify(err); isNotFound(kind) {
		return id, v.notFound(ctx, from, log)
	} else if kind != nil {
		return id, fmt.Errorf("finding a view: %w", kind)
	}
	return id, nil
}

func (v *Views) list(ctx context.Context, log uuid.UUID, name string, room *memory.Hold) ([]Info, error) {
	rows, err := v.db.ListViews(ctx, db.Booked(v.db.Read, room), dbsqlc.ListViewsParams{LogID: log, Name: name})
	if err != nil {
		return nil, fmt.Errorf("listing views: %w", db.Classify(err))
	}
	infos := make([]Info, len(rows))
	for i, row := range rows {
		if infos[i], err = v.info(ctx, log, row); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

// Versions describes versions of a view, retired ones too, newest first: those with a number below before (0: the newest), at
// most limit of them and never more than MaxVersionsListed.
func (v *Views) Versions(ctx context.Context, log uuid.UUID, name string, before int32, limit int, room *memory.Hold) ([]Info, error) {
	id, err := v.viewID(ctx, v.db.Read, log, name)
	if err != nil {
		return nil, err
	}
	if before <= 0 {
		before = math.MaxInt32
	}
	rows, err := v.db.ListViewVersions(ctx, db.Booked(v.db.Read, room), dbsqlc.ListViewVersionsParams{
		LogID: log, ViewID: id, Before: before, MaxRows: int32(max(1, min(limit, MaxVersionsListed))),
	})
	if err != nil {
		return nil, fmt.Errorf("listing a view's versions: %w", db.Classify(err))
	}
	infos := make([]Info, len(rows))
	for i, row := range rows {
		if infos[i], err = v.info(ctx, log, dbsqlc.ListViewsRow(row)); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

// Actions lists what was done to a view, newest first, at most maxActionsListed.
func (v *Views) Actions(ctx context.Context, log uuid.UUID, name string, room *memory.Hold) ([]Action, error) {
	id, err := v.viewID(ctx, v.db.Read, log, name)
	if err != nil {
		return nil, err
	}
	rows, err := v.db.ListActions(ctx, db.Booked(v.db.Read, room), dbsqlc.ListActionsParams{
		LogID: log, ViewID: id, MaxRows: maxActionsListed,
	})
	if err != nil {
		return nil, fmt.Errorf("listing what was done to a view: %w", db.Classify(err))
	}
	actions := make([]Action, len(rows))
	for i, row := range rows {
		actions[i] = Action{
			Version: deref(row.Version), Action: row.Action, Actor: row.Actor,
			Sequence: deref(row.Sequence), Detail: row.Detail, At: row.At,
		}
	}
	return actions, nil
}

// describe reads one version again.
func (v *Views) describe(ctx context.Context, log, version uuid.UUID) (Info, error) {
	row, err := v.db.GetViewVersion(ctx, v.db.Read, dbsqlc.GetViewVersionParams{LogID: log, VersionID: version})
	if err != nil {
		return Info{}, fmt.Errorf("reading a view version: %w", db.Classify(err))
	}
	return v.info(ctx, log, dbsqlc.ListViewsRow(row))
}

func (v *Views) info(ctx context.Context, log uuid.UUID, row dbsqlc.ListViewsRow) (Info, error) {
	info := Info{
		Name: row.Name, ViewID: row.ViewID, VersionID: row.VersionID, Version: row.Version,
		ModuleSHA256: hex.EncodeToString(row.ModuleSha256), Config: row.Config, FoldGas: row.FoldGas,
		Guard: row.Guard, OnHalt: OnHalt(row.OnHalt),
		Status: Status(row.Status), StateKept: row.State == stateKept, Applied: row.AppliedSequence, Head: row.Head,
		HaltedSequence: deref(row.HaltedSequence), Error: deref(row.Error), Actor: row.Actor, CreatedAt: row.CreatedAt,
		LiveAt: row.LiveAt.Time, RetiredAt: row.RetiredAt.Time, HaltedAt: row.HaltedAt.Time,
	}
	switch info.Status {
	case Live:
		info.Applied = row.Head
	case Building:
		info.Progress = progress(row.AppliedSequence, row.Head, deref(row.BuildRate))
	case Halted:
		event, err := eventlog.EventText(ctx, v.db, log, info.HaltedSequence, maxHaltedEvent)
		if kind := db.Classify(err); kind != nil && !isNotFound(kind) {
			return Info{}, fmt.Errorf("reading the event that a view halted at: %w", kind)
		}
		info.HaltedEvent = event
	case Retired:
	}
	return info, nil
}

func progress(done, total int64, rate float64) *Progress {
	p := &Progress{Done: done, Total: total, EventsPerSecond: rate, SecondsLeft: -1}
	if rate > 0 {
		p.SecondsLeft = int64(math.Ceil(min(float64(total-done)/rate, math.MaxInt32)))
	}
	return p
}

func deref[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}
