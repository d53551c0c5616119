package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// maxStates bounds the states that are remembered; when there are more, all are forgotten.
const maxStates = 50_000

// states are how alerts stood when this server looked last. What is remembered is only believed where the database confirms its nonce.
type states struct {
	mu sync.Mutex
	of map[stateKey]state
}

type stateKey struct{ log, alert uuid.UUID }

func (s *states) get(key stateKey) (state, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.of[key]
	return found, ok
}

func (s *states) set(key stateKey, to state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.of) >= maxStates {
		clear(s.of)
	}
	s.of[key] = to
}

func (s *states) forget(key stateKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, key)
}

// standing returns how alerts stand on a log: from memory, or the database. Without a row it has no nonce.
func (a *Alerts) standing(ctx context.Context, log uuid.UUID, alerts []*Alert) ([]state, error) {
	stood := make([]state, len(alerts))
	var missing []uuid.UUID
	for i, alert := range alerts {
		var ok bool
		if stood[i], ok = a.states.get(stateKey{log, alert.ID}); !ok {
			missing = append(missing, alert.ID)
			stood[i] = fresh()
		}
	}
	if len(missing) == 0 {
		return stood, nil
	}
	rows, err := a.db.AlertStates(ctx, a.db.Read, dbsqlc.AlertStatesParams{LogID: log, AlertIds: missing})
	if err != nil {
		return nil, fmt.Errorf("reading how alerts stand: %w", db.Classify(err))
	}
	for i := range rows {
		for j, alert := range alerts {
			if alert.ID != rows[i].AlertID {
				continue
			}
			if stood[j], err = stateOf(&rows[i]); err != nil {
				return nil, err
			}
			a.states.set(stateKey{log, alert.ID}, stood[j])
		}
	}
	return stood, nil
}

func stateOf(row *dbsqlc.AlertState) (state, error) {
	s := state{
		nonce: row.Nonce, sequence: row.Sequence, value: row.Value, of: row.OfValue,
		window: window{row.WindowKey, timeOf(row.WindowEnd)}, failures: row.Failures, due: timeOf(row.DueAt),
		at: row.EvaluatedAt.UTC(),
	}
	if row.Error != nil {
		s.err = *row.Error
	}
	if err := json.Unmarshal(row.Thresholds, &s.thresholds); err != nil {
		return state{}, fmt.Errorf("reading how thresholds stand: %w", err)
	}
	return s, nil
}

func timeOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

func timestamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// mark notes what was read where nothing else has changed since was. marked is false if something has.
func (a *Alerts) mark(ctx context.Context, log uuid.UUID, alert *Alert, was, now state) (marked bool, err error) {
	key := stateKey{log, alert.ID}
	rows, err := a.db.MarkAlert(ctx, a.db.Read, dbsqlc.MarkAlertParams{
		Sequence: now.sequence, Value: now.value, OfValue: now.of, LogID: log, AlertID: alert.ID, Nonce: was.nonce,
	})
	if err != nil {
		return false, fmt.Errorf("noting what an alert has read: %w", db.Classify(err))
	}
	if rows == 0 {
		a.states.forget(key)
		return false, nil
	}
	a.states.set(key, now)
	return true, nil
}

// recordReading brings what an alert has read together with how it stands in the database, and records and announces what that makes fire
// or resolves: all of it in one transaction, which one server at a time has for an alert on a log. A reading that is older than what is
// recorded changes nothing.
func (a *Alerts) recordReading(ctx context.Context, log uuid.UUID, name string, alert *Alert, r reading) (now state, err error) {
	key := stateKey{log, alert.ID}
	fired, resolved := 0, 0
	err = a.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		fired, resolved = 0, 0
		present, err := a.db.ShareAlert(ctx, tx, alert.ID)
		if err = db.Classify(err); errors.Is(err, db.ErrNotFound) || err == nil && (present.Deleted || present.Version != alert.Version) {
			now = fresh()
			return nil // it is taken to all logs in the version that it has now
		} else if err != nil {
			return err
		}
		was, err := a.lockState(ctx, tx, log, alert)
		if err != nil {
			return err
		}
		if now = was; r.err == "" && (r.sequence < was.sequence || alert.calendar != "" && r.window.key < was.window.key) {
			return nil
		}
		var crossings []crossing
		now, crossings = alert.next(was, r)
		now.nonce = uuid.New()
		for i := range crossings {
			isNew, err := a.recordCrossing(ctx, tx, log, name, alert, &crossings[i])
			switch {
			case err != nil:
				return err
			case isNew && crossings[i].kind == Fired:
				fired++
			case isNew:
				resolved++
			}
		}
		return a.setState(ctx, tx, log, alert, &now)
	})
	if err != nil {
		a.states.forget(key)
		return now, fmt.Errorf("recording what an alert has read: %w", err)
	}
	a.stats.Fired.Add(int64(fired))
	a.stats.Resolved.Add(int64(resolved))
	if now.nonce.IsZero() {
		a.states.forget(key)
	} else {
		a.states.set(key, now)
	}
	return now, nil
}

