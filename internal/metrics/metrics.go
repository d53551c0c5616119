// Package metrics shows what a server counts as Prometheus reads it. It counts nothing itself: each figure is read when it is asked for.
package metrics

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/stats"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/webhook"
)

// Sources are the parts of a server that count.
type Sources struct {
	Version string
	HTTP    *api.Stats
	Ingest  *ingest.Ingester
	Intake  *intake.Stats
	// MaxWaitingEvents and MaxWaitingBytes are of each lane.
	MaxWaitingEvents, MaxWaitingBytes int
	Views                             *view.Views
	Logs                              *eventlog.Logs
	Gate                              *access.Gate
	Live                              *live.Hub
	Webhooks                          *webhook.Stats
	Alerts                            *alert.Alerts
	DB                                *db.DB
	Books                             map[string]*memory.Book // of the memory limit, by share
	Survey                            func() Survey
}

// Survey is what was last read of the database as a whole.
type Survey struct {
	Done                 bool             // whether anything was read yet
	Versions             map[string]int64 // by status
	MonthsAhead          int64            // that have a partition of events
	DefaultHoldsEvents   bool             // the default partition
	QueuedWebhooks       int64            // jobs of the queue
	OldestWebhookSeconds float64          // for how long one has waited whose time has come
	SecondsSinceReading  float64
}

// Handler returns the handler of /metrics.
func Handler(sources *Sources, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newCollector(sources))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), MaxRequestsInFlight: 2,
	})
}

// collector is all families of metrics. Each reads its figures anew each time.
type collector struct {
	values     []values
	histograms []histograms
}

// values is a family of numbers.
type values struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(add func(value float64, labels ...string))
}

// histograms is a family of histograms.
type histograms struct {
	desc *prometheus.Desc
	read func(add func(*stats.Histogram, ...string))
}

func newCollector(s *Sources) *collector {
	c := &collector{}
	c.addHTTP(s)
	c.addKeys(s)
	c.addAppends(s)
	c.addSources(s)
	c.addViews(s)
	c.addMemory(s)
	c.addDatabase(s)
	c.addWebhooks(s)
	c.addAlerts(s)
	return c
}

func (c *collector) counter(name, help string, labels []string, read func(add func(float64, ...string))) {
	c.values = append(c.values, values{describe(name, help, labels), prometheus.CounterValue, read})
}

func (c *collector) gauge(name, help string, labels []string, read func(add func(float64, ...string))) {
	c.values = append(c.values, values{describe(name, help, labels), prometheus.GaugeValue, read})
}

func (c *collector) histogram(name, help string, labels []string, read func(add func(*stats.Histogram, ...string))) {
	c.histograms = append(c.histograms, histograms{describe(name, help, labels), read})
}

func describe(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("tally_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, family := range c.values {
		to <- family.desc
	}
	for _, family := range c.histograms {
		to <- family.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	for _, family := range c.values {
		family.read(func(value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(family.desc, family.kind, value, labels...)
		})
	}
	for _, family := range c.histograms {
		family.read(func(h *stats.Histogram, labels ...string) {
			s := h.Snapshot()
			to <- prometheus.MustNewConstHistogram(family.desc, s.Count, s.Sum, s.Buckets, labels...)
		})
	}
}
