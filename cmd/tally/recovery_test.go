package main_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/postgres"
	"github.com/tallystick/tallystick/internal/testrig"
	client "github.com/tallystick/tallystick/openapi/clients/go"
)

// cluster is a PostgreSQL that archives its write-ahead log, and what a backup of it needs.
type cluster struct {
	*postgres.Server

	t   *testing.T
	dir string // with pgdata, wal and backup
}

func (c *cluster) start() {
	c.t.Helper()
	wal := filepath.Join(c.dir, "wal")
	var err error
	c.Server, err = postgres.Start(c.t.Context(), postgres.Options{DataDir: c.dir, Settings: map[string]string{
		"archive_mode":    "on",
		"archive_command": fmt.Sprintf("cp %%p %s/%%f.part && mv %[1]s/%%f.part %[1]s/%%f", wal),
		"restore_command": fmt.Sprintf("cp %s/%%f %%p", wal),
	}})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) stop() {
	c.t.Helper()
	if err := c.Stop(context.WithoutCancel(c.t.Context())); err != nil {
		c.t.Error(err)
	}
}

// on runs statements in one session.
func (c *cluster) on(do func(exec func(sql string, result ...any))) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.DSN())
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(c.t.Context())) }()
	do(func(sql string, result ...any) {
		c.t.Helper()
		if err := conn.QueryRow(c.t.Context(), sql).Scan(result...); err != nil {
			c.t.Fatalf("%s: %v", sql, err)
		}
	})
}

// backUp copies the files of the running PostgreSQL.
func (c *cluster) backUp() {
	c.t.Helper()
	c.on(func(exec func(string, ...any)) {
		var began, label, tablespaces string
		exec("SELECT pg_backup_start('base', fast => true)::text", &began)
		copyCluster(c.t, filepath.Join(c.dir, "pgdata"), filepath.Join(c.dir, "backup"))
		exec("SELECT labelfile, spcmapfile FROM pg_backup_stop()", &label, &tablespaces)
		c.own("backup/backup_label", label)
	})
}

// own writes a file that PostgreSQL may read, rename and remove.
func (c *cluster) own(name, text string) {
	c.t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	owner, err := os.Stat(filepath.Dir(file))
	if err != nil {
		c.t.Fatal(err)
	}
	sameOwner(c.t, file, owner)
}

