package metrics

import (
	"runtime"
	"strconv"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/stats"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/view"
)

// one is the labels of a family that has none.
var one []string

func (c *collector) addHTTP(s *Sources) {
	c.gauge("build_info", "The program; always 1.", []string{"version", "go_version"}, func(add func(float64, ...string)) {
		add(1, s.Version, runtime.Version())
	})
	c.counter("http_requests_total", "Requests that are done.", []string{"route", "method", "status"}, func(add func(float64, ...string)) {
		for _, route := range s.HTTP.Routes() {
			add(float64(route.Requests.Value()), route.Route, route.Method, strconv.Itoa(route.Status))
		}
	})
	c.histogram("http_request_duration_seconds", "From the header of a request to the end of its response.", []string{"route", "method"},
		func(add func(*stats.Histogram, ...string)) {
			seen := map[*stats.Histogram]bool{}
			for _, route := range s.HTTP.Routes() {
				if !seen[route.Times] {
					seen[route.Times] = true
					add(route.Times, route.Route, route.Method)
				}
			}
		})
	c.gauge("http_requests_in_flight", "Requests under way, streams included.", one, func(add func(float64, ...string)) {
		add(float64(s.HTTP.InFlight()))
	})
	c.counter("refusals_total", "Requests and streams that ended with a problem, by its code.", []string{"code"},
		func(add func(float64, ...string)) {
			for code, count := range s.HTTP.Refusals() {
				add(float64(count), code)
			}
		})
	use := func(of func(*api.Stats) (open, most int)) (used, limit func(add func(float64, ...string))) {
		return func(add func(float64, ...string)) { open, _ := of(s.HTTP); add(float64(open)) },
			func(add func(float64, ...string)) { _, most := of(s.HTTP); add(float64(most)) }
	}
	used, limit := use((*api.Stats).Streams)
	c.gauge("streams", "Streams of whole ranges of events under way.", one, used)
	c.gauge("streams_limit", "How many there may be.", one, limit)
	used, limit = use((*api.Stats).Verifications)
	c.gauge("verifications", "Logs that are being verified.", one, used)
	c.gauge("verifications_limit", "How many there may be at a time.", one, limit)
}

func (c *collector) addKeys(s *Sources) {
	count := func(of *atomic.Int64) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) { add(float64(of.Load())) }
	}
	c.counter("key_checks_total", "Keys and tokens that were checked.", one, count(&s.Gate.Stats.Checks))
	c.counter("key_refusals_total", "Those that were not good.", one, count(&s.Gate.Stats.Refused))
	c.counter("key_lookups_total", "Keys that were looked up in the database.", one, count(&s.Gate.Stats.Lookups))
}

var lanes = []string{"lanes"}

func (c *collector) addAppends(s *Sources) {
	shared, slow := s.Ingest.Stats()
	count := func(of func(*ingest.LaneStats) *stats.Counter) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) {
			add(float64(of(shared).Value()), "shared")
			add(float64(of(slow).Value()), "slow")
		}
	}
	observed := func(of func(*ingest.LaneStats) *stats.Histogram) func(add func(*stats.Histogram, ...string)) {
		return func(add func(*stats.Histogram, ...string)) {
			add(of(shared), "shared")
			add(of(slow), "slow")
		}
	}
	c.counter("events_appended_total", "Events that were stored.", lanes,
		count(func(l *ingest.LaneStats) *stats.Counter { return &l.Events }))
	c.counter("groups_committed_total", "Groups of appends that were committed.", lanes,
		count(func(l *ingest.LaneStats) *stats.Counter { return &l.Committed }))
	c.counter("groups_failed_total", "Groups of appends that were given up, or halved to find the request at fault.", lanes,
		count(func(l *ingest.LaneStats) *stats.Counter { return &l.Failed }))
	c.counter("group_retries_total", "Attempts at a group beyond its first.", lanes,
		count(func(l *ingest.LaneStats) *stats.Counter { return &l.Retried }))
	c.histogram("group_events", "Events of a committed group, duplicates included.", lanes,
		observed(func(l *ingest.LaneStats) *stats.Histogram { return l.GroupEvents }))
	c.histogram("group_requests", "Requests of a committed group.", lanes,
		observed(func(l *ingest.LaneStats) *stats.Histogram { return l.GroupRequests }))
	c.histogram("append_wait_seconds", "From the arrival of a request in its lane to the beginning of its group.", lanes,
		observed(func(l *ingest.LaneStats) *stats.Histogram { return l.Wait }))
	c.histogram("fold_seconds", "Deciding on the requests of a group and folding their events.", lanes,
		observed(func(l *ingest.LaneStats) *stats.Histogram { return l.Fold }))
	c.histogram("commit_seconds", "Writing a group, until PostgreSQL has committed it.", lanes,
		observed(func(l *ingest.LaneStats) *stats.Histogram { return l.Commit }))
	waiting := func(of func(ingest.Queue) int) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) {
			for _, lane := range s.Ingest.Queues() {
				add(float64(of(lane)), lane.Lane)
			}
		}
	}
	lane := []string{"lane"}
	c.gauge("waiting_requests", "Appends that wait for a group.", lane, waiting(func(w ingest.Queue) int { return w.Requests }))
	c.gauge("waiting_events", "Their events.", lane, waiting(func(w ingest.Queue) int { return w.Events }))
	c.gauge("waiting_bytes", "The bytes of their events.", lane, waiting(func(w ingest.Queue) int { return w.Bytes }))
	c.gauge("waiting_events_limit", "Events that may wait in one lane.", one, constant(s.MaxWaitingEvents))
	c.gauge("waiting_bytes_limit", "Bytes of events that may wait in one lane.", one, constant(s.MaxWaitingBytes))
	c.gauge("slow_logs", "Logs in lanes for slow ones.", one, func(add func(float64, ...string)) { add(float64(s.Ingest.SlowLogs())) })
}

