package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/tracing"
	"github.com/tallystick/tallystick/internal/uuid"
)

// accessConns follow what changes, and look up what is not in memory.
const accessConns = 2

// queueConns fetch work of the queue and record what became of it.
const queueConns = 4

// connectTimeout bounds one attempt to reach the server.
const connectTimeout = 10 * time.Second

// DefaultTenantName is the name that DefaultTenant has unless it was renamed.
const DefaultTenantName = "default"

// DefaultTenant is the tenant that is always there: everything from before there were others is its own. The first migration inserts it.
var DefaultTenant = uuid.MustParse("00000000-0000-7000-8000-000000000001")

// DB is Tallystick's access to one database. Its methods are safe for concurrent use.
type DB struct {
	Append *pgxpool.Pool // for the lanes only, so that no append waits for a connection
	Access *pgxpool.Pool // for keys, so that no request waits behind queries to learn whether it may do something
	Queue  *pgxpool.Pool // for the queue of webhooks, so that no request waits behind it
	Read   *pgxpool.Pool // for everything else
	*dbsqlc.Queries

	refuseUnsafe bool
	tracer       *tracing.Tracer
	configured   atomic.Pointer[Durability] // as the newest connection found it; nil before the first
}

// Config configures the connections.
type Config struct {
	URL         string // a PostgreSQL connection string, URL or keyword form
	AppendConns int    // connections for lanes
	ReadConns   int    // connections for queries, reads and builds
	// LockTimeout is how long a lane waits for a log's lock; 0 for DefaultLockTimeout.
	LockTimeout time.Duration
	// Tracer makes spans of statements within traced requests; nil: of none.
	Tracer *tracing.Tracer
	// RefuseUnsafe makes each new connection refuse a server that runs with fsync or full_page_writes off.
	RefuseUnsafe bool
}

// Open opens the connection pools. It neither migrates nor checks the database: see Migrate and Check. The caller closes the DB.
func Open(ctx context.Context, config Config) (*DB, error) {
	d := &DB{Queries: dbsqlc.New(), refuseUnsafe: config.RefuseUnsafe, tracer: config.Tracer}
	var err error
	forLanes := maps.Clone(appendSettings)
	forLanes["lock_timeout"] = strconv.FormatInt(cmp.Or(config.LockTimeout, DefaultLockTimeout).Milliseconds(), 10)
	if d.Append, err = d.newPool(ctx, config.URL, config.AppendConns, forLanes); err != nil {
		return nil, err
	}
	if d.Read, err = d.newPool(ctx, config.URL, config.ReadConns, readSettings); err != nil {
		d.Append.Close()
		return nil, err
	}
	if d.Access, err = d.newPool(ctx, config.URL, accessConns, readSettings); err != nil {
		d.Append.Close()
		d.Read.Close()
		return nil, err
	}
	if d.Queue, err = d.newPool(ctx, config.URL, queueConns, readSettings); err != nil {
		d.Append.Close()
		d.Read.Close()
		d.Access.Close()
		return nil, err
	}
	return d, nil
}

// Close waits until the connections in use are released, and closes the pools. It may be called more than once.
func (d *DB) Close() {
	d.Append.Close()
	d.Access.Close()
	d.Queue.Close()
	d.Read.Close()
}

// deadPeer lets a connection that waits for a reply notice that its peer is gone.
var deadPeer = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}

func (d *DB) newPool(ctx context.Context, url string, conns int, more map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", err)
	}
	config.MaxConns = int32(min(max(conns, 1), 10_000))
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.DialFunc = (&net.Dialer{KeepAliveConfig: deadPeer}).DialContext
	setup := sessionSetup(more)
	config.ConnConfig.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error { return d.setUp(ctx, conn, setup) }
	if d.tracer != nil {
		config.ConnConfig.Tracer = tracer{d.tracer}
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "tallystick"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the database pool: %w", err)
	}
	return pool, nil
}

// InTx runs fn in a transaction of the read pool and commits it unless fn returns an error. The error wraps ErrOutcomeUnknown when it is
// unknown whether the transaction was committed, but never for one that is read-only.
func (d *DB) InTx(ctx context.Context, options pgx.TxOptions, fn func(tx pgx.Tx) error) error {
	done := false
	err := pgx.BeginTxFunc(ctx, d.Read, options, func(tx pgx.Tx) error {
		err := fn(tx)
		done = err == nil
		return err
	})
	if err != nil && done && options.AccessMode != pgx.ReadOnly && !errors.Is(err, pgx.ErrTxCommitRollback) {
		err = committing(err)
	}
	return Classify(err)
}
