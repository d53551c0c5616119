package ingest

import (
	"bytes"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/view"
)

// rows lays the plan out as the statements take it: a column at a time. The events have a layout of their own.
func (p *plan) rows() (heads dbsqlc.MoveHeadsParams, keys dbsqlc.InsertEventKeysParams, states view.Writer) {
	for _, log := range p.logs {
		if len(log.events) > 0 {
			addHead(&heads, log)
			states.Add(log.snapshot.Log, log.fold)
		}
	}
	p.addKeys(&keys)
	return heads, keys, states
}

// months are the rows of log_months that the plan makes: one for each log whose first event of a month it holds. The events that a plan adds
// to a log are all recorded at the same time, so that none but the first can begin a month.
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

func (p *plan) countEvents() int {
	n := 0
	for _, log := range p.logs {
		n += len(log.events)
	}
	return n
}

// eventRows lays the plan's n events out for one INSERT.
func (p *plan) eventRows(n int) dbsqlc.InsertEventsParams {
	var events dbsqlc.InsertEventsParams
	growEvents(&events, n)
	for _, log := range p.logs {
		addEvents(&events, log)
	}
	return events
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

// addKeys adds the fresh keys in the order of the index they go into, which touches its pages once.
func (p *plan) addKeys(to *dbsqlc.InsertEventKeysParams) {
	fresh := make([]eventKey, 0, len(p.keys))
	for key, owner := range p.keys {
		if owner.fresh {
			fresh = append(fresh, key)
		}
	}
	slices.SortFunc(fresh, func(a, b eventKey) int {
		if c := bytes.Compare(a.log.Bytes[:], b.log.Bytes[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.hash.Bytes[:], b.hash.Bytes[:])
	})
	for _, key := range fresh {
		owner := p.keys[key]
		to.LogIds = append(to.LogIds, key.log)
		to.KeyHashes = append(to.KeyHashes, key.hash)
		to.PayloadHashes = append(to.PayloadHashes, owner.payload)
		to.Sequences = append(to.Sequences, owner.sequence)
	}
}

// formerKeys are the keys under which an earlier version may have stored an event that the plan takes for new. A plan that found them in the
// database, and other bytes there, is right in taking it for new, and has none.
func (p *plan) formerKeys() (rows dbsqlc.ExpectNoEventKeysParams) {
	for key, owner := range p.keys {
		if _, found := p.keys[eventKey{key.log, owner.former}]; owner.former.Valid && !found {
			rows.LogIds = append(rows.LogIds, key.log)
			rows.KeyHashes = append(rows.KeyHashes, owner.former)
		}
	}
	return rows
}
