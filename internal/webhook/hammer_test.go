package webhook

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
)

// TestHammer: two servers at a time deliver to a receiver that fails each second try; some are killed, with all their connections, when
// they have sent a request and before they can record it, and others take their place. Each event that was committed arrives, always under
// one id, and is delivered in the end.
func TestHammer(t *testing.T) {
	t.Parallel() // it waits for half a minute, until River looks for jobs of servers that are gone
	d := testdb.New(t)
	config := testConfig()
	config.rescue = 2 * time.Second // of jobs of killed servers
	var kill atomic.Pointer[func()] // what the next request does first
	var requests atomic.Int64
	ids, events := map[string]string{}, map[string]string{} // by each other
	seen := map[string]int{}
	r := newReceiver(t, nil)
	r.answerWith(func(w http.ResponseWriter, request *http.Request) {
		if die := kill.Swap(nil); die != nil {
			(*die)()
		}
		if requests.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	announcer := newWebhooks(t, opened(t, d), config)
	webhook, _ := create(t, announcer, r.URL)

	// begin starts a server; killing it closes its connections under it, and then waits for what is left of it.
	var died sync.WaitGroup
	begin := func() (killed func()) {
		own, err := db.Open(context.WithoutCancel(t.Context()), db.Config{URL: d.DSN(), ReadConns: 2})
		if err != nil {
			t.Fatal(err)
		}
		w := newWebhooks(t, own, config)
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		stop := func(cut bool) {
			once.Do(func() {
				if cut {
					died.Add(1)
					pool := own.Queue
					go func() { // the pool closes once its connections are given back, of which none is given out any more
						defer died.Done()
						pool.Close()
					}()
				}
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second)
				defer cancel()
				_ = w.Stop(ctx)
			})
		}
		t.Cleanup(func() {
			stop(false)
			died.Wait()
			own.Close()
		})
		return func() { stop(true) }
	}
	first, second := begin(), begin()
	const rounds, each = 4, 25
	for round := range rounds {
		for i := range each {
			name := fmt.Sprintf("%d-%d", round, i)
			e := Event{Type: AlertFired, Data: []byte(`{"n":"` + name + `"}`), Key: name}
			announce(t, announcer, e)
			announce(t, announcer, e) // the same again
		}
		die := first
		var dead sync.WaitGroup
		dead.Add(1)
		cut := func() {
			go func() {
				defer dead.Done()
				die()
			}()
		}
		kill.Store(&cut)
		announce(t, announcer, Event{Type: AlertFired, Data: []byte(`{"n":"last of ` + fmt.Sprint(round) + `"}`)})
		dead.Wait()
		first, second = second, begin()
	}
	want := int64(rounds * (each + 1))
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if n := d.Exec(t, "SELECT FROM webhook_deliveries WHERE status = 'delivered' AND webhook_id = $1", webhook.ID); n == want {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d of %d were delivered", n, want)
		}
		<-time.After(20 * time.Millisecond)
	}
	for len(r.got) > 0 {
		got := <-r.got
		m := got.message(t)
		seen[m.ID]++
		if known, ok := events[m.ID]; ok && known != string(m.Data) || ids[string(m.Data)] != "" && ids[string(m.Data)] != m.ID {
			t.Errorf("the event %s came as %s, and as %s", m.Data, m.ID, ids[string(m.Data)])
		}
		events[m.ID], ids[string(m.Data)] = string(m.Data), m.ID
	}
	again := 0
	for _, n := range seen {
		again += n - 1
	}
	if int64(len(seen)) != want || len(ids) != len(seen) {
		t.Errorf("%d messages of %d events came, of %d", len(seen), len(ids), want)
	}
	if again == 0 {
		t.Error("nothing was tried twice")
	}
	if n := d.Exec(t, "SELECT FROM webhook_deliveries"); n != want {
		t.Errorf("there are %d deliveries of %d events", n, want)
	}
}

// TestQueueIsRivers: the tables that the migration makes are those that River's own migrations make, but for what it says it leaves out.
func TestQueueIsRivers(t *testing.T) {
	d := testdb.New(t)
	pool, err := pgxpool.New(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	d.Exec(t, "CREATE SCHEMA rivers_own")
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: "rivers_own"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	for what, query := range map[string]string{
		"columns": `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
				coalesce(pg_get_expr(f.adbin, f.adrelid), ''), c.relpersistence::text
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
			WHERE c.relkind = 'r' AND c.relnamespace = $1::regnamespace AND c.relname NOT IN ('river_migration', 'river_notification')`,
		"indexes": `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname::regnamespace = $1::regnamespace
			AND tablename NOT IN ('river_migration', 'river_notification')
			AND indexname NOT IN ('river_job_kind', 'river_job_args_index', 'river_job_metadata_index')`,
		"states": `SELECT enumlabel FROM pg_enum e JOIN pg_type y ON y.oid = e.enumtypid
			WHERE y.typnamespace = $1::regnamespace`,
		"constraints": `SELECT conname FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype IN ('c', 'p', 'u', 'f')
			AND conrelid::regclass::text NOT LIKE '%river_migration' AND conrelid::regclass::text NOT LIKE '%river_notification'`,
		"unique states": `SELECT s::text, mask::text FROM unnest(enum_range(NULL::tally_queue.river_job_state)) s,
			unnest(ARRAY[B'10000000', B'00000001', B'01011010']) mask
			WHERE CASE $1::text WHEN 'rivers_own' THEN rivers_own.river_job_state_in_bitmask(mask, s::text::rivers_own.river_job_state)
				ELSE tally_queue.river_job_state_in_bitmask(mask, s) END`,
	} {
		of := func(schema string) map[string]bool {
			rows, err := pool.Query(t.Context(), query, schema)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			defer rows.Close()
			found := map[string]bool{}
			for rows.Next() {
				values, err := rows.Values()
				if err != nil {
					t.Fatal(err)
				}
				found[withoutSchema(fmt.Sprint(values))] = true
			}
			return found
		}
		ours, theirs := of(schema), of("rivers_own")
		if len(theirs) == 0 {
			t.Errorf("River has no %s", what)
		}
		for one := range theirs {
			if !ours[one] {
				t.Errorf("%s: River has %s", what, one)
			}
		}
		for one := range ours {
			if !theirs[one] {
				t.Errorf("%s: River has not %s", what, one)
			}
		}
	}
}
