package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// The names of the measurements, as they appear in the report. Those of appends and by-hand SQL end with the number of clients.
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

// gasRatio is a value: a metered fold's time ÷ a bare one's, the median over all turns.
const gasRatio = "gas"

var (
	handClients   = []int{1, 16, 64}
	appendClients = []int{1, 64, 256}
)

const (
	queryClients = 16
	// Under load, a few clients query while others append as fast as they can.
	loadedQueryClients  = 4
	loadedAppendClients = 64
	// maxClients is the number of connections of measurements with many.
	maxClients = 256
)

// reporter records the sample of one measurement in one round.
type reporter = func(name string, s sample)

// measurement reports one or more samples each time that it runs.
type measurement struct {
	names []string
	on    func(s *stage) logs // logs that it needs; nil for none
	run   func(ctx context.Context, s *stage, report reporter) error
}

// phase is a group of measurements that are interleaved round by round, so that disturbances hit all alike.
type phase struct {
	prepare      func(ctx context.Context, s *stage, report reporter) error
	measurements []measurement
	once         bool
}

// driven is a measurement of n equal workers.
func driven(name string, n int, on func(s *stage) logs, workers func(s *stage) workerFactory) measurement {
	return measurement{names: []string{name}, on: on, run: func(ctx context.Context, s *stage, report reporter) error {
		result, err := s.drive(ctx, n, workers(s))
		if err == nil {
			report(name, result)
		}
		return err
	}}
}

func oneLog(*stage) logs     { return logs{prefix: "one", count: 1} }
func manyLogs(s *stage) logs { return logs{prefix: "many", count: s.config.scale().manyLogs} }

// phases returns all measurements in order. Those that grow the database come last.
func phases() []phase {
	return []phase{
		foldPhase(),
		{measurements: appendMeasurements()},
		queryPhase(), rebuildPhase(), makePhase(), readPhase(), verifyPhase(),
		livePhase(), guardPhase(), partitionsPhase(), keyPhase(), webhookPhase(),
		gatewayPhase(), analystPhase(), kafkaPhase(), memoryPhase(), gatewayMemoryPhase(),
		hostilePhase(), memoryAttackPhase(),
		noisyPhase(),
	}
}

func appendMeasurements() []measurement {
	list := []measurement{
		driven(copyOne, 1, nil, func(s *stage) workerFactory { return copyWorkers(s.database, manyLogs(s).count) }),
		driven(batchMany, batchClients, manyLogs, func(s *stage) workerFactory { return s.batches(manyLogs(s)) }),
		driven(batchIDsMany, batchClients, manyLogs, func(s *stage) workerFactory { return s.batchesWithIDs(manyLogs(s)) }),
		driven(copyTwo, 2, nil, func(s *stage) workerFactory { return copyWorkers(s.database, manyLogs(s).count) }),
		driven(bareInsert, 1, nil, func(s *stage) workerFactory { return byHandWorkers(s.database, 1, (*byHand).insert) }),
	}
	for i, n := range appendClients {
		list = append(list,
			driven(appendOne+strconv.Itoa(n), n, oneLog, func(s *stage) workerFactory { return s.appends(oneLog(s)) }),
			driven(handOne+strconv.Itoa(handClients[i]), handClients[i], nil, func(s *stage) workerFactory {
				return byHandWorkers(s.database, 1, (*byHand).transaction)
			}),
			driven(appendMany+strconv.Itoa(n), n, manyLogs, func(s *stage) workerFactory { return s.appends(manyLogs(s)) }),
			driven(handMany+strconv.Itoa(handClients[i]), handClients[i], nil, func(s *stage) workerFactory {
				return byHandWorkers(s.database, manyLogs(s).count, (*byHand).transaction)
			}),
		)
	}
	return append(list, // beside the same without ids
		driven(appendIDsMany, maxClients, manyLogs, func(s *stage) workerFactory { return s.appendsWithIDs(manyLogs(s)) }),
		driven(appendIDsOne, maxClients, oneLog, func(s *stage) workerFactory { return s.appendsWithIDs(oneLog(s)) }),
		measurement{names: []string{wrkOne}, on: oneLog, run: wrkAppends},
	)
}

func queryPhase() phase {
	var small, large *history
	ask := func(h **history) func(s *stage) workerFactory {
		return func(s *stage) workerFactory { return s.queries((*h).logs, (*h).from, (*h).span()) }
	}
	return phase{
		prepare: func(ctx context.Context, s *stage, report reporter) (err error) {
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
			// The cost of queries must not include cleaning up after the load.
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

// queryUnderAppends queries the last minutes of logs that are appended to at the same time.
func queryUnderAppends(ctx context.Context, s *stage, report reporter) error {
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
