package db

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

const (
	// monthsAhead is how many months have partitions, including the current one. That leaves three months to notice that making them fails.
	monthsAhead = 4
	// FreezeAfterDays is how many days after its end a month is frozen. Until then, a server whose clock is late may still write to it.
	FreezeAfterDays = 3
	// brokenRule is the SQLSTATE with which adopt_events_default itself refuses.
	brokenRule = "TL003"
)

var (
	// ErrNotOwner: the login does not own the tables, which maintenance requires.
	ErrNotOwner = errors.New("this login does not own the events")
	// ErrMaintained: another server or command is maintaining the database.
	ErrMaintained = errors.New("another server or command is maintaining the database")
	// ErrInTheWay: another session holds a lock that is needed. Nothing was changed; trying again later works.
	ErrInTheWay = errors.New("a long query or transaction over the events is in the way")
)

// MakePartitions creates the missing partitions of events for the coming months, by the database's clock, and returns how many it created.
// It delays appends and reads by at most 200 ms. Servers may call it at the same time. The error wraps ErrInTheWay, or is the database's.
func (d *DB) MakePartitions(ctx context.Context) (int, error) {
	return makePartitions(ctx, d.Queries, d.Read)
}

func makePartitions(ctx context.Context, q *dbsqlc.Queries, on dbsqlc.DBTX) (int, error) {
	made, err := q.MakeEventsPartitions(ctx, on, monthsAhead+1) // starting with yesterday's month
	if err := Classify(err); errors.Is(err, ErrConflict) {
		return 0, fmt.Errorf("making partitions: %w: %w", ErrInTheWay, err)
	} else if err != nil {
		return 0, fmt.Errorf("making partitions: %w", err)
	}
	return int(made), nil
}

// Maintainer does the maintenance that only the owner of the tables may do, on a connection with its login's own rights. It is for one
// goroutine.
type Maintainer struct {
	conn    *pgx.Conn
	queries *dbsqlc.Queries
}

// maintenanceSettings limit what maintenance costs others: it reads and writes at the pace of autovacuum.
var maintenanceSettings = map[string]string{
	"timezone": "UTC", "datestyle": "ISO", "vacuum_cost_delay": "2ms", "synchronous_commit": "on",
	"application_name": "tallystick maintenance",
}

// NewMaintainer connects as the login in url. Only one Maintainer may be open at a time, across all servers. Close it. The error is
// ErrMaintained if another is open, ErrNotOwner, or the database's.
func NewMaintainer(ctx context.Context, url string) (_ *Maintainer, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", err)
	}
	config.ConnectTimeout = connectTimeout
	maps.Copy(config.RuntimeParams, maintenanceSettings)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, Classify(err)
	}
	m := &Maintainer{conn: conn, queries: dbsqlc.New()}
	defer func() {
		if err != nil {
			m.Close(ctx)
		}
	}()
	if owns, err := m.queries.OwnsEvents(ctx, conn); err != nil {
		return nil, fmt.Errorf("asking for rights: %w", Classify(err))
	} else if !owns {
		return nil, ErrNotOwner
	}
	return m, m.lock(ctx)
}

// lockPatience is how long to wait for another maintainer: PostgreSQL may not have noticed yet that it is gone.
const lockPatience = "3s"

func (m *Maintainer) lock(ctx context.Context) error {
	if _, err := m.conn.Exec(ctx, "SET lock_timeout = '"+lockPatience+"'"); err != nil {
		return fmt.Errorf("bounding the wait for a lock: %w", Classify(err))
	}
	if err := Classify(m.queries.LockMaintenance(ctx, m.conn)); errors.Is(err, ErrConflict) {
		return ErrMaintained
	} else if err != nil {
		return fmt.Errorf("locking maintenance: %w", err)
	}
	if _, err := m.conn.Exec(ctx, "RESET lock_timeout"); err != nil {
		return fmt.Errorf("setting the wait for a lock back: %w", Classify(err))
	}
	return nil
}

// Close ends the connection, after which another Maintainer can be opened.
func (m *Maintainer) Close(ctx context.Context) { _ = m.conn.Close(ctx) } // its work is done

// MakePartitions does what DB.MakePartitions does.
func (m *Maintainer) MakePartitions(ctx context.Context) (int, error) {
	return makePartitions(ctx, m.queries, m.conn)
}

// AdoptDefault turns the default partition into the partition for the months of the events in it, and creates a new, empty default. It
// returns the partition's new name, or "" if the default was empty. Appends and reads wait while PostgreSQL scans the partition once. The
// error wraps ErrInTheWay, after one second and with nothing changed, or says that partitions of other months are in between.
func (m *Maintainer) AdoptDefault(ctx context.Context) (string, error) {
	adopted, err := m.queries.AdoptEventsDefault(ctx, m.conn)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return adopted, nil
	case errors.As(err, &refused) && refused.Code == brokenRule:
		return "", errors.New(refused.Message)
	case errors.Is(Classify(err), ErrConflict):
		return "", fmt.Errorf("emptying the default partition: %w: %w", ErrInTheWay, err)
	}
	return "", fmt.Errorf("emptying the default partition: %w", Classify(err))
}

// ToFreeze returns the partitions of past months that are not frozen yet.
func (m *Maintainer) ToFreeze(ctx context.Context) ([]string, error) {
	names, err := m.queries.PartitionsToFreeze(ctx, m.conn, FreezeAfterDays)
	if err != nil {
		return nil, fmt.Errorf("looking for partitions to freeze: %w", Classify(err))
	}
	return names, nil
}

// Freeze freezes a partition, so that no later VACUUM has to read it, and analyzes it, at the pace of autovacuum. Reads and appends go on.
// It returns false if an old transaction keeps rows from being frozen; a later call may succeed.
func (m *Maintainer) Freeze(ctx context.Context, partition string) (bool, error) {
	// sqlc cannot generate this: VACUUM takes a name, not a parameter. The table is not truncated, since that would lock out readers.
	vacuum := "VACUUM (FREEZE, ANALYZE, TRUNCATE FALSE) " + pgx.Identifier{partition}.Sanitize()
	if _, err := m.conn.Exec(ctx, vacuum, pgx.QueryExecModeSimpleProtocol); err != nil {
		return false, fmt.Errorf("freezing %s: %w", partition, Classify(err))
	}
	frozen, err := m.queries.IsFrozen(ctx, m.conn, partition)
	if err != nil {
		return false, fmt.Errorf("looking whether %s is frozen: %w", partition, Classify(err))
	}
	if !frozen {
		return false, nil
	}
	if err := m.queries.RecordFrozen(ctx, m.conn, partition); err != nil {
		return false, fmt.Errorf("recording that %s is frozen: %w", partition, Classify(err))
	}
	return true, nil
}