func (c *collector) addSources(s *Sources) {
	c.counter("source_lines_total", "Lines of deliveries to sources, by what became of them.", []string{"outcome"},
		func(add func(float64, ...string)) {
			rejected := int64(0)
			for _, lines := range s.Intake.Rejected() {
				rejected += lines
			}
			add(float64(s.Intake.Stored.Value()), "stored")
			add(float64(s.Intake.Duplicates.Value()), "duplicate")
			add(float64(s.Intake.Skipped.Value()), "skipped")
			add(float64(rejected), "rejected")
		})
	c.counter("source_rejected_lines_total", "Lines that are kept in a source's log of rejects, by why.", []string{"code"},
		func(add func(float64, ...string)) {
			for code, lines := range s.Intake.Rejected() {
				add(float64(lines), code)
			}
		})
}

func constant(n int) func(add func(float64, ...string)) {
	return func(add func(float64, ...string)) { add(float64(n)) }
}

func (c *collector) addViews(s *Sources) {
	counts := s.Views.Stats()
	c.counter("gas_total", "Gas that views have used.", []string{"work"}, func(add func(float64, ...string)) {
		add(float64(counts.AppendGas.Value()), "append")
		add(float64(counts.BuildGas.Value()), "build")
		add(float64(counts.QueryGas.Value()), "query")
	})
	c.counter("view_queries_total", "Queries of views, and renewals of live answers.", one, func(add func(float64, ...string)) {
		add(float64(counts.Queries.Value()))
	})
	c.counter("view_halts_total", "Versions of views that halted on this server.", one, func(add func(float64, ...string)) {
		add(float64(counts.Halts.Value()))
	})
	c.gauge("view_versions", "Versions of views in the database, as read within the last minute or so.", []string{"status"},
		func(add func(float64, ...string)) {
			survey := s.Survey()
			for _, status := range []view.Status{view.Building, view.Live, view.Halted} {
				if survey.Done {
					add(float64(survey.Versions[string(status)]), string(status))
				}
			}
		})
	turn := func(of func(turns.Stats) int) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) { add(float64(of(s.Views.Turns().Stats()))) }
	}
	c.gauge("long_queries", "Queries under way that take long.", one, turn(func(t turns.Stats) int { return t.SlotsUsed }))
	c.gauge("long_queries_limit", "How many there may be.", one, turn(func(t turns.Stats) int { return t.Slots }))
	c.gauge("long_queries_waiting", "Queries that wait to be one of them.", one, turn(func(t turns.Stats) int { return t.WaitForSlot }))
	c.gauge("long_work_cores", "Cores that views work on for long.", one, turn(func(t turns.Stats) int { return t.CoresUsed }))
	c.gauge("long_work_cores_limit", "How many there may be.", one, turn(func(t turns.Stats) int { return t.Cores }))
	c.gauge("long_work_waiting", "Work of views that waits for one of them.", one, turn(func(t turns.Stats) int { return t.WaitForCore }))
	c.gauge("watchers", "Clients that watch a log or an answer.", one, func(add func(float64, ...string)) {
		watchers, _, _ := s.Live.Watching()
		add(float64(watchers))
	})
	c.gauge("watchers_limit", "How many there may be.", one, func(add func(float64, ...string)) {
		_, most, _ := s.Live.Watching()
		add(float64(most))
	})
	c.gauge("watched_logs", "Logs that somebody watches.", one, func(add func(float64, ...string)) {
		_, _, logs := s.Live.Watching()
		add(float64(logs))
	})
}

