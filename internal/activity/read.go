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

// rateIntervals is how many intervals the present rate is of.
const rateIntervals = 2

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
	// EventsPerSecond is that of the last intervals that are complete.
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
	codes := map[string]int64{}
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
	}
	for _, u := range own {
		r.add(u.at, u.events, u.appends, u.latencies, u.refusals, codes)
	}
	r.finish(codes)
	return r, nil
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
	complete := slices.IndexFunc(r.Intervals, func(s Span) bool { return s.Open })
	last := r.Intervals[max(0, complete-rateIntervals):complete]
	for i := range last {
		r.EventsPerSecond += float64(last[i].Events)
	}
	if len(last) > 0 {
		r.EventsPerSecond /= float64(len(last)) * Interval.Seconds()
	}
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
