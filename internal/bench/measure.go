package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// The names of what is measured, as they appear in the report. Those of appends and of by-hand SQL go on with the number
// of clients.
const (
	copyOne       = "copy/1"
	copyTwo       = "copy/2"
	handOne       = "by-hand/one-log/"
	handMany      = "by-hand/many-logs/"
	bareInsert    = "insert/1"
	appendOne     = "append/one-log/"
	appendMany    = "append/many-logs/"
	appendKeyed   = "append-keyed/one-log/256"
	batchMany     = "batch/many-logs"
	querySmall    = "query/small"
	queryLarge    = "query/large"
	querySeveral  = "query/small/16"
	queryLoaded   = "query/under-appends"
	appendQueried = "append/under-queries"
	loadLarge     = "load/large"
	createLogs    = "memory/create"
	appendRound   = "memory/append"
)

var (
	handClients   = []int{1, 16, 64}
	appendClients = []int{1, 64, 256}
)

const (
	queryClients = 16
	// Under load, a few clients ask while others append as fast as they can.
	loadedQueryClients  = 4
	loadedAppendClients = 64
	keyedClients        = 256
)

// measurement gives one or more figures each time that it runs.
type measurement struct {
	names []string
	run   func(ctx context.Context, s *stage, report func(name string, s sample)) error
}

// phase is measurements that are repeated in turn, so that what else the machine does hits all alike.
type phase struct {
	prepare      func(ctx context.Context, s *stage, report func(name string, s sample)) error
	measurements []measurement
	once         bool
}

type hire = func(ctx context.Context, i int) (worker, error)

// driven is a measurement of n equal workers.
func driven(name string, n int, workers func(s *stage) hire) measurement {
	return measurement{names: []string{name}, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
		result, err := drive(ctx, s.config.Duration, n, workers(s))
		if err == nil {
			report(name, result)
		}
		return err
	}}
}

func (s *stage) oneLog() logs   { return logs{prefix: "one", count: 1} }
func (s *stage) manyLogs() logs { return logs{prefix: "many", count: s.config.scale().manyLogs} }

// phases are all measurements in the order in which they run. What grows the database comes last.
func phases() []phase {
	return []phase{{prepare: prepareAppends, measurements: appendMeasurements()}, queryPhase(), {
		once: true,
		measurements: []measurement{{names: []string{createLogs, appendRound}, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
			return s.memory(ctx, report)
		}}},
	}}
}

func prepareAppends(ctx context.Context, s *stage, _ func(string, sample)) error {
	if err := s.createLogs(ctx, s.oneLog()); err != nil {
		return err
	}
	return s.createLogs(ctx, s.manyLogs())
}

func appendMeasurements() []measurement {
	list := []measurement{
		driven(copyOne, 1, func(s *stage) hire { return hireCopier(s.database, s.manyLogs().count) }),
		driven(batchMany, batchClients, func(s *stage) hire { return s.batches(s.manyLogs()) }),
		driven(copyTwo, 2, func(s *stage) hire { return hireCopier(s.database, s.manyLogs().count) }),
		driven(bareInsert, 1, func(s *stage) hire { return hireByHand(s.database, 1, (*byHand).insert) }),
		driven(appendKeyed, keyedClients, func(s *stage) hire { return s.keyedAppends(s.oneLog()) }),
	}
	for i, n := range appendClients {
		list = append(list,
			driven(appendOne+strconv.Itoa(n), n, func(s *stage) hire { return s.appends(s.oneLog()) }),
			driven(handOne+strconv.Itoa(handClients[i]), handClients[i], func(s *stage) hire {
				return hireByHand(s.database, 1, (*byHand).transaction)
			}),
			driven(appendMany+strconv.Itoa(n), n, func(s *stage) hire { return s.appends(s.manyLogs()) }),
			driven(handMany+strconv.Itoa(handClients[i]), handClients[i], func(s *stage) hire {
				return hireByHand(s.database, s.manyLogs().count, (*byHand).transaction)
			}),
		)
	}
	return list
}

func queryPhase() phase {
	var small, large *history
	ask := func(h **history) func(s *stage) hire {
		return func(s *stage) hire { return s.queries((*h).logs, (*h).from, (*h).span()) }
	}
	return phase{
		prepare: func(ctx context.Context, s *stage, report func(string, sample)) error {
			scale := s.config.scale()
			small, large = newHistory("small", scale.smallHistory), newHistory("large", scale.largeHistory)
			if err := small.load(ctx, s); err != nil {
				return err
			}
			began := time.Now()
			if err := large.load(ctx, s); err != nil {
				return err
			}
			report(loadLarge, sample{count: large.events, seconds: time.Since(began).Seconds()})
			// What loading left to do must not be taken for the cost of queries.
			return s.execute(ctx, "VACUUM ANALYZE", "CHECKPOINT")
		},
		measurements: []measurement{
			driven(querySmall, 1, ask(&small)),
			driven(queryLarge, 1, ask(&large)),
			driven(querySeveral, queryClients, ask(&small)),
			{names: []string{queryLoaded, appendQueried}, run: queryUnderAppends},
		},
	}
}

// queryUnderAppends asks about the last minutes of logs that are appended to at the same time.
func queryUnderAppends(ctx context.Context, s *stage, report func(string, sample)) error {
	var appends, queries sample
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		appends, err = drive(ctx, s.config.Duration, loadedAppendClients, s.appends(s.manyLogs()))
		return err
	})
	group.Go(func() (err error) {
		const recent = 10 * time.Minute
		queries, err = drive(ctx, s.config.Duration, loadedQueryClients, s.queries(s.manyLogs(), time.Now().Add(-recent), recent))
		return err
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("queries under appends: %w", err)
	}
	report(queryLoaded, queries)
	report(appendQueried, appends)
	return nil
}
