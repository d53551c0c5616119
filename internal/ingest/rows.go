package ingest

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// Statements for any number of rows take an array for each column: the methods here fill them.

func (p *plan) headRows() (heads dbsqlc.MoveHeadsParams) {
	for _, log := range p.logs {
		if log.moves() {
			addHead(&heads, log)
		}
	}
	return heads
}

func (p *plan) keyRows() (keys dbsqlc.InsertEventKeysParams) {
	for _, log := range p.logs {
		log.addKeys(&keys)
	}
	return keys
}

func (p *plan) stateRows() (states view.Writer) {
	for _, log := range p.logs {
		if log.moves() {
			states.Add(log.snapshot.Log, log.fold)
		}
	}
	return states
}

// months returns the rows that the plan adds to log_months: one for each log whose first event of a month it has. A plan records all events
// of a log at the same time, so only the first can begin a month.
func (p *plan) months() (rows dbsqlc.InsertLogMonthsParams) {
	for _, log := range p.logs {
		if len(log.events) == 0 {
			continue
		}
		head, first := &log.snapshot.Head, &log.events[0]
		month := eventlog.Month(first.RecordedAt)
		if head.Sequence == 0 || !eventlog.Month(head.RecordedAt).Equal(month) {
			rows.LogIds = append(rows.LogIds, log.snapshot.Log)
			rows.Months = append(rows.Months, month)
			rows.FirstSequences = append(rows.FirstSequences, first.Sequence)
		}
	}
	return rows
}

// isEmpty reports whether the plan stores nothing.
func (p *plan) isEmpty() bool {
	return !slices.ContainsFunc(p.logs, (*logPlan).moves)
}

func (p *plan) countEvents() int {
	n := 0
	for _, log := range p.logs {
		n += len(log.events)
	}
	return n
}

func (p *plan) logsWithEvents() []uuid.UUID {
	logs := make([]uuid.UUID, 0, len(p.logs))
	for _, log := range p.logs {
		if len(log.events) > 0 {
			logs = append(logs, log.snapshot.Log)
		}
	}
	return logs
}

func (p *plan) eventBytes() (n int) {
	for _, log := range p.logs {
		for i := range log.events {
			n += len(log.events[i].Data)
		}
	}
	return n
}

// eventRows returns the plan's n events for one INSERT.
func (p *plan) eventRows(n int) dbsqlc.InsertEventsParams {
	var events dbsqlc.InsertEventsParams
	growEvents(&events, n)
	for _, log := range p.logs {
		addEvents(&events, log)
	}
	return events
}

// nextEvent returns an iterator over the plan's events for COPY: each call fills in the next, and returns false after the last.
func (p *plan) nextEvent() func(*db.NewEvent) bool {
	logs, i := p.logs, 0
	return func(to *db.NewEvent) bool {
		for len(logs) > 0 && i == len(logs[0].events) {
			logs, i = logs[1:], 0
		}
		if len(logs) == 0 {
			return false
		}
		e := &logs[0].events[i]
		i++
		*to = db.NewEvent{
			Log: logs[0].snapshot.Log, Sequence: e.Sequence, RecordedAt: e.RecordedAt, Time: e.Time,
			Type: e.Type, Key: e.Key, Data: e.Data, Hash: e.Hash[:],
		}
		return true
	}
}

func addHead(to *dbsqlc.MoveHeadsParams, log *logPlan) {
	before, after := &log.snapshot.Head, &log.fold.Next.Head
	to.LogIds = append(to.LogIds, log.snapshot.Log)
	to.ExpectedHashes = append(to.ExpectedHashes, before.Hash[:])
	to.ExpectedEpochs = append(to.ExpectedEpochs, before.ViewsEpoch)
	to.Sequences = append(to.Sequences, after.Sequence)
	to.Hashes = append(to.Hashes, after.Hash[:])
	to.RecordedAts = append(to.RecordedAts, time.UnixMicro(after.RecordedAt))
	to.ViewsEpochs = append(to.ViewsEpochs, after.ViewsEpoch)
	to.Recents = append(to.Recents, log.fold.Next.Recent())
}

