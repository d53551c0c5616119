package activity

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// MaxLogs and MaxDeliveries bound what is counted of a tenant.
	MaxLogs       = 1_000_000
	MaxDeliveries = 10_000
	// standingRest is for how long what was counted is the answer, as a multiple of how long counting took, and leastRest for how long at
	// least: however many look at a tenant, counting takes a fiftieth of the time.
	standingRest = 50
	leastRest    = time.Second
	// maxStandings bounds the tenants that are remembered; when there are more, all are forgotten.
	maxStandings = 10_000
)

// Standing is how a tenant stands.
type Standing struct {
	Logs             int64 // up to MaxLogs
	Halted, Building int64 // versions of views
	FiringAlerts     int64 // alerts that are firing on at least one log
	DeadDeliveries   int64 // to webhooks, up to MaxDeliveries
}

type standings struct {
	mu    sync.Mutex
	known map[uuid.UUID]standing
}

type standing struct {
	Standing
	until time.Time // it is the answer
}

// Standing returns how a tenant stands, or stood a moment ago. The error is the database's.
func (a *Activity) Standing(ctx context.Context, tenant uuid.UUID) (Standing, error) {
	now := a.config.Now()
	a.standings.mu.Lock()
	known, ok := a.standings.known[tenant]
	a.standings.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.Standing, nil
	}
	began := time.Now()
	row, err := a.db.CountStanding(ctx, a.db.Read, dbsqlc.CountStandingParams{
		TenantID: tenant, MostLogs: MaxLogs, MostDeliveries: MaxDeliveries,
	})
	if err != nil {
		return Standing{}, fmt.Errorf("counting how a tenant stands: %w", db.Classify(err))
	}
	fresh := standing{
		Standing: Standing{
			Logs: row.Logs, Halted: row.Halted, Building: row.Building, FiringAlerts: row.Firing, DeadDeliveries: row.Dead,
		},
		until: now.Add(max(leastRest, standingRest*time.Since(began))),
	}
	a.standings.mu.Lock()
	defer a.standings.mu.Unlock()
	if len(a.standings.known) >= maxStandings {
		clear(a.standings.known)
	}
	a.standings.known[tenant] = fresh
	return fresh.Standing, nil
}
