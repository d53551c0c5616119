package alert

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// refreshEvery is how often a server asks whether alerts have changed, and believedFor how long what it knows decides which logs are
	// pending: after that, all of them are, which costs a row each and is never wrong.
	refreshEvery = 500 * time.Millisecond
	believedFor  = 3 * time.Second
	// sweepAfter is how long after a change an alert is taken to the logs that are there: every server knows it by then, or holds all logs
	// for pending.
	sweepAfter = believedFor + time.Second
	// refreshTimeout bounds one such question.
	refreshTimeout = 2 * time.Second
	// maxCovered bounds the logs of which it is remembered which alerts cover them; when there are more, all are forgotten.
	maxCovered = 200_000
)

// known is every alert, in memory.
type known struct {
	db    *db.DB
	log   *slog.Logger
	clock time.Time // times are durations since then
	again chan struct{}

	asked atomic.Int64 // when the database last said what there is; 0: never
	set   atomic.Pointer[set]
}

// set is the alerts as they were at a version. Only covered changes.
type set struct {
	version dbsqlc.AlertsVersionRow
	byID    map[uuid.UUID]*Alert
	tenants map[uuid.UUID][]*Alert

	mu      sync.RWMutex
	covered map[uuid.UUID][]*Alert // by log; empty: none
}

func newKnown(d *db.DB, log *slog.Logger) *known {
	return &known{db: d, log: log, clock: time.Now(), again: make(chan struct{}, 1)}
}

// lookAgain has the database asked at once.
func (k *known) lookAgain() {
	select {
	case k.again <- struct{}{}:
	default:
	}
}

// current returns the alerts, nil where it is too long ago that the database was asked.
func (k *known) current() *set {
	if asked := k.asked.Load(); asked == 0 || time.Since(k.clock)-time.Duration(asked) > believedFor {
		return nil
	}
	return k.set.Load()
}

// refresh asks the database what has changed.
func (k *known) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	asked := time.Since(k.clock)
	version, err := k.db.AlertsVersion(ctx, k.db.Access)
	if err != nil {
		return fmt.Errorf("reading the version of alerts: %w", db.Classify(err))
	}
	if last := k.set.Load(); last == nil || last.version != version {
		next, err := k.read(ctx, last, version)
		if err != nil {
			return err
		}
		k.set.Store(next)
	}
	k.asked.Store(int64(asked))
	return nil
}

// read reads what has changed since last; everything where that is nil, or of a database that was set back.
func (k *known) read(ctx context.Context, last *set, version dbsqlc.AlertsVersionRow) (*set, error) {
	next := &set{version: version, byID: map[uuid.UUID]*Alert{}, tenants: map[uuid.UUID][]*Alert{}, covered: map[uuid.UUID][]*Alert{}}
	if last == nil || last.version.Number >= version.Number || k.current() == nil {
		rows, err := k.db.KnownAlerts(ctx, k.db.Access)
		if err != nil {
			return nil, fmt.Errorf("reading alerts: %w", db.Classify(err))
		}
		for _, row := range rows {
			next.add(ctx, k.log, dbsqlc.ChangedAlertsRow{
				AlertID: row.AlertID, TenantID: row.TenantID, Name: row.Name, Version: row.Version, Definition: row.Definition,
			})
		}
	} else {
		rows, err := k.db.ChangedAlerts(ctx, k.db.Access, last.version.Number)
		if err != nil {
			return nil, fmt.Errorf("reading alerts that have changed: %w", db.Classify(err))
		}
		for id, alert := range last.byID {
			if !slices.ContainsFunc(rows, func(row dbsqlc.ChangedAlertsRow) bool { return row.AlertID == id }) {
				next.byID[id] = alert
			}
		}
		for _, row := range rows {
			next.add(ctx, k.log, row)
		}
	}
	for _, alert := range next.byID {
		next.tenants[alert.Tenant] = append(next.tenants[alert.Tenant], alert)
	}
	return next, nil
}

func (s *set) add(ctx context.Context, log *slog.Logger, row dbsqlc.ChangedAlertsRow) {
	if row.Deleted {
		return
	}
	alert, err := stored(row.AlertID, row.TenantID, row.Name, row.Version, row.Definition)
	if err != nil { // servers that understand it take it over: their rows of alert_pending say what is to be done
		log.LogAttrs(ctx, slog.LevelError, "an alert is left out", slog.Any("error", err))
		return
	}
	s.byID[row.AlertID] = alert
}

// lookUp returns the alerts that cover a log, if it is remembered which do.
func (s *set) lookUp(log uuid.UUID) (alerts []*Alert, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	alerts, known = s.covered[log]
	return alerts, known
}

// coveredBy returns the alerts that cover a log; nil where there are none.
func (s *set) coveredBy(log, tenant uuid.UUID, name string) []*Alert {
	alerts, known := s.lookUp(log)
	if known {
		return alerts
	}
	for _, alert := range s.tenants[tenant] {
		if alert.Logs.Matches(name) {
			alerts = append(alerts, alert)
		}
	}
	slices.SortFunc(alerts, func(x, y *Alert) int { return x.ID.Compare(y.ID) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.covered) >= maxCovered {
		clear(s.covered)
	}
	s.covered[log] = alerts
	return alerts
}
