package view

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Answer is a view's answer to a query.
type Answer struct {
	Body     []byte
	Type     string // "application/json", "text/csv" or "text/plain"
	Sequence int64  // the answer reflects the events up to this one
}

// BuildingError: the view has no version that has caught up with the log yet.
type BuildingError struct{ Applied, Head int64 }

func (e *BuildingError) Error() string {
	return fmt.Sprintf("the view is building: %d of %d events are folded", e.Applied, e.Head)
}

// HaltedError: the view could not fold an event and stopped there.
type HaltedError struct {
	Sequence int64
	Reason   string
}

func (e *HaltedError) Error() string {
	return fmt.Sprintf("the view halted at event %d: %s", e.Sequence, e.Reason)
}

// QueryError: the view refused the query, or failed over it.
type QueryError struct {
	Refused bool // by the view, whose own words are the reason
	Reason  string
}

func (e *QueryError) Error() string { return e.Reason }

// headReads bounds how often a query reads the head before it is answered from the database: more than once only while appends go on.
const headReads = 3

// Query asks a view a query. The answer reflects the log's head as it was when Query was called, or a later one. A query that takes long
// shares its cores with others of the kind, and may have to wait for a slot first, for turns.Patience at most. The memory of what is read
// is booked in room, which may be nil, before it is held; in the end only that of the answer is. The error is ErrBusy, memory.ErrFull,
// ErrViewNotFound, ErrViewRetired, a *BuildingError, a *HaltedError, a *QueryError, eventlog.ErrLogNotFound, ctx's, or the database's.
func (v *Views) Query(ctx context.Context, log uuid.UUID, name, query string, room *memory.Hold) (Answer, error) {
	a := &querying{ctx: ctx, turn: v.turns.Turn(turns.Key(log), turns.Query), room: room}
	return v.ask(a, log, name, query) //nolint:contextcheck // it is in there
}

// Renew is Query for a live answer, which no client waits for. It waits for others however short it is, as long as it takes, and never
// returns ErrBusy.
func (v *Views) Renew(ctx context.Context, log uuid.UUID, name, query string, room *memory.Hold) (Answer, error) {
	a := &querying{ctx: ctx, turn: v.turns.Turn(turns.Key(log), turns.Watch), live: true, room: room}
	return v.ask(a, log, name, query) //nolint:contextcheck // it is in there
}

func (v *Views) ask(a *querying, log uuid.UUID, name, query string) (answer Answer, err error) {
	defer a.turn.End()
	used := a.room.Used()
	defer func() {
		v.counts.Queries.Inc()
		v.counts.QueryGas.Add(a.gas)
		a.room.Unuse(used + int64(len(answer.Body)))
		a.room.Shrink(a.room.Used())
	}()
	answer, err = v.query(a, log, name, query)
	if !errors.Is(err, errNoSlot) {
		return answer, err
	}
	a.room.Unuse(used)
	if err := a.turn.Admit(a.ctx, !a.live); err != nil {
		return Answer{}, fmt.Errorf("waiting to ask a view: %w", err)
	}
	return v.query(a, log, name, query)
}

// query asks once. The error may be errNoSlot.
//
// Memory that is missing, as after a restart, is loaded for a log that is asked again (warm.go).
//
// Memory is believed where it is at the very head that was read: the hash stands for all events, the epoch for all deploys. Memory that is
// behind has missed what another server appended. Memory that is ahead either knows an append that was committed since the head was
// read, which a second reading shows, or what the database no longer holds.
func (v *Views) query(a *querying, log uuid.UUID, name, query string) (Answer, error) {
	ctx := a.ctx
	for range headReads {
		before := v.Cached(log)
		row, err := v.ready(ctx, db.Booked(v.db.Read, a.room), log, name)
		if err != nil {
			return Answer{}, err
		}
		latest := before
		if !latest.isAt(&row) {
			latest = v.Cached(log)
		}
		if latest.isAt(&row) {
			answer, still, err := v.querySnapshot(a, latest, &row, name, query)
			if still {
				return answer, err
			}
			break
		}
		if before.contradicts(&row) {
			v.forgetContradicted(ctx, before, row.Head)
			break
		}
		if (latest == nil || latest.Head.Sequence <= row.Head) && !v.warm(ctx, log, &row) {
			break
		}
	}
	return v.queryDatabase(a, log, name, query)
}

// querySnapshot asks row's version of a snapshot that is at row's head. What the snapshot lacks is read from the database as it is
// then, and belongs to that head if the head has not moved afterwards: else still is false, and the answer is not to be used.
func (v *Views) querySnapshot(a *querying, s *Snapshot, row *dbsqlc.GetViewRow, name, query string) (answer Answer, still bool, err error) {
	live, ok := s.find(row.VersionID)
	if !ok {
		return Answer{}, false, nil
	}
	if live.state.whole {
		answer, err = a.ask(live.version, newWrites(a.ctx, live.state, nil), query, row.Head)
		return answer, true, err
	}
	rows := stateReader{db: v.db, room: a.room, log: s.Log, version: row.VersionID, recent: s.recent}
	from := &snapshotReader{stateReader: rows, state: live.state}
	answer, err = a.ask(live.version, newWrites(a.ctx, &state{}, from), query, row.Head)
	if !from.read {
		return answer, true, err
	}
	now, failed := v.ready(a.ctx, db.Booked(v.db.Read, a.room), s.Log, name)
	return answer, failed == nil && s.isAt(&now), err
}

