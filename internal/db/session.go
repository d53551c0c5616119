package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// settings are the settings that every connection of a DB makes for itself when it opens, over those of the server, the database and the
// login. Later changes to those do not affect them. They are made by statements, not as startup parameters: poolers reject or drop the
// parameters they do not know.
//
// Plans are generic and use indexes only. Each connection plans a statement once and without statistics, so that a table that has just
// grown or was never analyzed cannot turn an append or a query into a scan. A transaction that reads events must run PlanForPartitions
// first.
//
// A server that disappears, or freezes in the middle of a transaction, must not hold locks that others wait for: PostgreSQL ends
// transactions that are idle for too long, and detects a dead peer by itself.
var settings = map[string]string{
	"plan_cache_mode":         "force_generic_plan",
	"enable_seqscan":          "off",
	"enable_hashjoin":         "off",
	"enable_mergejoin":        "off",
	"jit":                     "off",
	"timezone":                "UTC",
	"role":                    ServerRole,
	"tcp_keepalives_idle":     "10", // seconds
	"tcp_keepalives_interval": "5",
	"tcp_keepalives_count":    "3",
	"tcp_user_timeout":        "25s", // for data that is sent but not acknowledged; ignored on Unix sockets
}

// appendSettings are the further settings of a lane's connection. A lane's transaction waits only for PostgreSQL, or for a fold, which
// keeps the transaction alive (Tx.KeepAlive).
//
// statement_timeout is not among them: when it interrupts a COMMIT that waits for a synchronous standby, PostgreSQL reports success.
var appendSettings = map[string]string{"idle_in_transaction_session_timeout": "10s"}

// readSettings are the further settings of all other connections. Between two of their statements, a view may run a query, or a build may
// fold events.
var readSettings = map[string]string{"idle_in_transaction_session_timeout": "2min"}

// DefaultLockTimeout is how long an append waits for a log's lock that another session holds, such as another server's. It is far longer
// than an append or the last step of a build takes.
const DefaultLockTimeout = 250 * time.Millisecond

// ServerRole is the role that every connection of a DB acts as, whatever its login. It can add and read events, but neither change nor
// delete them. Migrate creates it.
const ServerRole = "tally_server"

// durable makes every COMMIT of a connection wait until the transaction is on disk, here and on synchronous standbys, if any. With off,
// local or remote_write, whoever set them, a crash or a failover could lose acknowledged events. remote_apply waits for more, and stays.
const durable = `SELECT set_config('synchronous_commit', ` +
	`CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`

// remoteApply is the one value of synchronous_commit that waits for more than on.
const remoteApply = "remote_apply"

// sessionSetup returns the statements that a new connection runs: settings and more.
func sessionSetup(more map[string]string) string {
	all := maps.Clone(settings)
	maps.Copy(all, more)
	var sql strings.Builder
	sql.WriteString("SELECT current_setting('synchronous_commit'), " +
		"current_setting('fsync'), current_setting('full_page_writes'); " + durable)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&sql, "; SET %s = '%s'", name, all[name])
	}
	sql.WriteString("; SELECT oldest_server()") // as ServerRole
	return sql.String()
}

// setUp prepares a new connection. The error wraps an *UntrustedError if the database's schema is not for servers of this version, or if
// the database could lose committed data and that is not allowed.
func (d *DB) setUp(ctx context.Context, conn *pgconn.PgConn, setup string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	results, err := conn.Exec(ctx, setup).ReadAll()
	if err != nil {
		return fmt.Errorf("setting a connection up: %w", olderSchema(err))
	}
	if len(results) == 0 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 3 {
		return fmt.Errorf("setting a connection up: the database's settings came back as %d results", len(results))
	}
	row, schema := results[0].Rows[0], results[len(results)-1].Rows
	s := Durability{SynchronousCommit: string(row[0]), Fsync: string(row[1]), FullPageWrites: string(row[2])}
	d.configured.Store(&s)
	if len(schema) != 1 || len(schema[0]) != 1 {
		return fmt.Errorf("setting a connection up: which servers the schema needs came back as %d rows", len(schema))
	}
	if err := checkSchema(string(schema[0][0])); err != nil {
		return err
	}
	if d.refuseUnsafe {
		return s.refusal()
	}
	return nil
}

// commitDurably is setUp for a connection that acts as its own login.
func commitDurably(ctx context.Context, conn *pgconn.PgConn) error {
	return conn.Exec(ctx, durable).Close()
}

// Durability is how the settings of the server, the database and the login make commits durable.
type Durability struct {
	SynchronousCommit string // a DB's connections overrule it if it is weaker than on
	Fsync             string
	FullPageWrites    string
}

// refusal returns an *UntrustedError if a crash could lose committed data, else nil.
func (s Durability) refusal() error {
	switch {
	case s.Fsync != "on":
		return &UntrustedError{"fsync is off on this PostgreSQL server: an acknowledged event could be lost in a crash; " +
			"set fsync = on, or pass --allow-unsafe-database where losing data does not matter"}
	case s.FullPageWrites != "on":
		return &UntrustedError{"full_page_writes is off on this PostgreSQL server: a crash could corrupt it; " +
			"set full_page_writes = on, or pass --allow-unsafe-database where losing data does not matter"}
	}
	return nil
}

// CheckDurability reads the current settings on a new connection, since a server's settings can change while connections are open. It has
// the pools replace their connections, each once it is released, if the server is no longer trusted (the error is then an *UntrustedError),
// or if synchronous_commit has become remote_apply.
func (d *DB) CheckDurability(ctx context.Context) (Durability, error) {
	before := d.configured.Load()
	conn, err := d.connect(ctx)
	if err == nil {
		closeConn(ctx, conn)
	}
	now := d.configured.Load()
	var untrusted *UntrustedError
	if errors.As(err, &untrusted) ||
		err == nil && before != nil && now.SynchronousCommit == remoteApply && before.SynchronousCommit != remoteApply {
		d.Append.Reset()
		d.Queue.Reset()
		d.Read.Reset()
	}
	if err != nil {
		return Durability{}, fmt.Errorf("checking that commits are durable: %w", err)
	}
	return *now, nil
}