// isOfSingles reports whether the plan's n events are few, and each of a log of its own.
func (p *plan) isOfSingles(n int) bool {
	if n > singleEvents {
		return false
	}
	for _, log := range p.logs {
		if len(log.events) > 1 {
			return false
		}
	}
	return true
}

func (log *logPlan) headRow() dbsqlc.MoveHeadParams {
	before, after := &log.snapshot.Head, &log.fold.Next.Head
	return dbsqlc.MoveHeadParams{
		LogID: log.snapshot.Log, ExpectedHash: before.Hash[:], ExpectedEpoch: before.ViewsEpoch,
		Sequence: after.Sequence, Hash: after.Hash[:], RecordedAt: time.UnixMicro(after.RecordedAt), ViewsEpoch: after.ViewsEpoch,
		Recent: log.fold.Next.Recent(),
	}
}

func (log *logPlan) eventRow(i int) dbsqlc.InsertEventParams {
	e := &log.events[i]
	return dbsqlc.InsertEventParams{
		LogID: log.snapshot.Log, Sequence: e.Sequence, RecordedAt: time.UnixMicro(e.RecordedAt), Time: time.UnixMicro(e.Time), Type: e.Type,
		Key: e.Key, Data: e.Data, Hash: e.Hash[:],
	}
}

func growEvents(to *dbsqlc.InsertEventsParams, n int) {
	to.LogIds = slices.Grow(to.LogIds, n)
	to.Sequences = slices.Grow(to.Sequences, n)
	to.RecordedAts = slices.Grow(to.RecordedAts, n)
	to.Times = slices.Grow(to.Times, n)
	to.Types = slices.Grow(to.Types, n)
	to.Keys = slices.Grow(to.Keys, n)
	to.Datas = slices.Grow(to.Datas, n)
	to.Hashes = slices.Grow(to.Hashes, n)
}

func addEvents(to *dbsqlc.InsertEventsParams, log *logPlan) {
	for i := range log.events {
		e := &log.events[i]
		to.LogIds = append(to.LogIds, log.snapshot.Log)
		to.Sequences = append(to.Sequences, e.Sequence)
		to.RecordedAts = append(to.RecordedAts, time.UnixMicro(e.RecordedAt))
		to.Times = append(to.Times, time.UnixMicro(e.Time))
		to.Types = append(to.Types, e.Type)
		to.Keys = append(to.Keys, e.Key)
		to.Datas = append(to.Datas, e.Data)
		to.Hashes = append(to.Hashes, e.Hash[:])
	}
}

// addKeys adds the events' keys in the order of their index, so that the INSERT touches each of its pages once.
func (log *logPlan) addKeys(to *dbsqlc.InsertEventKeysParams) {
	hashes := make([]uuid.UUID, 0, len(log.keys))
	for hash := range log.keys {
		hashes = append(hashes, hash)
	}
	slices.SortFunc(hashes, uuid.UUID.Compare)
	for _, hash := range hashes {
		owner := log.keys[hash]
		to.LogIds = append(to.LogIds, log.snapshot.Log)
		to.KeyHashes = append(to.KeyHashes, hash)
		to.PayloadHashes = append(to.PayloadHashes, owner.payload)
		to.Sequences = append(to.Sequences, owner.sequence)
	}
}

// formerKeys returns the former keys that must not be in the database: an earlier version may have stored an event under one that the plan
// takes for new. Those that the plan found there are left out, because they belong to events with other bytes.
func (p *plan) formerKeys() (rows dbsqlc.ExpectNoEventKeysParams) {
	for _, log := range p.logs {
		for _, owner := range log.keys {
			if owner.former.IsZero() {
				continue
			}
			_, found := p.known[eventKey{log.snapshot.Log, owner.former}]
			_, claimed := log.keys[owner.former] // by another event, whose key is to be new itself
			if !found && !claimed {
				rows.LogIds = append(rows.LogIds, log.snapshot.Log)
				rows.KeyHashes = append(rows.KeyHashes, owner.former)
			}
		}
	}
	return rows
}
