package server

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/webhook"
)

const (
	// connsPerEvaluation: evaluations of alerts take one in so many connections at most. fewestEvaluations and mostEvaluations bound how
	// many there are at a time.
	connsPerEvaluation                 = 3
	fewestEvaluations, mostEvaluations = 2, 8
)

// newAlerts returns alerts whose crossings webhooks are told of.
func (s *Server) newAlerts(logs *eventlog.Logs, views *view.Views, room *memory.Book) *alert.Alerts {
	config := alert.DefaultConfig()
	config.Log, config.Room = s.config.Log, room
	config.Workers = min(max(s.config.ReadConns/connsPerEvaluation, fewestEvaluations), mostEvaluations)
	types := map[string]string{alert.Fired: webhook.AlertFired, alert.Resolved: webhook.AlertResolved}
	config.Announce = func(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, a alert.Announcement) error {
		return s.webhooks.Announce(ctx, tx, tenant, webhook.Event{Type: types[a.Kind], Log: a.Log, Data: a.Data, Key: a.Key})
	}
	return alert.New(s.db, logs, views, config)
}

// committed tells all who wait for it that events are committed.
func (s *Server) committed(log uuid.UUID, events []event.Recorded) {
	s.live.Committed(log, events)
	s.alerts.Committed(log, events)
}
