package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

// event holds the counted fields of an event.
type event struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Model     string    `json:"model"`
	Team      string    `json:"team"`
	TokensIn  int64     `json:"tokens_in"`
	TokensOut int64     `json:"tokens_out"`
	log       string
}

// prices of a token, in and out, in hundred-millionths: those of the bench's events.
var prices = map[string][2]int64{
	"gpt-4": {3000, 6000}, "gpt-4-mini": {15, 60}, "claude-3-opus": {1500, 7500}, "llama-3-70b": {90, 90}, "mistral-large": {200, 600},
}

func decode(records []*kgo.Record) ([]event, error) {
	events := make([]event, len(records))
	for i, r := range records {
		e := event{log: string(r.Key), Time: r.Timestamp}
		if err := json.Unmarshal(r.Value, &e); err != nil { // in production: to a dead-letter topic
			return nil, fmt.Errorf("record %d of partition %d: %w", r.Offset, r.Partition, err)
		}
		events[i] = e
	}
	return events, nil
}

// place identifies a counter: a log and a month with a model or team, or a log and a minute.
type place struct {
	log, month, name string
	minute           int64 // since 1970, in minutes
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.log, o.log), cmp.Compare(p.month, o.month), cmp.Compare(p.name, o.name), cmp.Compare(p.minute, o.minute))
}

type sums struct{ requests, in, out, cost int64 }

type counters map[place]*sums

func (c counters) add(p place, e *event, cost int64) {
	s := c[p]
	if s == nil {
		s = &sums{}
		c[p] = s
	}
	s.requests++
	s.in += e.TokensIn
	s.out += e.TokensOut
	s.cost += cost
}

// totals are what a transaction's events add to the counters: one row for each counter.
type totals struct{ months, minutes, teams counters }

func addUp(events []event) totals {
	t := totals{counters{}, counters{}, counters{}}
	for i := range events {
		e := &events[i]
		at := e.Time.UTC()
		month := at.Format("2006-01")
		price := prices[e.Model]
		t.months.add(place{log: e.log, month: month, name: e.Model}, e, 0)
		t.minutes.add(place{log: e.log, minute: at.Unix() / 60}, e, 0)
		t.teams.add(place{log: e.log, month: month, name: e.Team}, e, e.TokensIn*price[0]+e.TokensOut*price[1])
	}
	return t
}

// queue queues the statements that add the totals. Rows are sorted, so that two consumers cannot deadlock.
func (t totals) queue(batch *pgx.Batch) {
	if m := columns(t.months); len(m.logs) > 0 {
		batch.Queue(countMonths, m.logs, m.months, m.names, m.in, m.out)
	}
	if m := columns(t.minutes); len(m.logs) > 0 {
		tokens := make([]int64, len(m.in))
		for i := range tokens {
			tokens[i] = m.in[i] + m.out[i]
		}
		batch.Queue(countMinutes, m.logs, m.minutes, m.requests, tokens)
	}
	if m := columns(t.teams); len(m.logs) > 0 {
		batch.Queue(countTeams, m.logs, m.months, m.names, m.requests, m.in, m.out, m.cost)
	}
}

type table struct {
	logs, months, names     []string
	minutes                 []time.Time
	requests, in, out, cost []int64
}

func columns(c counters) table {
	var t table
	for _, p := range slices.SortedFunc(maps.Keys(c), place.compare) {
		s := c[p]
		t.logs, t.months, t.names = append(t.logs, p.log), append(t.months, p.month), append(t.names, p.name)
		t.minutes = append(t.minutes, time.Unix(p.minute*60, 0).UTC())
		t.requests, t.in, t.out, t.cost = append(t.requests, s.requests), append(t.in, s.in), append(t.out, s.out), append(t.cost, s.cost)
	}
	return t
}
