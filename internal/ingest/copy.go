package ingest

import (
	"time"

	"github.com/tallystick/tallystick/internal/db"
)

var eventColumns = []string{"log_id", "sequence", "recorded_at", "time", "type", "key", "data", "hash"}

// eventSource hands the events of a plan to COPY, one after the other. It is a pgx.CopyFromSource. What is the same from row to
// row is boxed once.
type eventSource struct {
	logs []*logPlan // those whose events are still to come; the first may be begun
	next int        // the next event of the first log

	log        db.UUID
	recordedAt int64
	typ        string
	row        [8]any
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
	if id := log.snapshot.Log; s.row[0] == nil || id != s.log {
		s.log, s.row[0] = id, id
	}
	if s.row[2] == nil || e.RecordedAt != s.recordedAt {
		s.recordedAt, s.row[2] = e.RecordedAt, time.UnixMicro(e.RecordedAt)
	}
	if s.row[4] == nil || e.Type != s.typ {
		s.typ, s.row[4] = e.Type, e.Type
	}
	if s.row[5] = nil; e.Key != "" {
		s.row[5] = e.Key
	}
	s.row[1], s.row[3], s.row[6], s.row[7] = e.Sequence, time.UnixMicro(e.Time), e.Data, e.Hash[:]
	return s.row[:], nil
}

// Err implements pgx.CopyFromSource.
func (s *eventSource) Err() error { return nil }
