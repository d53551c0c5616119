package activity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Span is what was counted from a time on, for one interval or for all that were read.
type Span struct {
	At              time.Time
	Open            bool // more may be counted yet: by this server, or by what another writes
	Events, Appends int64
	Refusals        int64
	latencies       *sums         // nil: of none
	P50, P99        time.Duration // of the appends; 0 where there are none
}

// CodeCount is how many requests ended with a problem of a code.
type CodeCount struct {
	Code  string
	Count int64
}

// Report is what a tenant did lately, on all servers.
type Report struct {
	At        time.Time
	Intervals []Span // the oldest first; the last is under way
	All       Span
	Refusals  []CodeCount // the most frequent first
	// EventsPerSecond is what this server took in the last five seconds, up to now, and others in the last interval that all have written.
	EventsPerSecond float64
}

// Read returns what a tenant did in the last minutes. Its memory is booked in room, which may be nil. The error is memory.ErrFull or the
// database's.
func (a *Activity) Read(ctx context.Context, tenant uuid.UUID, minutes int, room *memory.Hold) (*Report, error) {
	now := a.config.Now()
	under := now.Truncate(Interval)
	intervals := minutes * int(time.Minute/Interval)
	r := &Report{At: now, Intervals: make([]Span, intervals)}
	for i := range r.Intervals {
		at := under.Add(-time.Duration(intervals-1-i) * Interval)
		r.Intervals[i] = Span{At: at, Open: now.Before(at.Add(Interval + lateBy))}
	}
	r.All.At = r.Intervals[0].At
	codes, recent := map[string]int64{}, recently{now: now}
	own := a.unwritten(tenant) // before the rows are read: what is written meanwhile is recognized by its time
	rows, err := a.db.ListActivity(ctx, db.Booked(a.db.Read, room), dbsqlc.ListActivityParams{
		TenantID: tenant, Since: r.All.At, Before: under.Add(Interval),
	})
	if err != nil {
		return nil, fmt.Errorf("reading what a tenant did: %w", db.Classify(err))
	}
	for i := range rows {
		row := &rows[i]
		if row.ServerID == a.server && slices.ContainsFunc(own, func(u unwritten) bool { return u.at.Equal(row.At) }) {
			continue
		}
		refused := map[string]int64{}
		if err := json.Unmarshal(row.Refusals, &refused); err != nil {
			return nil, fmt.Errorf("reading codes of refusals: %w", err)
		}
		r.add(row.At, row.Events, row.Appends, row.Latencies, refused, codes)
		recent.add(row.At, row.Events, row.ServerID == a.server)
	}
	for _, u := range own {
		r.add(u.at, u.events, u.appends, u.latencies, u.refusals, codes)
		recent.add(u.at, u.events, true)
	}
	r.EventsPerSecond = recent.rate()
	r.finish(codes)
	return r, nil
}

// recently is what the present rate is of.
type recently struct {
	now                     time.Time
	current, former, others int64 // events: of this server, in the interval under way and the one before; of others, in their last one
}

func (r *recently) add(at time.Time, events int64, own bool) {
	under := r.now.Truncate(Interval)
	switch {
	case own && at.Equal(under):
		r.current += events
	case own && at.Equal(under.Add(-Interval)):
		r.former += events
	case !own && at.Equal(r.now.Add(-lateBy).Truncate(Interval).Add(-Interval)):
		r.others += events
	}
}

// rate takes of the interval before as much as it takes to have a whole one, as if its events had been spread evenly over it.
func (r *recently) rate() float64 {
	missing := 1 - r.now.Sub(r.now.Truncate(Interval)).Seconds()/Interval.Seconds()
	return (float64(r.current+r.others) + float64(r.former)*missing) / Interval.Seconds()
}

// unwritten is what this server has counted and not written.
type unwritten struct {
	at              time.Time
	events, appends int64
	latencies       []int32 // pairs, as they are stored
	refusals        map[string]int64
}

func (a *Activity) unwritten(tenant uuid.UUID) (all []unwritten) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, i := range []interval{a.writing, {a.began, a.tenants}} {
		c := i.tenants[tenant]
		if c == nil {
			continue
		}
		u := unwritten{at: i.at, events: c.events.Load(), appends: c.appends.Load(), refusals: c.codes()}
		for bucket := range c.latencies {
			if n := c.latencies[bucket].Load(); n > 0 {
				u.latencies = append(u.latencies, int32(bucket), n)
			}
		}
		all = append(all, u)
	}
	return all
}

// add adds what one server has counted. What is of no interval of the report is left out, as of a server whose clock is ahead.
func (r *Report) add(at time.Time, events, appends int64, pairs []int32, refused, codes map[string]int64) {
	i := int(at.Sub(r.All.At) / Interval)
	if at.Before(r.All.At) || i >= len(r.Intervals) {
		return
	}
	for _, s := range []*Span{&r.Intervals[i], &r.All} {
		s.Events += events
		s.Appends += appends
		if len(pairs) > 0 && s.latencies == nil {
			s.latencies = &sums{}
		}
		for p := 0; p+1 < len(pairs); p += 2 {
			if bucket := int(pairs[p]); bucket >= 0 && bucket < buckets {
				s.latencies[bucket] += int64(pairs[p+1])
			}
		}
		for _, n := range refused {
			s.Refusals += n
		}
	}
	for code, n := range refused {
		codes[code] += n
	}
}

func (r *Report) finish(codes map[string]int64) {
	for i := range r.Intervals {
		r.Intervals[i].percentiles()
	}
	r.All.percentiles()
	for code, count := range codes {
		r.Refusals = append(r.Refusals, CodeCount{code, count})
	}
	slices.SortFunc(r.Refusals, func(x, y CodeCount) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Code, y.Code))
	})
}

func (s *Span) percentiles() {
	if s.latencies != nil {
		s.P50, s.P99 = s.latencies.percentile(0.5), s.latencies.percentile(0.99)
		s.latencies = nil
	}
}
