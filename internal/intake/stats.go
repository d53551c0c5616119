package intake

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/stats"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// warnFor is how long after its last reject a source is warned of.
	warnFor = time.Hour
	// maxWarned bounds the sources that are remembered to be warned of.
	maxWarned = 1000
)

// Stats count what became of lines on this server.
type Stats struct {
	Stored, Duplicates, Skipped stats.Counter

	mu       sync.Mutex
	rejected map[string]int64 // by code
	recent   map[sourceRef]*recent
}

type sourceRef struct {
	tenant uuid.UUID
	name   string
}

// recent is what a source has rejected lately.
type recent struct {
	lines       int64 // since first
	first, last time.Time
	code        string // of the last one
}

func newStats() *Stats { return &Stats{rejected: map[string]int64{}, recent: map[sourceRef]*recent{}} }

// Stats returns the counts of this server.
func (in *Intake) Stats() *Stats { return in.stats }

// Rejected returns how many lines were rejected, by code.
func (s *Stats) Rejected() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.rejected)
}

func (s *Stats) count(of *Source, results []Result) {
	var stored, duplicates, skipped int64
	for i := range results {
		switch r := &results[i]; {
		case r.Code != "":
			s.reject(of, r.Code)
		case r.Skipped:
			skipped++
		case r.Duplicate:
			duplicates++
		default:
			stored++
		}
	}
	s.Stored.Add(stored)
	s.Duplicates.Add(duplicates)
	s.Skipped.Add(skipped)
}

func (s *Stats) reject(of *Source, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected[code]++
	now, ref := time.Now(), sourceRef{of.Tenant, of.Name}
	r := s.recent[ref]
	if r == nil && len(s.recent) >= maxWarned {
		return
	}
	if r == nil || now.Sub(r.last) > warnFor {
		r = &recent{first: now}
		s.recent[ref] = r
	}
	r.lines, r.last, r.code = r.lines+1, now, code
}

// Warnings says which sources have rejected lines within the hour, for operators: it names sources of all tenants.
func (in *Intake) Warnings() []string {
	s := in.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	var warnings []string
	for ref, r := range s.recent {
		if time.Since(r.last) > warnFor {
			delete(s.recent, ref)
			continue
		}
		warnings = append(warnings, fmt.Sprintf(
			"source %s of tenant %s: %d lines since %s were not stored but kept in the log %s, the last for %s; "+
				"correct its mapping, and replay them",
			ref.name, ref.tenant, r.lines, r.first.UTC().Format(time.RFC3339), RejectsOf(ref.name), r.code))
	}
	slices.Sort(warnings)
	return warnings
}
