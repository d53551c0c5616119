package view_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// wide is n events that each set many keys, so that a build takes several chunks: a chunk writes 10,000 keys at the most.
func wide(t *testing.T, n int) []event.Event {
	t.Helper()
	const keys = 1500
	events := make([]event.Event, n)
	for i := range events {
		lines := make([]string, 0, keys+2)
		for key := range keys {
			lines = append(lines, line("set", fmt.Sprint("k", (i*keys+key)%(keys*n*2/3)), i))
		}
		events[i] = script(t, append(lines, line("copy", fmt.Sprint("k", i), "last"), line("delete", fmt.Sprint("k", 2*i)))...)
	}
	return events
}

// narrow makes a history long enough to begin with a chunk that does not hold the head.
func narrow(t *testing.T, node *testrig.Node, log uuid.UUID) {
	t.Helper()
	node.Append(t, log, counted(t, 0, history)...)
}

// TestBuildIsKilledBetweenChunks ends the builder's connections again and again, and moves on to another server: every chunk is whole. The
// head is held meanwhile, so that no build is over before it was disturbed: the last chunk waits for it.
func TestBuildIsKilledBetweenChunks(t *testing.T) {
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	narrow(t, node, log)
	for range 2 {
		node.Append(t, log, wide(t, 30)...)
	}
	narrow(t, node, log)
	recorded(t, node, d, log, "v", testrig.Scripted())
	killer := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	release := holdHead(t, d.DSN(), log)
	const atWork = `datname = current_database() AND application_name = 'tallystick' AND state <> 'idle'`
	var applied, kills int64
	for kills < 4 {
		b := testrig.Start(t, d.DSN(), testrig.Settings{})
		await(t, "the build gets on", func() bool {
			info := statusOf(t, killer, log, "v")
			if info.Status != view.Building || info.Applied < applied {
				t.Fatalf("the version is %+v after it was at %d", info, applied)
			}
			on := info.Applied > applied
			applied = info.Applied
			waits := d.Exec(t, `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND `+atWork)
			return on || waits > 0
		})
		kills += d.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE `+atWork)
		b.Stop(t)
		execute(t, d, "UPDATE view_versions SET builder = NULL WHERE status = 'building'") // or the next would wait for the lease to end
	}
	release()
	testrig.Check(t, d.DSN())
	last := testrig.Start(t, d.DSN(), testrig.Settings{})
	await(t, "the version is live", func() bool { return statusOf(t, last, log, "v").Status == view.Live })
	killer.Append(t, log, counted(t, 0, 3)...)
	testrig.Check(t, d.DSN())
}

// TestServersShareABuild has two servers build one version and a third append to its log: they take turns, and neither believes in what it
// knows from before the other's.
func TestServersShareABuild(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	appender := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	logs := []uuid.UUID{appender.NewLog(t), appender.NewLog(t), appender.NewLog(t)}
	for _, log := range logs {
		narrow(t, appender, log)
		appender.Append(t, log, wide(t, 25)...)
		narrow(t, appender, log)
	}
	for i, log := range logs {
		recorded(t, nodes[i%2], d, log, "v", testrig.Scripted())
	}
	for i := 0; ; i++ {
		// Whoever held the lease no longer does, so that the other server takes over between any two chunks.
		execute(t, d, "UPDATE view_versions SET builder = NULL WHERE status = 'building'")
		appender.Append(t, logs[i%3], counted(t, i, 1)...)
		live := 0
		for _, log := range logs {
			if statusOf(t, appender, log, "v").Status == view.Live {
				live++
			}
		}
		if live == len(logs) {
			break
		}
	}
	testrig.Check(t, d.DSN())
}

// TestManyBuildsDoNotStarveOne: behind more versions than one round looks at, none of which can be built, the last one is built.
func TestManyBuildsDoNotStarveOne(t *testing.T) {
	d := testdb.New(t)
	a := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	log := a.NewLog(t)
	a.Append(t, log, counted(t, 0, 10)...)
	recorded(t, a, d, log, "v", testrig.Scripted())
	execute(t, d, `INSERT INTO view_versions (log_id, version_id, view_id, version, module_sha256, config, fields, status, applied_sequence)
		SELECT ('00000000-0000-7000-8000-' || to_char(n, 'FM000000000000'))::uuid, gen_random_uuid(), view_id, 1,
			module_sha256, config, fields, status, 0
		FROM view_versions, generate_series(1, 350) n WHERE log_id = $1`, log)
	execute(t, d, `INSERT INTO log_heads (log_id, sequence, hash, recorded_at) SELECT DISTINCT v.log_id, 10, h.hash, h.recorded_at
		FROM view_versions v, log_heads h WHERE h.log_id = $1 AND v.log_id <> $1`, log)
	b := testrig.Start(t, d.DSN(), testrig.Settings{})
	await(t, "the last version is live", func() bool { return statusOf(t, b, log, "v").Status == view.Live })
}

// TestProgress: while it is building, a version says how far it is, how fast it gets on and how long that will take.
func TestProgress(t *testing.T) {
	d := testdb.New(t)
	a, b := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true}), testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	log := a.NewLog(t)
	narrow(t, a, log)
	release := holdHead(t, d.DSN(), log)
	deployed := deployHeldUp(t, t.Context(), a, d, log)
	p := statusOf(t, b, log, "script").Progress
	if p == nil || p.Done < 1 || p.Done > history || p.Total != history || p.EventsPerSecond <= 0 || p.SecondsLeft < 0 {
		t.Fatalf("the progress is %+v", p)
	}
	done := p.Done
	execute(t, d, "UPDATE view_versions SET applied_sequence = 500, build_rate = 100")
	if p := statusOf(t, b, log, "script").Progress; p.Done != 500 || p.EventsPerSecond != 100 || p.SecondsLeft != 40 {
		t.Errorf("the progress is %+v", p)
	}
	execute(t, d, "UPDATE view_versions SET applied_sequence = $1", done)
	release()
	if err := <-deployed; err != nil && !errors.Is(err, db.ErrConflict) {
		t.Fatal(err)
	}
	if info := statusOf(t, b, log, "script"); info.Progress != nil || info.LiveAt.IsZero() {
		t.Errorf("live: %+v", info)
	}
	testrig.Check(t, d.DSN())
}
