package ingest

import (
	"time"

	"github.com/tallystick/tallystick/internal/db"
)

var eventColumns = []string{"log_id", "sequence", "recorded_at", "time", "type", "key", "data", "hash"}

// eventSource hands the events of a plan to COPY, one after the other. It is a pgx.CopyFromSource. The values are pointers
// into the row at hand, which saves an allocation each.
type eventSource struct {
	logs []*logPlan // those whose events are still to come; the first may be begun
	next int        // the next event of the first log

	log              db.UUID
	recordedAt, time time.Time
	key              *string
	hash             []byte
	row              [8]any
}

// Next implements pgx.CopyFromSource.
func (s *eventSource) Next() bool {
	for len(s.logs) > 0 && s.next == len(s.logs[0].events) {
		s.logs, s.next = s.logs[1:], 0
	}
	if len(s.logs) == 0 {
		return false
	}
	s.next++
	return true
}

// Values implements pgx.CopyFromSource.
func (s *eventSource) Values() ([]any, error) {
	log := s.logs[0]
	e := &log.events[s.next-1]
	s.log, s.recordedAt, s.time, s.hash = log.snapshot.Log, time.UnixMicro(e.RecordedAt), time.UnixMicro(e.Time), e.Hash[:]
	if s.key = nil; e.Key != "" {
		s.key = &e.Key
	}
	s.row = [8]any{&s.log, &e.Sequence, &s.recordedAt, &s.time, &e.Type, s.key, &e.Data, &s.hash}
	return s.row[:], nil
}

// Err implements pgx.CopyFromSource.
func (s *eventSource) Err() error { return nil }
