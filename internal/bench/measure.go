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
	appendIDsOne  = "append-ids/one-log/256"
	appendIDsMany = "append-ids/many-logs/256"
	batchMany     = "batch/many-logs"
	batchIDsMany  = "batch-ids/many-logs"
	querySmall    = "query/small"
	queryLarge    = "query/large"
	querySeveral  = "query/small/16"
	queryLoaded   = "query/under-appends"
	appendQueried = "append/under-queries"
	loadLarge     = "load/large"
	createLogs    = "memory/create"
	appendRound   = "memory/append"

	foldKit       = "fold/"      // and the kit's language
	foldReady     = "fold/ready" // the ready view monthly_totals
	foldMeter     = "fold/meter"
	foldMetered   = "gas/metered"
	foldBare      = "gas/bare"
	resetTiny     = "reset/64KiB/1-page"
	resetMiB      = "reset/1MiB/4-pages"
	resetMiBWhole = "reset/1MiB/256-pages"
	resetFold     = "reset/1MiB/none"
)

// gasRatio is what the measurement of gas finds: a metered fold's time ÷ a bare one's, the median over all turns.
const gasRatio = "gas"

var (
	handClients   = []int{1, 16, 64}
	appendClients = []int{1, 64, 256}
)

const (
	queryClients = 16
	// Under load, a few clients ask while others append as fast as they can.
	loadedQueryClients  = 4
	loadedAppendClients = 64
	// mostClients append in what is said of many clients.
	mostClients = 256
)

// measurement gives one or more figures each time that it runs.
type measurement struct {
	names []string
	on    func(s *stage) logs // logs that must be there; nil when none are needed
	run   func(ctx context.Context, s *stage, report func(name string, s sample)) error
}

// phase is measurements that are repeated in turn, so that what else the machine does hits all alike.
type phase struct {
	prepare      func(ctx context.Context, s *stage, report func(name string, s sample)) error
	measurements []measurement
	once         bool
}

// driven is a measurement of n equal workers.
func driven(name string, n int, on func(s *stage) logs, workers func(s *stage) hire) measurement {
	return measurement{names: []string{name}, on: on, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
		result, err := s.drive(ctx, n, workers(s))
		if err == nil {
			report(name, result)
		}
		return err
	}}
}

func oneLog(*stage) logs     { return logs{prefix: "one", count: 1} }
func manyLogs(s *stage) logs { return logs{prefix: "many", count: s.config.scale().manyLogs} }

// phases are all measurements in the order in which they run. What grows the database comes last.
func phases() []phase {
	return []phase{foldPhase(), {measurements: appendMeasurements()}, queryPhase(), rebuildPhase(), makePhase(), readPhase(), verifyPhase(), livePhase(), partitionsPhase(), analystPhase(), kafkaPhase(), {
		once: true,
		measurements: []measurement{{names: []string{createLogs, appendRound}, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
			return s.memory(ctx, report)
		}}},
	}, hostilePhase(), memoryAttackPhase(), noisyPhase()}
}

func appendMeasurements() []measurement {
	list := []measurement{
		driven(copyOne, 1, nil, func(s *stage) hire { return hireCopier(s.database, manyLogs(s).count) }),
		driven(batchMany, batchClients, manyLogs, func(s *stage) hire { return s.batches(manyLogs(s)) }),
		driven(batchIDsMany, batchClients, manyLogs, func(s *stage) hire { return s.batchesWithIDs(manyLogs(s)) }),
		driven(copyTwo, 2, nil, func(s *stage) hire { return hireCopier(s.database, manyLogs(s).count) }),
		driven(bareInsert, 1, nil, func(s *stage) hire { return hireByHand(s.database, 1, (*byHand).insert) }),
	}
	for i, n := range appendClients {
		list = append(list,
			driven(appendOne+strconv.Itoa(n), n, oneLog, func(s *stage) hire { return s.appends(oneLog(s)) }),
			driven(handOne+strconv.Itoa(handClients[i]), handClients[i], nil, func(s *stage) hire {
				return hireByHand(s.database, 1, (*byHand).transaction)
			}),
			driven(appendMany+strconv.Itoa(n), n, manyLogs, func(s *stage) hire { return s.appends(manyLogs(s)) }),
			driven(handMany+strconv.Itoa(handClients[i]), handClients[i], nil, func(s *stage) hire {
				return hireByHand(s.database, manyLogs(s).count, (*byHand).transaction)
			}),
		)
	}
	return append(list, // beside the same without ids
		driven(appendIDsMany, mostClients, manyLogs, func(s *stage) hire { return s.appendsWithIDs(manyLogs(s)) }),
		driven(appendIDsOne, mostClients, oneLog, func(s *stage) hire { return s.appendsWithIDs(oneLog(s)) }),
		measurement{names: []string{wrkOne}, on: oneLog, run: wrkAppends},
	)
}

func queryPhase() phase {
	var small, large *history
	ask := func(h **history) func(s *stage) hire {
		return func(s *stage) hire { return s.queries((*h).logs, (*h).from, (*h).span()) }
	}
	return phase{
		prepare: func(ctx context.Context, s *stage, report func(string, sample)) (err error) {
			scale := s.config.scale()
			small = newHistory("small", scale.smallHistory)
			if err = small.load(ctx, s); err != nil {
				return err
			}
			began := time.Now()
			if large, err = s.largeHistory(ctx); err != nil {
				return err
			}
			report(loadLarge, sample{count: large.events, seconds: time.Since(began).Seconds()})
			// What loading left to do must not be taken for the cost of queries.
			return s.execute(ctx, "VACUUM ANALYZE", "CHECKPOINT")
		},
		measurements: []measurement{
			driven(querySmall, 1, nil, ask(&small)),
			driven(queryLarge, 1, nil, ask(&large)),
			driven(querySeveral, queryClients, nil, ask(&small)),
			{names: []string{queryLoaded, appendQueried}, on: manyLogs, run: queryUnderAppends},
		},
	}
}

// queryUnderAppends asks about the last minutes of logs that are appended to at the same time.
func queryUnderAppends(ctx context.Context, s *stage, report func(string, sample)) error {
	var appends, queries sample
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		appends, err = s.drive(ctx, loadedAppendClients, s.appends(manyLogs(s)))
		return err
	})
	group.Go(func() (err error) {
		const recent = 10 * time.Minute
		queries, err = s.drive(ctx, loadedQueryClients, s.queries(manyLogs(s), time.Now().Add(-recent), recent))
		return err
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("queries under appends: %w", err)
	}
	report(queryLoaded, queries)
	report(appendQueried, appends)
	return nil
}