func (c *collector) addMemory(s *Sources) {
	cache := []string{"cache"}
	c.gauge("cache_entries", "What is in a memory that can be filled again.", cache, func(add func(float64, ...string)) {
		add(float64(s.Views.Cache().Entries), "snapshots")
		add(float64(s.Logs.Resolved()), "names")
		keys, tokens := s.Gate.Known()
		add(float64(keys), "keys")
		add(float64(tokens), "tokens")
	})
	c.gauge("cache_bytes", "How large that is.", cache, func(add func(float64, ...string)) {
		add(float64(s.Views.Cache().Bytes), "snapshots")
	})
	c.gauge("cache_limit_bytes", "How large it may be.", cache, func(add func(float64, ...string)) {
		add(float64(s.Views.Cache().Limit), "snapshots")
	})
	c.counter("cache_hits_total", "How often something was found there.", cache, func(add func(float64, ...string)) {
		add(float64(s.Views.Cache().Hits), "snapshots")
	})
	c.counter("cache_misses_total", "How often it was not.", cache, func(add func(float64, ...string)) {
		add(float64(s.Views.Cache().Misses), "snapshots")
	})
	book := []string{"book"}
	c.gauge("memory_held_bytes", "Memory that is booked for requests.", book, func(add func(float64, ...string)) {
		for name, b := range s.Books {
			add(float64(b.Held()), name)
		}
	})
	c.gauge("memory_limit_bytes", "Memory that may be booked.", book, func(add func(float64, ...string)) {
		for name, b := range s.Books {
			add(float64(b.Total()), name)
		}
	})
}

func (c *collector) addDatabase(s *Sources) {
	pools := func(of func(*pgxpool.Stat) float64) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) {
			add(of(s.DB.Append.Stat()), "append")
			add(of(s.DB.Access.Stat()), "keys")
			add(of(s.DB.Queue.Stat()), "queue")
			add(of(s.DB.Read.Stat()), "read")
		}
	}
	pool := []string{"pool"}
	c.gauge("pool_connections", "Connections of the database that are open.", pool,
		pools(func(p *pgxpool.Stat) float64 { return float64(p.TotalConns()) }))
	c.gauge("pool_connections_used", "Those in use.", pool, pools(func(p *pgxpool.Stat) float64 { return float64(p.AcquiredConns()) }))
	c.gauge("pool_connections_limit", "How many there may be.", pool, pools(func(p *pgxpool.Stat) float64 { return float64(p.MaxConns()) }))
	c.counter("pool_acquires_total", "How often one was taken.", pool,
		pools(func(p *pgxpool.Stat) float64 { return float64(p.AcquireCount()) }))
	c.counter("pool_waits_total", "How often one had to be waited for.", pool,
		pools(func(p *pgxpool.Stat) float64 { return float64(p.EmptyAcquireCount()) }))
	c.counter("pool_wait_seconds_total", "How long that took.", pool,
		pools(func(p *pgxpool.Stat) float64 { return p.EmptyAcquireWaitTime().Seconds() }))
	c.gauge("partition_months_ahead", "Months to come that have a partition of events.", one, func(add func(float64, ...string)) {
		if survey := s.Survey(); survey.Done {
			add(float64(survey.MonthsAhead))
		}
	})
	c.gauge("partition_default_in_use", "Whether the default partition holds events: 1, else 0.", one, func(add func(float64, ...string)) {
		switch survey := s.Survey(); {
		case survey.Done && survey.DefaultHoldsEvents:
			add(1)
		case survey.Done:
			add(0)
		}
	})
	c.gauge("survey_age_seconds", "How long ago view_versions and the partitions were read.", one, func(add func(float64, ...string)) {
		if survey := s.Survey(); survey.Done {
			add(survey.SecondsSinceReading)
		}
	})
}