func (a *Alerts) lockState(ctx context.Context, tx pgx.Tx, log uuid.UUID, alert *Alert) (state, error) {
	params := dbsqlc.LockAlertStateParams{LogID: log, AlertID: alert.ID}
	row, err := a.db.LockAlertState(ctx, tx, params)
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		if err := a.db.EnsureAlertState(ctx, tx, dbsqlc.EnsureAlertStateParams(params)); err != nil {
			return state{}, err
		}
		row, err = a.db.LockAlertState(ctx, tx, params)
	}
	if err != nil {
		return state{}, err
	}
	return stateOf(&row)
}

func (a *Alerts) setState(ctx context.Context, tx pgx.Tx, log uuid.UUID, alert *Alert, s *state) error {
	thresholds, err := s.encode()
	if err != nil {
		return err
	}
	params := dbsqlc.SetAlertStateParams{
		Nonce: s.nonce, Sequence: s.sequence, Value: s.value, OfValue: s.of, WindowKey: s.window.key, WindowEnd: timestamp(s.window.end),
		Thresholds: thresholds, Firing: len(s.firing()) > 0, Failures: s.failures, DueAt: timestamp(s.due), EvaluatedAt: s.at,
		LogID: log, AlertID: alert.ID,
	}
	if s.err != "" {
		params.Error = &s.err
	}
	return a.db.SetAlertState(ctx, tx, params)
}

// Message is what receivers are told of a crossing.
type Message struct {
	Alert     string    `json:"alert"`
	View      string    `json:"view"`
	Threshold string    `json:"threshold"`
	Direction Direction `json:"direction"`
	Value     string    `json:"value"`
	Of        string    `json:"of,omitempty"`
	Window    string    `json:"window,omitempty"`
	Round     int32     `json:"round"`
	Sequence  int64     `json:"sequence"`
	FiredAt   time.Time `json:"fired_at"`
	Reason    string    `json:"reason,omitempty"` // of what was resolved
}

// recordCrossing records and announces a crossing, unless that was done before: isNew is false then.
func (a *Alerts) recordCrossing(
	ctx context.Context, tx pgx.Tx, log uuid.UUID, name string, alert *Alert, c *crossing,
) (isNew bool, err error) {
	rows, err := a.db.InsertCrossing(ctx, tx, dbsqlc.InsertCrossingParams{
		LogID: log, AlertID: alert.ID, CrossingID: uuid.New(), WindowKey: c.window, Threshold: c.threshold, Round: c.round,
		Kind: c.kind, Reason: c.reason, Value: c.value, OfValue: c.of, Sequence: c.sequence,
	})
	if err != nil || rows == 0 {
		return false, err
	}
	if c.kind == Resolved && !alert.resolve {
		return true, nil
	}
	message := Message{
		Alert: alert.Name, View: alert.View, Threshold: c.threshold, Direction: alert.direction, Value: c.value, Of: c.of,
		Window: c.window, Round: c.round, Sequence: c.sequence, FiredAt: c.since,
	}
	if c.kind == Resolved {
		message.Reason = c.reason
	}
	data, err := json.Marshal(message)
	if err != nil {
		return false, fmt.Errorf("encoding what is announced: %w", err)
	}
	once := strings.Join([]string{"alert", alert.ID.String(), log.String(), c.kind, c.threshold, strconv.Itoa(int(c.round)), c.window}, " ")
	return true, a.config.Announce(ctx, tx, alert.Tenant, Announcement{Kind: c.kind, Log: name, Data: data, Key: once})
}