func sameOwner(t *testing.T, file string, as fs.FileInfo) {
	t.Helper()
	if owner, ok := as.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := os.Lchown(file, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// copyCluster copies a data directory as a base backup has it: without the write-ahead log, and without what belongs to the process. Files
// may go while it copies.
func copyCluster(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(name, "postmaster.") || filepath.Dir(name) == "pg_wal" && !entry.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if entry.IsDir() {
			err = os.Mkdir(target, 0o700)
		} else {
			var content []byte
			if content, err = os.ReadFile(path); errors.Is(err, fs.ErrNotExist) {
				return nil
			} else if err == nil {
				err = os.WriteFile(target, content, 0o600)
			}
		}
		if err == nil {
			sameOwner(t, target, info)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// restoreTo replaces the database's files by the backup, replayed up to a restore point, at the same address.
func (c *cluster) restoreTo(point string) {
	c.t.Helper()
	c.on(func(exec func(string, ...any)) {
		var archived bool
		var segment string
		exec("SELECT pg_walfile_name(pg_switch_wal())", &segment)
		for !archived {
			exec("SELECT coalesce(last_archived_wal >= '"+segment+"', false) FROM pg_stat_archiver", &archived)
		}
	})
	c.stop()
	in := func(name string) string { return filepath.Join(c.dir, name) }
	if err := errors.Join(os.Rename(in("pgdata"), in("undone")), os.Rename(in("backup"), in("pgdata"))); err != nil {
		c.t.Fatal(err)
	}
	c.own("pgdata/recovery.signal", "")
	c.own("pgdata/postgresql.auto.conf", "recovery_target_name = '"+point+"'\nrecovery_target_action = 'promote'\n")
	c.start()
	c.on(func(exec func(string, ...any)) {
		for recovering := true; recovering; {
			exec("SELECT pg_is_in_recovery()", &recovering)
		}
	})
}

// TestPointInTimeRecovery restores a database from a base backup and the archive of its write-ahead log to a moment before its last
// changes, while two servers run on. What they say afterwards is what was true at that moment: of events, of views, and of keys; and who
// has seen what came after it is told.
func TestPointInTimeRecovery(t *testing.T) {
	c := &cluster{t: t, dir: folder(t)}
	wal := filepath.Join(c.dir, "wal")
	if err := errors.Join(os.Mkdir(wal, 0o700), os.Chmod(wal, 0o777)); err != nil { // PostgreSQL's user writes there
		t.Fatal(err)
	}
	c.start()
	defer func() { c.stop() }()
	dir := t.TempDir()
	verifier := strings.TrimSpace(succeeds(t, dir, []string{"keygen", "--name", "billing.example.com", "--file", "signing.key"}))
	flags := append(serve(c.DSN()), "--signing-key", filepath.Join(dir, "signing.key"))
	o := &operator{t, dir, serving(t, nil, flags...)}
	other := &operator{t, dir, serving(t, nil, flags...)}
	servers := map[string]*process{"the server that appends": o.server, "the other server": other.server}
	c.backUp()

	o.succeeds(nil, "tenant", "create", "acme")
	in := func(args ...string) []string { return append(args, "--tenant", "acme") }
	newKey := func(name string) string {
		return o.make(in("--name", name, "--scopes", "append,read,query,deploy")...)
	}
	a, b := newKey("a"), newKey("b")
	send := func(by, log string, n int, want answer) {
		t.Helper()
		got, err := o.server.postBy(t.Context(), by, "/logs/"+log+"/append", tokensIn(n), fmt.Sprint("call ", n))
		if got.at = 0; err != nil || got != want {
			t.Errorf("event %d on %s: %+v, %v; want %+v", n, log, got, err, want)
		}
	}
	first := func(sequence int64) answer { return answer{status: http.StatusCreated, Sequence: sequence} }
	again := func(sequence int64) answer { return answer{status: http.StatusOK, Sequence: sequence, Duplicate: true} }
	makeLog := func(by, name string) {
		t.Helper()
		if _, err := o.server.postBy(t.Context(), by, "/logs", `{"name":"`+name+`"}`, ""); err != nil {
			t.Fatal(err)
		}
	}
	makeLog(b, "usage")
	for n := range 5 {
		send(a, "usage", n+1, first(int64(n+1)))
	}
	o.succeeds(nil, in("view", "deploy", "usage", "totals", "--ready", "monthly_totals")...)
	o.succeeds(nil, in("checkpoint", "usage", "--file", "before.checkpoint")...)
	tokenOf := func(by string) string {
		t.Helper()
		status, token, stderr := o.by(by, "token", "create", "--scopes", "read", "--log", "usage", "--subject", "x", "--expires-in", "1h")
		if status != 0 {
			t.Fatal(stderr)
		}
		return strings.TrimSpace(token)
	}
	tokenOfA := tokenOf(a)
	o.append("beside", `{}`)
	c.on(func(exec func(string, ...any)) {
		var at string
		exec("SELECT pg_create_restore_point('moment')::text", &at)
	})

	// What the restore will undo.
	o.succeeds(nil, in("key", "revoke", "--yes", "a")...)
	_, rotated, stderr := o.by(key, in("key", "rotate", "b", "--keep", "0")...)
	if rotated = strings.TrimSpace(rotated); !keyText.MatchString(rotated) {
		t.Fatal(stderr)
	}
	added := newKey("c")
	for _, p := range servers {
		p.becomes(http.StatusUnauthorized, a, "/logs/usage")
		p.becomes(http.StatusUnauthorized, b, "/logs/usage")
		p.becomes(http.StatusOK, rotated, "/logs/usage")
		p.becomes(http.StatusOK, added, "/logs/usage")
	}
	tokenOfC := tokenOf(added)
	for n := 5; n < 9; n++ {
		send(added, "usage", n+1, first(int64(n+1)))
	}
	makeLog(rotated, "late")
	const question = "/logs/usage/views/totals/query?month=2025-03"
	for name, p := range servers {
		if status, text := p.get(added, question); status != http.StatusOK || !strings.Contains(text, `"tokens_in":45`) {
			t.Errorf("%s before: %d: %s", name, status, text)
		}
	}
	o.succeeds(nil, in("checkpoint", "usage", "--file", "after.checkpoint")...)
	watcher := start(t, nil, o.args(in("events", "tail", "usage", "--from", "1"))...)
	watcher.says(`"sequence":9`)
	record := o.prints(in("audit-log")...)
	for _, word := range []string{"key.revoke", "key.rotate"} {
		if !strings.Contains(record, word) {
			t.Errorf("%s is not recorded:\n%s", word, record)
		}
	}

	beside := sendBeside(t, o.server)
	away := time.Now()
	c.restoreTo("moment")
	beside.until(http.StatusServiceUnavailable, away)
	ready := time.Now()
	beside.until(http.StatusCreated, ready)
	t.Logf("appends are taken %d ms after the database is back", time.Since(ready).Milliseconds())
	beside.end()

	// Keys and tokens are as they were at the moment.
	for name, p := range servers {
		p.becomes(http.StatusOK, a, "/logs/usage")
		p.becomes(http.StatusOK, b, "/logs/usage")
		for what, credential := range map[string]string{"the key c": added, "b's later secret": rotated, "c's token": tokenOfC} {
			if status, text := p.get(credential, "/logs/usage"); status != http.StatusUnauthorized {
				t.Errorf("%s takes %s: %d: %s", name, what, status, text)
			}
		}
		if status, text := p.get(tokenOfA, "/logs/usage"); status != http.StatusOK {
			t.Errorf("%s refuses the token of a: %d: %s", name, status, text)
		}
		if status, text := p.get(a, question); status != http.StatusOK || !strings.Contains(text, `"tokens_in":15`) {
			t.Errorf("%s answers from the history that was undone: %d: %s", name, status, text)
		}
		if status, text := p.get(a, "/logs/late"); status != http.StatusNotFound {
			t.Errorf("%s has a log that was made later: %d: %s", name, status, text)
		}
	}
	if status := watcher.wait(); status != 4 {
		t.Errorf("the watcher ended with %d", status)
	}
	watcher.says("unknown_event_id")
	o.server.says("the database does not hold what this server knew of a log")

	// Checkpoints: the one from before the moment holds, the other one does not, and will not when the log has grown beyond it again.
	verify := func(checkpoint string) []string {
		return in("verify", "usage", "--checkpoint", checkpoint, "--verifier-key", verifier)
	}
	o.succeeds(words("the chain is whole", "signed at 5"), verify("before.checkpoint")...)
	o.changed("log_truncated", verify("after.checkpoint")...)
	// What was sent before the moment is there; what was sent later is not, so sending it again stores it.
	send(a, "usage", 5, again(5))
	for i, n := range []int{7, 6, 8, 9, 10} {
		send(a, "usage", n, first(int64(6+i)))
	}
	o.succeeds(words("the chain is whole", "signed at 5"), verify("before.checkpoint")...)
	o.changed("history_rewritten", verify("after.checkpoint")...)

	record = o.prints(in("audit-log")...)
	if strings.Contains(record, "key.revoke") || strings.Contains(record, "key.rotate") {
		t.Errorf("the record has what was undone:\n%s", record)
	}
	keys := described[[]client.Key](t, o.prints(in("key", "list", "--output", "json")...))
	if len(keys) != 2 {
		t.Errorf("there are other keys than a and b: %+v", keys)
	}
	// What was done to keys is done again.
	o.succeeds(nil, in("key", "revoke", "--yes", "a")...)
	for name, p := range servers {
		p.becomes(http.StatusUnauthorized, a, "/logs/usage")
		p.becomes(http.StatusUnauthorized, tokenOfA, "/logs/usage")
		if status, text := p.get(b, question); status != http.StatusOK || !strings.Contains(text, `"tokens_in":55`) {
			t.Errorf("%s after more events: %d: %s", name, status, text)
		}
	}
	testrig.Check(t, c.DSN())
}

// besides is a sender to a log of its own, which never stops.
type besides struct {
	t    *testing.T
	stop func()
	done chan struct{}
	mu   sync.Mutex
	last map[int]time.Time // by status, when the request began that got it last
}

// sendBeside sends events one after the other. Each must be stored, or refused with 503.
func sendBeside(t *testing.T, p *process) *besides {
	ctx, stop := context.WithCancel(t.Context())
	b := &besides{t: t, stop: stop, done: make(chan struct{}), last: map[int]time.Time{}}
	go func() {
		defer close(b.done)
		for ctx.Err() == nil {
			began := time.Now()
			a, err := p.post(ctx, "/logs/beside/append", `{}`, "")
			if ctx.Err() != nil {
				return
			}
			if a.status != http.StatusCreated && a.status != http.StatusServiceUnavailable {
				t.Errorf("while the database is restored, an append gets %d: %v", a.status, err)
			}
			b.mu.Lock()
			b.last[a.status] = began
			b.mu.Unlock()
		}
	}()
	t.Cleanup(b.end)
	return b
}

// until waits for a request that began after a time, and got a status.
func (b *besides) until(status int, began time.Time) {
	b.t.Helper()
	waitFor(b.t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.last[status].After(began)
	})
}

func (b *besides) end() {
	b.stop()
	<-b.done
}

func tokensIn(n int) string {
	return fmt.Sprintf(`{"model":"m","tokens_in":%d,"time":"2025-03-01T00:00:00Z"}`, n)
}
