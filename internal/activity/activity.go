// Package activity counts what tenants do, for whoever looks at a chart of it: in memory, for the price of a few atomic additions, by
// intervals of five seconds. Each server writes what it has counted to the database when an interval is over, and reads what all have.
package activity

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// Interval is what is counted together.
	Interval = 5 * time.Second
	// WriteTimeout is how long writing an interval may take. What could not be written in it is dropped.
	WriteTimeout = 2 * time.Second
	// MaxMinutes is how far back it can be read, and retention how long rows are kept.
	MaxMinutes = 60
	retention  = (MaxMinutes + 5) * time.Minute
	// maxTenants bounds the tenants that are counted in one interval: the memory, and the rows of one statement. What others do in it is
	// not counted.
	maxTenants = 10_000
	// maxCodes bounds the codes of refusals that are told apart, of one tenant in one interval.
	maxCodes = 64
	// dropEvery is after how many intervals old rows are looked for, and maxDropped how many are dropped at a time: what maxTenants leave
	// in that time, since a full drop is followed by another with the next interval.
	dropEvery  = 12
	maxDropped = 2 * maxTenants
)

// Config configures an Activity.
type Config struct {
	Now func() time.Time // nil stands for time.Now
	Log *slog.Logger     // nil stands for slog.Default()
}

// Activity counts what tenants do. It is safe for concurrent use. A nil Activity counts nothing.
type Activity struct {
	db     *db.DB
	config Config
	server uuid.UUID // another one with each start

	mu      sync.RWMutex // whoever counts holds it for reading, so that nothing is counted after its interval was taken
	began   time.Time    // the interval under way
	tenants map[uuid.UUID]*counts
	writing interval // what is over and not written yet; empty when there is none

	standings standings
}

// interval is what was counted from a time on.
type interval struct {
	at      time.Time
	tenants map[uuid.UUID]*counts
}

// counts are those of one tenant in one interval.
type counts struct {
	events, appends atomic.Int64
	latencies       latencies

	mu       sync.Mutex
	refusals map[string]int64 // by code
}

// New returns an activity of which nothing is known. Run writes it.
func New(d *db.DB, config Config) *Activity {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Activity{
		db: d, config: config, server: uuid.New(), began: config.Now().Truncate(Interval), tenants: map[uuid.UUID]*counts{},
		standings: standings{known: map[uuid.UUID]standing{}},
	}
}

// Appended counts an append to a log that was committed: its new events, and what it took.
func (a *Activity) Appended(tenant uuid.UUID, events int, took time.Duration) {
	a.count(tenant, func(c *counts) {
		c.events.Add(int64(events))
		c.appends.Add(1)
		c.latencies.observe(took)
	})
}

// Refused counts a request that ended with a problem, by its code.
func (a *Activity) Refused(tenant uuid.UUID, code string) {
	a.count(tenant, func(c *counts) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, known := c.refusals[code]; known || len(c.refusals) < maxCodes {
			if c.refusals == nil {
				c.refusals = map[string]int64{}
			}
			c.refusals[code]++
		}
	})
}

func (a *Activity) count(tenant uuid.UUID, add func(*counts)) {
	if a == nil {
		return
	}
	a.mu.RLock()
	c := a.tenants[tenant]
	if c != nil {
		add(c)
	}
	a.mu.RUnlock()
	if c != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c = a.tenants[tenant]; c == nil {
		if len(a.tenants) >= maxTenants {
			return
		}
		c = &counts{}
		a.tenants[tenant] = c
	}
	add(c)
}

// Run writes what is counted, until ctx ends; then what is left.
func (a *Activity) Run(ctx context.Context) {
	failing := false
	for n := 0; ; n++ {
		a.mu.RLock()
		next := a.began.Add(Interval)
		a.mu.RUnlock()
		timer := time.NewTimer(min(next.Sub(a.config.Now()), Interval)) // also where the clock was set back
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if !a.next(ctx.Err() != nil) {
			continue
		}
		err := a.write(context.WithoutCancel(ctx))
		if err == nil && n%dropEvery == 0 && ctx.Err() == nil {
			err = a.drop(ctx)
		}
		if err != nil && !failing {
			a.config.Log.LogAttrs(ctx, slog.LevelWarn, "writing what tenants did failed; charts of it will have a gap",
				slog.Any("error", err))
		}
		failing = err != nil
		if ctx.Err() != nil {
			return
		}
	}
}

// next begins another interval, unless the clock is still in the one that is under way, which atOnce ends all the same. It is called when
// what was over before is written or dropped.
func (a *Activity) next(atOnce bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	began := a.config.Now().Truncate(Interval)
	if began.Equal(a.began) && !atOnce {
		return false
	}
	a.writing = interval{at: a.began, tenants: a.tenants}
	a.began, a.tenants = began, map[uuid.UUID]*counts{}
	return true
}
