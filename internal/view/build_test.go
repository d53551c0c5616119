package view_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// history is more than what the chunk that reaches the head is for.
const history = 4500

// TestDeployWhileAppending deploys views on logs with a history, from two servers at once and some of them twice,
// while both append: no event is missed and none counted twice.
func TestDeployWhileAppending(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	logs := []uuid.UUID{nodes[0].NewLog(t), nodes[1].NewLog(t)}
	for _, log := range logs {
		nodes[0].Append(t, log, counted(t, 0, history)...)
	}
	stop := make(chan struct{})
	var appenders, deployers sync.WaitGroup
	for i, node := range nodes {
		for j, log := range logs {
			appenders.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
						node.Append(t, log, counted(t, 10_000*(1+i+2*j)+n, 1)...)
					}
				}
			})
		}
	}
	deploy := func(node *testrig.Node, log uuid.UUID, name string, code []byte) {
		deployers.Go(func() {
			if _, err := node.Views.Deploy(t.Context(), log, name, view.Deployment{Code: code, Config: []byte("{}")}); err != nil {
				t.Errorf("deploying %s: %v", name, err)
			}
		})
	}
	for _, log := range logs {
		for _, node := range nodes { // the same on both: one version
			deploy(node, log, "months", views.MonthlyTotals())
			deploy(node, log, "script", testrig.Scripted())
		}
		deploy(nodes[0], log, "minutes", views.RateCheck())
	}
	deployers.Wait()
	await(t, "all views are live", func() bool {
		for _, log := range logs {
			for _, name := range []string{"months", "script", "minutes"} {
				if statusOf(t, nodes[0], log, name).Status != view.Live {
					return false
				}
			}
		}
		return true
	})
	close(stop)
	appenders.Wait()
	for _, log := range logs {
		if n := statusOf(t, nodes[0], log, "months").Version; n != 1 {
			t.Errorf("the same view deployed twice is at version %d, want 1", n)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestNewVersionsWhileAppending replaces a view's version again and again: queries are always answered.
func TestNewVersionsWhileAppending(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	log := nodes[0].NewLog(t)
	nodes[0].Deploy(t, log, "v", testrig.Scripted(), "{}")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				placed := node.Append(t, log, counted(t, 1000*i+n, 1)...)
				answer, err := nodes[n%2].Views.Query(t.Context(), log, "v", "get\tlast", nil)
				var query *view.QueryError // of the other module, which knows no such query
				if err != nil && !errors.As(err, &query) || err == nil && answer.Sequence < placed[0].Sequence {
					t.Errorf("after event %d: %s at %d, %v", placed[0].Sequence, answer.Body, answer.Sequence, err)
				}
			}
		})
	}
	for i := range 12 {
		code := [][]byte{views.MonthlyTotals(), testrig.Scripted()}[i%2]
		info := nodes[i%2].Deploy(t, log, "v", code, "{}")
		if info.Version != int32(i+2) {
			t.Errorf("deploy %d made version %d", i, info.Version)
		}
	}
	close(stop)
	wg.Wait()
	testrig.Check(t, d.DSN())
}

