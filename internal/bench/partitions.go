package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
)

const (
	appendOnePart = "partitions/append/one"
	appendMonths  = "partitions/append/60-months"
	readOnePart   = "partitions/read/one"
	readMonths    = "partitions/read/60-months"
)

const (
	// partitionedMonths is the age of the log.
	partitionedMonths = 60
	// recentEvents is the number of events that are read from the log's end.
	recentEvents = 100
	// partitionClients is the number of clients that append at the same time.
	partitionClients = 64
)

// era is a database with a log of 60 months, and a server on it.
type era struct {
	*stage
	logs   logs
	events int
}

// oneTable is a single partition for all months, made before the server would make monthly ones.
const oneTable = `CREATE TABLE events_all PARTITION OF events FOR VALUES FROM ('2000-01-01Z') TO ('2200-01-01Z')`

// monthlyTables makes the partitions that a server has made after five years.
var monthlyTables = fmt.Sprintf(`SELECT ensure_events_partitions(now() - interval '%d months', %d)`, partitionedMonths-1, partitionedMonths)

// fillEra gives a log the same number of events in each month up to now. Nothing reads their hashes.
const fillEra = `
WITH shape AS (
    SELECT l.log_id, date_trunc('month', now()) - make_interval(months => %[1]d - 1) AS first,
           least(now() - date_trunc('month', now()), '27 days') AS span
    FROM logs l WHERE l.name = '%[3]s'
), made AS (
    INSERT INTO events (log_id, sequence, recorded_at, time, type, data, hash)
    SELECT log_id, n, at, at, 'note', format('{"type":"note","n":%%s,"text":"%%s"}', n, repeat('x', 150))::json, sha256(n::text::bytea)
    FROM shape, generate_series(1, %[1]d * %[2]d) AS n,
         LATERAL (SELECT first + make_interval(months => (n - 1) / %[2]d) + span * ((n - 1) %% %[2]d / %[2]d.0) AS at) times
    RETURNING log_id, sequence, recorded_at
), months AS (
    INSERT INTO log_months (log_id, month, first_sequence)
    SELECT log_id, date_trunc('month', recorded_at), min(sequence) FROM made GROUP BY 1, 2
)
UPDATE log_heads h SET sequence = m.sequence, recorded_at = m.recorded_at
FROM (SELECT log_id, max(sequence) AS sequence, max(recorded_at) AS recorded_at FROM made GROUP BY log_id) m
WHERE h.log_id = m.log_id`

func partitionsPhase() phase {
	var one, months *era
	appends := func(of **era) func(*stage) workerFactory {
		return func(*stage) workerFactory { return (*of).appends((*of).logs) }
	}
	reads := func(of **era) func(*stage) workerFactory {
		return func(*stage) workerFactory { return (*of).recentReads() }
	}
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) (err error) {
			if one, err = s.newEra(ctx, "one", oneTable); err != nil {
				return err
			}
			months, err = s.newEra(ctx, "months", monthlyTables)
			return err
		},
		measurements: []measurement{
			driven(appendMonths, partitionClients, nil, appends(&months)),
			driven(appendOnePart, partitionClients, nil, appends(&one)),
			driven(readMonths, 1, nil, reads(&months)),
			driven(readOnePart, 1, nil, reads(&one)),
		},
	}
}

// newEra creates a database with these partitions beside the stage's own, and fills it.
func (s *stage) newEra(ctx context.Context, name, partitions string) (*era, error) {
	database, err := s.anotherDatabase(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, database); err != nil {
		return nil, err
	}
	e := &era{
		stage: &stage{config: s.config, folder: s.folder, postgres: s.postgres, database: database},
		logs:  logs{prefix: "customer", count: 1},
	}
	if err := e.execute(ctx, "SET timezone = 'UTC'; "+partitions); err != nil {
		return nil, fmt.Errorf("making partitions: %w", err)
	}
	if err := e.startServer(ctx); err != nil {
		return nil, err
	}
	s.cleanup(func(context.Context) error { return e.server.stop() })
	if err := e.uploadModules(ctx); err != nil {
		return nil, err
	}
	return e, e.fill(ctx)
}

func (e *era) fill(ctx context.Context) error {
	perMonth := e.config.scale().smallHistory / 5
	e.events = perMonth * partitionedMonths
	return e.each(ctx, e.logs, func(c *client, g *generator, i int) error {
		if _, err := c.do("POST", "/logs", "", []byte(`{"name":"`+e.logs.name(i)+`"}`)); err != nil {
			return fmt.Errorf("creating a log: %w", err)
		}
		fill := fmt.Sprintf(fillEra, partitionedMonths, perMonth, e.logs.name(i))
		if err := e.execute(ctx, "SET timezone = 'UTC'; "+fill, "VACUUM ANALYZE", "CHECKPOINT"); err != nil {
			return fmt.Errorf("filling 60 months: %w", err)
		}
		for _, m := range e.modules {
			if _, err := c.do("POST", e.logs.path(i)+"/views/"+m.view, "", m.deploy); err != nil {
				return fmt.Errorf("deploying a view: %w", err)
			}
		}
		return appendOnce(c, g, e.logs, i)
	})
}

// recentReads reads the last events of the history, not those appended since.
func (e *era) recentReads() workerFactory {
	path := e.logs.path(0) + "/events?from=" + strconv.Itoa(e.events-recentEvents+1) + "&limit=" + strconv.Itoa(recentEvents)
	return e.clientWorkers(func(c *client, _ *generator) (int, error) {
		_, err := c.do("GET", path, "", nil)
		return recentEvents, err
	})
}

// anotherDatabase creates a database on the stage's PostgreSQL server, and drops it in the end.
func (s *stage) anotherDatabase(ctx context.Context, name string) (string, error) {
	name = filepath.Base(s.folder) + "_" + name
	identifier := pgx.Identifier{name}.Sanitize()
	if err := s.execute(ctx, "CREATE DATABASE "+identifier+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		return "", fmt.Errorf("making another database: %w", err)
	}
	s.cleanup(func(ctx context.Context) error {
		return s.execute(ctx, "DROP DATABASE "+identifier+" WITH (FORCE)")
	})
	return withDatabase(s.database, name)
}

func partitionsRows() []rowKind {
	return []rowKind{
		{
			name: "partitions-append",
			what: "an append to a log of 60 months, 64 connections: one partition a month ÷ one for all",
			unit: "×", atMost: 1.1, needs: []string{appendMonths, appendOnePart},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendOnePart], f[appendMonths]) },
		}, {
			name: "partitions-read",
			what: "reading the last 100 events of that log: one partition a month ÷ one for all",
			unit: "×", atMost: 1.1, needs: []string{readMonths, readOnePart},
			value: func(f figures, _ *stage) (float64, string) { return latencyRatio(f[readMonths], f[readOnePart]) },
		},
	}
}
