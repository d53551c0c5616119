package metrics

import "github.com/tallystick/tallystick/internal/stats"

func (c *collector) addWebhooks(s *Sources) {
	w, one := s.Webhooks, []string(nil)
	c.counter("webhooks_announced_total", "Deliveries of webhooks that this server has put down.", one,
		func(add func(float64, ...string)) { add(float64(w.Announced.Load())) })
	c.counter("webhook_tries_total", "Tries of deliveries, by what became of them.", []string{"result"},
		func(add func(float64, ...string)) {
			refused := w.Refused.Load()
			add(float64(w.Delivered.Load()), "delivered")
			add(float64(max(w.Failed.Load()-refused, 0)), "failed")
			add(float64(refused), "refused")
		})
	c.histogram("webhook_try_seconds", "From a try's beginning to the end of its answer.", one,
		func(add func(*stats.Histogram, ...string)) { add(w.Tries) })
	c.counter("webhooks_dead_total", "Deliveries that were given up.", one,
		func(add func(float64, ...string)) { add(float64(w.Dead.Load())) })
	c.counter("webhooks_disabled_total", "Webhooks that were disabled, since they answered 410 or failed for days.", one,
		func(add func(float64, ...string)) { add(float64(w.Disabled.Load())) })
	c.counter("webhooks_postponed_total", "Tries put off, while their receiver or tenant had as many under way as it may.", one,
		func(add func(float64, ...string)) { add(float64(w.Postponed.Load())) })
	c.gauge("webhook_queue_jobs", "Deliveries that wait to be tried, now or again, on all servers.", one,
		func(add func(float64, ...string)) {
			if survey := s.Survey(); survey.Done {
				add(float64(survey.QueuedWebhooks))
			}
		})
	c.gauge("webhook_queue_oldest_seconds", "For how long the oldest of those has waited whose time has come.", one,
		func(add func(float64, ...string)) {
			if survey := s.Survey(); survey.Done {
				add(survey.OldestWebhookSeconds)
			}
		})
}
