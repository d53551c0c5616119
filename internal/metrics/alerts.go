package metrics

import (
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/stats"
)

func (c *collector) addAlerts(s *Sources) {
	counts := s.Alerts.Stats()
	count := func(of *stats.Counter) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) { add(float64(of.Value())) }
	}
	now := func(of func(alert.Now) float64) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) { add(of(s.Alerts.Now())) }
	}
	c.counter("alert_evaluations_total", "Evaluations of an alert on a log.", one, count(&counts.Evaluations))
	c.counter("alert_evaluation_failures_total", "Those that had no value.", one, count(&counts.Failures))
	c.counter("alert_retries_total", "Logs whose alerts could not be evaluated, and are again.", one, count(&counts.Retries))
	c.counter("alert_crossings_total", "Thresholds that fired, and that were resolved.", []string{"kind"},
		func(add func(float64, ...string)) {
			add(float64(counts.Fired.Value()), alert.Fired)
			add(float64(counts.Resolved.Value()), alert.Resolved)
		})
	c.histogram("alert_evaluation_seconds", "What evaluating all alerts of a log takes, waits for others included.", one,
		func(add func(*stats.Histogram, ...string)) { add(counts.Times) })
	c.gauge("alerts", "Alerts of all tenants.", one, now(func(n alert.Now) float64 { return float64(n.Alerts) }))
	c.gauge("alerts_failing", "Alerts that have no value on at least one log, on all servers.", one,
		now(func(n alert.Now) float64 { return float64(n.Failing) }))
	c.gauge("alert_pending_logs", "Logs with alerts that this server has appended to lately, or has yet to evaluate.", one,
		now(func(n alert.Now) float64 { return float64(n.Pending) }))
	c.gauge("alert_waiting_logs", "Logs that wait for their alerts to be evaluated.", one,
		now(func(n alert.Now) float64 { return float64(n.Waiting) }))
}
