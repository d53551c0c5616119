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

// settings are what each connection of a DB sets for itself when it is opened, whatever the server, the database or the login say: nothing
// that happens to their settings later changes it. They are set by statements, not at the start of the connection, since poolers refuse or
// drop what they do not know there.
//
// Plans are generic and take indexes only: they are made once for each connection, and do not depend on statistics, so a
// table that has just grown or was never analysed cannot turn an append or a query into a scan. What reads events must
// call PlanForPartitions first.
//
// A server that is gone without a word, or stopped in the middle of a transaction, must not hold locks that others wait for: PostgreSQL
// ends its transaction when it has been idle for seconds, and finds out by itself when nobody is at the other end.
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
	"tcp_user_timeout":        "25s", // of what was sent and is not acknowledged; ignored on Unix sockets
}

// appendSettings are those of connections for lanes, besides. A lane's transaction waits for PostgreSQL alone, and for a fold that tells
// PostgreSQL now and then that it is still there (Tx.KeepAlive).
//
// statement_timeout is not among them: when it ends a COMMIT that waits for a synchronous standby, PostgreSQL answers with success.
var appendSettings = map[string]string{"idle_in_transaction_session_timeout": "10s"}

// readSettings are those of all other connections, besides. Between two statements of theirs a view may answer a question, or a version be
// built.
var readSettings = map[string]string{"idle_in_transaction_session_timeout": "2min"}

// DefaultLockTimeout is how long an append waits for a lock that another server, or whoever, has on a log. It is far above what an append
// or the last step of a build takes.
const DefaultLockTimeout = 250 * time.Millisecond

// ServerRole is what every connection of a DB acts as, whoever it logs in as: it can add events and read them, and neither change nor
// remove one. Migrate makes it.
const ServerRole = "tally_server"

// durable has every COMMIT of a connection wait until the transaction is on disk, and on that of synchronous standbys where there are any.
// off, local and remote_write, by whomever they are set, would let a crash or a failover take back what was acknowledged; remote_apply
// waits for more, and stays.
const durable = `SELECT set_config('synchronous_commit', ` +
	`CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`

// remoteApply is the one value of synchronous_commit that waits for more than on.
const remoteApply = "remote_apply"

// sessionSetup is what a new connection runs, with some settings besides those of all.
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

// setUp makes a new connection one of the DB's. The error wraps an *UntrustedError where the database's schema is not for servers of this
// version, and where it could lose what is committed, unless that is allowed.
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

// commitDurably is setUp for a connection that acts as its login.
func commitDurably(ctx context.Context, conn *pgconn.PgConn) error {
	return conn.Exec(ctx, durable).Close()
}

// Durability is what the server's, the database's and the login's settings say of commits.
type Durability struct {
	SynchronousCommit string // which connections of a DB overrule where it is weaker than on
	Fsync             string
	FullPageWrites    string
}

// refusal is an *UntrustedError where a crash could lose what was committed.
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

// CheckDurability asks, on a connection of its own, what settings are by now: the server's can be changed under running connections. Where
// those of the pools have to be made anew for it, they are, once whoever uses them gives them back: because the server may not be trusted
// any more, as the *UntrustedError says, or because commits are to wait for more than they did.
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
		d.Read.Reset()
	}
	if err != nil {
		return Durability{}, fmt.Errorf("checking that commits are durable: %w", err)
	}
	return *now, nil
}