// snapshotReader reads keys from a snapshot's state where that has them. The state is not copied for the query: a copy marks the
// original, and an append may be copying it too.
type snapshotReader struct {
	stateReader
	state *state
}

func (r *snapshotReader) get(ctx context.Context, key string) ([]byte, bool, error) {
	if value, known := r.state.known.Get(key); known {
		return value, value != nil, nil
	}
	return r.stateReader.get(ctx, key)
}

// isAt reports whether a snapshot is at the head that a row says. A nil snapshot is not.
func (s *Snapshot) isAt(row *dbsqlc.GetViewRow) bool {
	return s != nil && s.Head.Sequence == row.Head && s.Head.ViewsEpoch == row.ViewsEpoch && bytes.Equal(s.Head.Hash[:], row.HeadHash)
}

// contradicts reports whether a snapshot from before the row was read is of a history that is gone. A nil snapshot is not.
func (s *Snapshot) contradicts(row *dbsqlc.GetViewRow) bool {
	return s != nil && (s.Head.Sequence > row.Head || s.Head.Sequence == row.Head && !bytes.Equal(s.Head.Hash[:], row.HeadHash))
}

// forgetContradicted forgets a snapshot that the database contradicts: it was restored to an earlier state, or failed over to a server that
// lacked its last commits.
func (v *Views) forgetContradicted(ctx context.Context, s *Snapshot, head int64) {
	v.Forget(s.Log)
	v.log.LogAttrs(ctx, slog.LevelWarn, "the database does not hold what this server knew of a log: was it restored, "+
		"or did it fail over to a server that lagged behind? Going on with what it holds",
		slog.String("log", s.Log.String()), slog.Int64("known", s.Head.Sequence), slog.Int64("head", head))
}

// queryDatabase answers from one snapshot of the database.
func (v *Views) queryDatabase(a *querying, log uuid.UUID, name, query string) (answer Answer, err error) {
	if a.live && !a.turn.TryAdmit() { // it would wait for a core with a connection in its hands
		return Answer{}, errNoSlot
	}
	ctx := a.ctx
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = v.db.InTx(ctx, options, func(tx pgx.Tx) error {
		row, err := v.ready(ctx, db.Booked(tx, a.room), log, name)
		if err != nil {
			return err
		}
		version, err := v.version(ctx, tx, versionRow{
			ID: row.VersionID, Name: name, ModuleSHA256: row.ModuleSha256, Config: row.Config, Fields: row.Fields, FoldGas: row.FoldGas,
			CostModel: row.CostModel,
		})
		if err != nil {
			return err
		}
		recent, err := v.readRecent(ctx, tx, log)
		if err != nil {
			return err
		}
		reader := &stateReader{db: v.db, tx: tx, room: a.room, log: log, version: row.VersionID, recent: recent}
		answer, err = a.ask(version, newWrites(ctx, &state{}, reader), query, row.Head)
		return err
	})
	return answer, err
}

// ready reads a view's live version. The error is why there is none, or the database's.
func (v *Views) ready(ctx context.Context, from dbsqlc.DBTX, log uuid.UUID, name string) (dbsqlc.GetViewRow, error) {
	row, err := v.db.GetView(ctx, from, dbsqlc.GetViewParams{LogID: log, Name: name})
	if kind := db.Classify(err); isNotFound(kind) {
		if err := v.absent(ctx, from, log, name); err != nil {
			return row, err
		}
		return v.ready(ctx, from, log, name)
	} else if kind != nil {
		return row, fmt.Errorf("reading a view: %w", kind)
	}
	switch Status(row.Status) {
	case Building:
		return row, &BuildingError{Applied: row.AppliedSequence, Head: row.Head}
	case Halted:
		return row, &HaltedError{Sequence: *row.HaltedSequence, Reason: *row.Error}
	case Live, Retired:
	}
	return row, nil
}

// ask asks a version the query.
func (a *querying) ask(version *Version, state *writes, query string, sequence int64) (Answer, error) {
	if version.refused != "" { // it halts at the next event
		return Answer{}, &HaltedError{Sequence: sequence + 1, Reason: version.refused}
	}
	if err := a.begin(); err != nil {
		return Answer{}, err
	}
	state.pace, state.room, state.most = a, a.room, maxKnownBytes
	session, err := version.start(state.ctx, state)
	if err != nil {
		return Answer{}, err
	}
	defer session.Close()
	answer, err := session.Query(query)
	a.gas += session.GasUsed()
	var failed *wasm.ViewError
	if errors.As(err, &failed) {
		return Answer{}, &QueryError{Refused: failed.Kind == wasm.KindRefused, Reason: failed.Message}
	} else if err != nil {
		return Answer{}, fmt.Errorf("querying view %s: %w", version.Name, err)
	}
	return Answer{Body: answer, Type: session.AnswerType(), Sequence: sequence}, nil
}
