package db_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
)

// TestEndStalled: a connection that has a head locked and does not send the rest of a COPY is ended, by another one of the same login,
// which has no rights but a server's. Those that hold up nobody, or have not waited for long, are left alone; so are other logins'.
func TestEndStalled(t *testing.T) {
	login, stranger := newLogin(t, "IN ROLE tally_server"), newLogin(t, "IN ROLE tally_server")
	d, _ := owned(t)
	d.Exec(t, "CREATE TABLE copied (line text)")
	d.Exec(t, "GRANT INSERT ON copied TO tally_server")
	open := func(login string) *db.DB {
		t.Helper()
		opened, err := db.Open(t.Context(), db.Config{URL: as(t, d.DSN(), login)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(opened.Close)
		return opened
	}
	ours, theirs := open(login), open(stranger)
	ends := func(by *db.DB, after time.Duration, want int64) {
		t.Helper()
		if ended, err := by.EndStalled(t.Context(), after); err != nil || ended != want {
			t.Errorf("%d connections were ended, %v; want %d", ended, err, want)
		}
	}
	stall := func(lock string) (stalled chan error, rest *io.PipeWriter) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), as(t, d.DSN(), login))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		execute(t, conn, "SET ROLE tally_server; BEGIN; "+lock)
		data, rest := io.Pipe()
		stalled = make(chan error, 1)
		go func() {
			_, err := conn.PgConn().CopyFrom(context.Background(), data, "COPY copied FROM STDIN")
			stalled <- err
		}()
		if _, err := rest.Write([]byte("half a li")); err != nil { // it has been read, and so COPY has begun
			t.Fatal(err)
		}
		waits := connect(t, d.DSN())
		for {
			var waiting bool
			err := waits.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' "+
				"AND wait_event = 'ClientRead')", conn.PgConn().PID()).Scan(&waiting)
			if err != nil {
				t.Fatal(err)
			}
			if waiting {
				return stalled, rest
			}
		}
	}
	const locks = "UPDATE log_heads SET sequence = sequence WHERE false"
	locking, _ := stall(locks)
	harmless, rest := stall("SELECT FROM log_heads")
	idle := connect(t, as(t, d.DSN(), login))
	execute(t, idle, "SET ROLE tally_server; BEGIN; "+locks)

	ends(ours, time.Hour, 0)
	ends(theirs, 0, 0)
	ends(ours, 0, 1)
	if err := <-locking; err == nil {
		t.Error("the COPY of a connection that was ended has succeeded")
	}
	ends(ours, 0, 0)
	if err := rest.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-harmless; err != nil {
		t.Errorf("a COPY that held up nobody was ended: %v", err)
	}
	execute(t, idle, "COMMIT")
}
