package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// The measurements beside analysts.
const (
	appendAlone   = "append/beside-nobody"
	appendAnalyst = "append/beside-analyst"
	appendBusy    = "append/beside-arithmetic"
)

// besideClients is the number of clients that append beside a query.
const besideClients = 64

// analystTransaction is a value: how long the analyst's transaction was open, in seconds.
const analystTransaction = "seconds of an analyst's transaction"

// These queries run beside appends, each in one transaction and on one core: a report over all events, and arithmetic that reads no table,
// which shows how much of the difference comes from sharing a machine.
const (
	analystQuery = `SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM'), data->>'model',
		sum((data->>'tokens_in')::numeric), sum((data->>'tokens_out')::numeric)
		FROM reporting.events GROUP BY 1, 2`
	busyQuery = `SELECT count(*) FROM generate_series(1, 3000) a, generate_series(1, 3000) b WHERE (a * b) % 7 = 8`
)

// asAnalyst prepares a connection to behave like an analyst's.
var asAnalyst = []string{
	"SET ROLE tally_analyst",
	"SET max_parallel_workers_per_gather = 0",
	"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

func analystRows() []rowKind {
	return []rowKind{
		{
			name: "analyst",
			what: "single appends to 1,000 logs, 64 connections, " +
				"beside an analyst's report over all events ÷ beside arithmetic of one core",
			unit: "×", atLeast: 0.9, needs: []string{appendAnalyst, appendBusy},
			value: func(f figures, s *stage) (float64, string) {
				value, text := ratio(f[appendAnalyst], f[appendBusy])
				return value, text + fmt.Sprintf("; its transaction was open for %.1f s", s.medianValue(analystTransaction))
			},
		}, {
			name: "analyst-alone", what: "the same ÷ beside nothing", unit: "×", needs: []string{appendAnalyst, appendAlone},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendAnalyst], f[appendAlone]) },
		}, {
			name: "analyst-p99", what: "such an append beside the analyst: 99 of 100", unit: "ms",
			needs: []string{appendAnalyst, appendBusy, appendAlone},
			value: func(f figures, _ *stage) (float64, string) {
				return f[appendAnalyst].P99,
					fmt.Sprintf("beside arithmetic %.1f ms, beside nothing %.1f ms", f[appendBusy].P99, f[appendAlone].P99)
			},
		},
	}
}

// analystPhase appends beside an analyst's queries.
func analystPhase() phase {
	appends := func(s *stage) workerFactory { return s.appends(manyLogs(s)) }
	beside := func(name, query string) measurement {
		return measurement{names: []string{name}, on: manyLogs, run: func(ctx context.Context, s *stage, report reporter) error {
			result, err := s.driveBeside(ctx, query, appends(s))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			report(name, result)
			return nil
		}}
	}
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			if _, err := s.largeHistory(ctx); err != nil {
				return err
			}
			return s.execute(ctx, "VACUUM ANALYZE", "CHECKPOINT")
		},
		measurements: []measurement{
			driven(appendAlone, besideClients, manyLogs, appends),
			beside(appendAnalyst, analystQuery),
			beside(appendBusy, busyQuery),
		},
	}
}

// driveBeside drives appends while a connection runs the query repeatedly in one transaction.
func (s *stage) driveBeside(ctx context.Context, query string, newWorker workerFactory) (sample, error) {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return sample{}, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost
	for _, statement := range asAnalyst {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return sample{}, err
		}
	}
	queryCtx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		querying sync.WaitGroup
		failure  error
	)
	began := time.Now()
	querying.Go(func() {
		for failure == nil {
			_, failure = conn.Exec(queryCtx, query)
		}
	})
	result, err := s.drive(ctx, besideClients, newWorker)
	if query == analystQuery {
		s.recordValue(analystTransaction, time.Since(began).Seconds())
	}
	stop()
	querying.Wait()
	if err == nil && !errors.Is(failure, context.Canceled) {
		err = failure
	}
	return result, err
}