// deployHeldUp deploys a view on a log with history whose head is locked, and returns once the last chunk waits for that lock. How much of
// the history the chunks before it have folded depends on the machine. A value on the channel says that Deploy has returned.
func deployHeldUp(t *testing.T, ctx context.Context, node *testrig.Node, d *testdb.Database, log uuid.UUID) <-chan error {
	t.Helper()
	returned := make(chan error, 1)
	go func() {
		for { // a slow machine has not come to the last chunk when Deploy returns
			info, err := node.Views.Deploy(ctx, log, "script", view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")})
			if err != nil || info.Status != view.Building {
				returned <- err
				return
			}
		}
	}()
	await(t, "the last chunk waits", func() bool {
		return d.Exec(t, `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	})
	return returned
}

func TestBuildingIsVisible(t *testing.T) {
	d := testdb.New(t)
	a := testrig.Start(t, d.DSN(), testrig.Settings{})
	b := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := a.NewLog(t)
	a.Append(t, log, counted(t, 0, history)...)
	release := holdHead(t, d.DSN(), log)
	deployed := deployHeldUp(t, t.Context(), a, d, log)
	info := statusOf(t, b, log, "script")
	if info.Status != view.Building || info.Applied < 1 || info.Applied > history || info.Head != history {
		t.Errorf("the status is %+v", info)
	}
	var building *view.BuildingError
	_, err := b.Views.Query(t.Context(), log, "script", "get\tlast", nil)
	if !errors.As(err, &building) || building.Applied != info.Applied || building.Head != history {
		t.Errorf("a query to a view that is building: %v", err)
	}
	release()
	if err := <-deployed; err != nil {
		t.Fatal(err)
	}
	if got := b.Ask(t, log, "script", "get\tlast"); got.Sequence != history {
		t.Errorf("the answer is of event %d", got.Sequence)
	}
	testrig.Check(t, d.DSN())
}

// TestBuildIsTakenOver stops the server that builds, with a chunk under way; the next server goes on.
func TestBuildIsTakenOver(t *testing.T) {
	d := testdb.New(t)
	a := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	b := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	log := a.NewLog(t)
	a.Append(t, log, counted(t, 0, history)...)
	release := holdHead(t, d.DSN(), log)
	ctx, cancel := context.WithCancel(t.Context())
	deployed := deployHeldUp(t, ctx, a, d, log)
	cancel()
	if err := <-deployed; !errors.Is(err, context.Canceled) {
		t.Fatalf("a deploy that is given up: %v", err)
	}
	a.Stop(t)
	release()
	b.Append(t, log, counted(t, history, 10)...)
	testrig.Check(t, d.DSN())

	c := testrig.Start(t, d.DSN(), testrig.Settings{})
	await(t, "the view is live", func() bool { return statusOf(t, c, log, "script").Status == view.Live })
	b.Append(t, log, counted(t, history+10, 10)...)
	testrig.Check(t, d.DSN())
}

// TestBuilderConnectionIsKilled ends connections while versions are built; they get there all the same.
func TestBuilderConnectionIsKilled(t *testing.T) {
	node, d := start(t, testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	node.Append(t, log, counted(t, 0, history)...)
	release := holdHead(t, d.DSN(), log)
	deployed := deployHeldUp(t, t.Context(), node, d, log)
	await(t, "the builder is killed", func() bool {
		return d.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	})
	if err := <-deployed; !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("a deploy whose connection was lost: %v", err)
	}
	release()
	again := node.Deploy(t, log, "script", testrig.Scripted(), "{}")
	if again.Version != 1 || again.Applied != history {
		t.Errorf("the same deploy again: %+v", again)
	}
	testrig.Check(t, d.DSN())
}

// TestFirstQueriesOnFewConnections asks more queries at once than there are connections, on a server that has yet
// to load the module: nobody may wait for a connection while holding one.
func TestFirstQueriesOnFewConnections(t *testing.T) {
	a, d := start(t, testrig.Settings{})
	log := a.NewLog(t)
	a.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	a.Append(t, log, counted(t, 0, 10)...)
	for range 3 {
		b := testrig.Start(t, d.DSN(), testrig.Settings{ReadConns: 2, NoBuilder: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := b.Views.Query(ctx, log, "months", "", nil); err != nil {
					t.Errorf("a first query: %v", err)
				}
			})
		}
		wg.Go(func() { b.Append(t, log, counted(t, 10, 1)...) })
		wg.Wait()
		cancel()
		b.Stop(t)
	}
}

func TestRefusedDeploys(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	for name, test := range map[string]struct {
		view   string
		code   []byte
		config string
		want   string
	}{
		"no module":        {"v", []byte("no wasm"), "{}", "not_wasm"},
		"no JSON":          {"v", testrig.Scripted(), "{", "invalid_config"},
		"refused config":   {"v", testrig.Scripted(), `{"a":1}`, "view_refused_config"},
		"too large config": {"v", testrig.Scripted(), fmt.Sprintf(`{"a":%q}`, make([]byte, view.MaxConfigBytes)), "config_too_large"},
	} {
		info, err := node.Views.Deploy(t.Context(), log, test.view, view.Deployment{Code: test.code, Config: []byte(test.config)})
		var refused *view.RefusedError
		if !errors.As(err, &refused) || refused.Code != test.want {
			t.Errorf("%s: %+v, %v; want code %s", name, info, err, test.want)
		}
	}
	for i := range view.MaxViewsPerLog {
		node.Deploy(t, log, fmt.Sprint("v", i), testrig.Scripted(), "{}")
	}
	_, err := node.Views.Deploy(t.Context(), log, "one-more", view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")})
	var refused *view.RefusedError
	if !errors.As(err, &refused) || refused.Code != "too_many_views" {
		t.Errorf("view %d: %v", view.MaxViewsPerLog+1, err)
	}
	if _, err := node.Ingest.Append(log, ingest.Request{Events: counted(t, 0, 20), Expected: 0}); err != nil {
		t.Errorf("appending to a log with as many views as there may be: %v", err)
	}
	testrig.Check(t, d.DSN())
}

// TestVersionsCompete deploys several versions of one view at once, on a log with history, from two servers that also
// build in the background: the newest wins, and nobody is told of a fault.
func TestVersionsCompete(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	log := nodes[0].NewLog(t)
	nodes[0].Append(t, log, counted(t, 0, history)...)
	var wg sync.WaitGroup
	for i, code := range [][]byte{views.MonthlyTotals(), testrig.Scripted(), views.RateCheck(), views.CostByTeam()} {
		wg.Go(func() {
			_, err := nodes[i%2].Views.Deploy(t.Context(), log, "v", view.Deployment{Code: code, Config: []byte("{}")})
			if err != nil && !errors.Is(err, view.ErrViewNotFound) { // another took its place before it could be told of
				t.Errorf("deploy %d: %v", i, err)
			}
			nodes[i%2].Append(t, log, counted(t, history+10*i, 10)...)
		})
	}
	wg.Wait()
	await(t, "the newest version is live", func() bool {
		infos, err := nodes[0].Views.Get(t.Context(), log, "v", nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(infos) == 1 && infos[0].Status == view.Live && infos[0].Version == 4
	})
	testrig.Check(t, d.DSN())
}

// TestOneBrokenBuildDoesNotHoldUpOthers has a version that cannot be built, because its row is broken, ahead of one that can.
func TestOneBrokenBuildDoesNotHoldUpOthers(t *testing.T) {
	node, d := start(t, testrig.Settings{NoBuilder: true})
	broken, sound := node.NewLog(t), node.NewLog(t)
	node.Append(t, sound, counted(t, 0, history)...)
	insert := func(log uuid.UUID, code []byte) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		release := holdHead(t, d.DSN(), log)
		defer release()
		returned := make(chan error, 1)
		go func() {
			_, err := node.Views.Deploy(ctx, log, "v", view.Deployment{Code: code, Config: []byte("{}")})
			returned <- err
		}()
		await(t, "the version is recorded", func() bool {
			_, err := node.Views.Get(t.Context(), log, "v", nil)
			return err == nil
		})
		cancel()
		if err := <-returned; !errors.Is(err, context.Canceled) {
			t.Fatalf("a deploy that was given up: %v", err)
		}
	}
	insert(broken, views.MonthlyTotals())
	insert(sound, testrig.Scripted())
	d.Exec(t, `UPDATE view_versions SET fields = '{"not a pointer"}' WHERE log_id = $1`, broken)
	node.Stop(t)
	// A builder that stopped at the first error would never come to the second version.
	b := testrig.Start(t, d.DSN(), testrig.Settings{})
	await(t, "the sound view is live", func() bool { return statusOf(t, b, sound, "v").Status == view.Live })
}
