package view_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// execute runs a statement on the test's database, as somebody with the right to do so.
func execute(t *testing.T, d *testdb.Database, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// versionsOf describes all versions of a view by number.
func versionsOf(t *testing.T, node *testrig.Node, log uuid.UUID, name string) map[int32]view.Info {
	t.Helper()
	infos, err := node.Views.Versions(t.Context(), log, name, 0, view.MaxVersionsListed, nil)
	if err != nil {
		t.Fatal(err)
	}
	byNumber := map[int32]view.Info{}
	for i, info := range infos {
		byNumber[info.Version] = info
		if i > 0 && infos[i-1].Version <= info.Version {
			t.Errorf("version %d is listed before %d", infos[i-1].Version, info.Version)
		}
	}
	return byNumber
}

// deeds are what was done to a view, oldest first, such as "deploy 1 ada".
func deeds(t *testing.T, node *testrig.Node, log uuid.UUID, name string) []string {
	t.Helper()
	actions, err := node.Views.Actions(t.Context(), log, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(actions))
	for i, a := range actions {
		texts[len(actions)-1-i] = strings.TrimSpace(fmt.Sprintf("%s %d %s", a.Action, a.Version, a.Actor))
	}
	return texts
}

func wantDeeds(t *testing.T, node *testrig.Node, log uuid.UUID, name string, want ...string) {
	t.Helper()
	if got := deeds(t, node, log, name); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("view %s has the history\n%q, want\n%q", name, got, want)
	}
}

// rollback rolls back and fails the test unless the version is live afterwards.
func rollback(t *testing.T, node *testrig.Node, log uuid.UUID, name string, version int32) view.Info {
	t.Helper()
	info, err := node.Views.Rollback(t.Context(), log, name, version, "grace")
	if err != nil || info.Status != view.Live || info.Version != version {
		t.Fatalf("rolling back to version %d: %+v, %v", version, info, err)
	}
	return info
}

// TestRollback goes back to a version whose state was kept, which folds only what came since, and to one whose state was dropped, which is
// built from the first event.
func TestRollback(t *testing.T) {
	d := testdb.New(t)
	a, b := testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})
	log := a.NewLog(t)
	first := a.Deploy(t, log, "v", testrig.Scripted(), "{}")
	a.Append(t, log, counted(t, 0, 20)...)
	// A state that was kept is not built again: what somebody wrote into it stays.
	a.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	execute(t, d, "INSERT INTO view_state_rows VALUES ($1, $2, 'written by hand', '1')", log, first.VersionID)
	b.Append(t, log, counted(t, 20, 20)...)
	rollback(t, b, log, "v", 1)
	for i, node := range []*testrig.Node{a, b} {
		node.Append(t, log, counted(t, 40+i, 1)...)
		if got := node.Ask(t, log, "v", "get\twritten by hand"); string(got.Body) != "1" || got.Sequence != int64(41+i) {
			t.Errorf("after the rollback the answer is %s at %d", got.Body, got.Sequence)
		}
	}
	execute(t, d, "DELETE FROM view_state_rows WHERE version_id = $1 AND key = 'written by hand'", first.VersionID)
	a.Views.Forget(log)
	b.Views.Forget(log)
	testrig.Check(t, d.DSN())
	wantDeeds(t, a, log, "v", "deploy 1", "live 1", "deploy 2", "retire 1", "live 2", "rollback 1 grace", "retire 2", "live 1")

	for i, code := range [][]byte{views.RateCheck(), views.CostByTeam(), views.RateCheck()} {
		if info := a.Deploy(t, log, "v", code, "{}"); info.Version != int32(3+i) {
			t.Errorf("the next version is %d", info.Version)
		}
	}
	await(t, "old state is dropped", func() bool { return !versionsOf(t, a, log, "v")[1].StateKept && stateSize(t, a, first) == 0 })
	testrig.Check(t, d.DSN())
	for number, kept := range map[int32]bool{1: false, 2: false, 3: true, 4: true, 5: true} {
		info, retired := versionsOf(t, b, log, "v")[number], number < 5
		if info.StateKept != kept || retired != (info.Status == view.Retired) || retired == info.RetiredAt.IsZero() {
			t.Errorf("version %d is %+v", number, info)
		}
	}
	b.Append(t, log, counted(t, 42, 5)...)
	rollback(t, a, log, "v", 1)
	b.Append(t, log, counted(t, 47, 5)...)
	testrig.Check(t, d.DSN())
	if again := rollback(t, b, log, "v", 1); again.Applied != 52 {
		t.Errorf("rolling back to the live version: %+v", again)
	}
	for version, want := range map[int32]error{0: view.ErrVersionNotFound, 6: view.ErrVersionNotFound} {
		if _, err := a.Views.Rollback(t.Context(), log, "v", version, ""); !errors.Is(err, want) {
			t.Errorf("rolling back to version %d: %v", version, err)
		}
	}
	if _, err := a.Views.Rollback(t.Context(), log, "other", 1, ""); !errors.Is(err, view.ErrViewNotFound) {
		t.Errorf("rolling back a view that is not there: %v", err)
	}
}

// stateSize counts the keys of a version's state in the table.
func stateSize(t *testing.T, node *testrig.Node, info view.Info) (keys int) {
	t.Helper()
	row := node.DB.Read.QueryRow(t.Context(), "SELECT count(*) FROM view_state WHERE version_id = $1", info.VersionID)
	if err := row.Scan(&keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestRollbackGivesUpNewerBuild asks for the live version while a newer one is being built: the newer one does not go live.
func TestRollbackGivesUpNewerBuild(t *testing.T) {
	d := testdb.New(t)
	a := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	log := a.NewLog(t)
	a.Deploy(t, log, "v", testrig.Scripted(), "{}")
	a.Append(t, log, counted(t, 0, history)...)
	recorded(t, a, d, log, "v", views.MonthlyTotals())
	if got := versionsOf(t, a, log, "v"); got[1].Status != view.Live || got[2].Status != view.Building || got[2].Progress == nil {
		t.Fatalf("before the rollback: %+v", got)
	}
	rollback(t, a, log, "v", 1)
	b := testrig.Start(t, d.DSN(), testrig.Settings{})
	b.Append(t, log, counted(t, history, 3)...)
	if got := versionsOf(t, b, log, "v"); got[1].Status != view.Live || got[2].Status != view.Retired {
		t.Errorf("after the rollback: %+v", got)
	}
	// The same module and configuration as the live version, deployed again: nothing changes.
	if info := b.Deploy(t, log, "v", testrig.Scripted(), "{}"); info.Version != 1 {
		t.Errorf("the same again: %+v", info)
	}
	rollback(t, b, log, "v", 2)
	testrig.Check(t, d.DSN())
}

// recorded deploys a version and gives up waiting before its last chunk, which is still to be done when it returns.
func recorded(t *testing.T, node *testrig.Node, d *testdb.Database, log uuid.UUID, name string, code []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release := holdHead(t, d.DSN(), log)
	defer release()
	before, err := node.Views.List(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	returned := make(chan error, 1)
	go func() {
		_, err := node.Views.Deploy(ctx, log, name, view.Deployment{Code: code, Config: []byte("{}")})
		returned <- err
	}()
	await(t, "the version is recorded", func() bool {
		now, err := node.Views.List(t.Context(), log, nil)
		return err == nil && len(now) > len(before)
	})
	cancel()
	if err := <-returned; !errors.Is(err, context.Canceled) {
		t.Fatalf("a deploy that was given up: %v", err)
	}
}

// TestRetire ends views, live and building: they fold and answer no more, until a deploy or a rollback brings them back.
func TestRetire(t *testing.T) {
	d := testdb.New(t)
	a := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	log := a.NewLog(t)
	a.Deploy(t, log, "v", testrig.Scripted(), "{}")
	a.Append(t, log, counted(t, 0, history)...)
	recorded(t, a, d, log, "v", views.MonthlyTotals())
	recorded(t, a, d, log, "w", views.RateCheck())
	b := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	b.Append(t, log, counted(t, history, 1)...) // b has the live view in its cache
	for _, name := range []string{"v", "w"} {
		if err := a.Views.Retire(t.Context(), log, name, "ada"); err != nil {
			t.Fatal(err)
		}
		for _, node := range []*testrig.Node{a, b} {
			if answer, err := node.Views.Query(t.Context(), log, name, "", nil); !errors.Is(err, view.ErrViewRetired) {
				t.Errorf("a retired view answers %s, %v", answer.Body, err)
			}
			if infos, err := node.Views.Get(t.Context(), log, name, nil); !errors.Is(err, view.ErrViewRetired) {
				t.Errorf("a retired view is %+v, %v", infos, err)
			}
		}
		if err := b.Views.Retire(t.Context(), log, name, "ada"); !errors.Is(err, view.ErrViewRetired) {
			t.Errorf("retiring it again: %v", err)
		}
	}
	if err := a.Views.Retire(t.Context(), log, "x", ""); !errors.Is(err, view.ErrViewNotFound) {
		t.Errorf("retiring what is not there: %v", err)
	}
	b.Append(t, log, counted(t, history+1, 5)...)
	c := testrig.Start(t, d.DSN(), testrig.Settings{})
	for number, info := range versionsOf(t, c, log, "v") {
		if info.Status != view.Retired {
			t.Errorf("version %d is %s", number, info.Status)
		}
	}
	testrig.Check(t, d.DSN())
	wantDeeds(t, a, log, "w", "deploy 1", "retire 1 ada")

	rollback(t, c, log, "v", 1)
	if info := c.Deploy(t, log, "w", views.RateCheck(), "{}"); info.Version != 2 {
		t.Errorf("deployed again as version %d", info.Version)
	}
	c.Append(t, log, counted(t, history+6, 5)...)
	testrig.Check(t, d.DSN())
}

// TestRetiredViewsMakeRoom: a log may have as many views as it may have, not counting those that are retired.
func TestRetiredViewsMakeRoom(t *testing.T) {
	node, _ := start(t, testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	for i := range view.MaxViewsPerLog {
		node.Deploy(t, log, fmt.Sprint("v", i), testrig.Scripted(), "{}")
	}
	if err := node.Views.Retire(t.Context(), log, "v0", ""); err != nil {
		t.Fatal(err)
	}
	node.Deploy(t, log, "one-more", testrig.Scripted(), "{}")
	var refused *view.RefusedError
	if _, err := node.Views.Rollback(t.Context(), log, "v0", 1, ""); !errors.As(err, &refused) || refused.Code != "too_many_views" {
		t.Errorf("rolling back to a view that there is no room for: %v", err)
	}
}

// TestGasOfALog: the views of a log may not use more gas for one event, all together, than an append can wait for. Whatever would exceed
// that is refused, and a log that is created under patterns gets the oldest of those that there is gas for.
func TestGasOfALog(t *testing.T) {
	node, _ := start(t, testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	deploy := func(name string, gas int64) error {
		_, err := node.Views.Deploy(t.Context(), log, name, view.Deployment{Code: testrig.Scripted(), Config: []byte("{}"), FoldGas: gas})
		return err
	}
	refused := func(what string, err error) {
		t.Helper()
		var refused *view.RefusedError
		if !errors.As(err, &refused) || refused.Code != "too_much_gas" {
			t.Errorf("%s: %v; want too_much_gas", what, err)
		}
	}
	for i := range view.MaxGasPerLog / view.MaxFoldGas {
		if err := deploy(fmt.Sprint("v", i), view.MaxFoldGas); err != nil {
			t.Fatal(err)
		}
	}
	refused("one view more", deploy("more", 1))
	if err := deploy("v0", view.MaxFoldGas-10); err != nil {
		t.Errorf("with less gas than before: %v", err)
	}
	if err := deploy("more", 10); err != nil {
		t.Errorf("with the gas that is left: %v", err)
	}
	_, err := node.Views.Rollback(t.Context(), log, "v0", 1, "")
	refused("rolling back to more gas", err)
	node.Append(t, log, script(t, line("trap")))
	_, err = node.Views.Resume(t.Context(), log, "more", view.Resumption{FoldGas: 11, Skip: true})
	refused("resuming with more gas", err)

	for i := range 5 {
		_, err := node.Views.DeployPattern(t.Context(), db.DefaultTenant, fmt.Sprint("p", i), "c-*", view.Deployment{
			Code: testrig.Scripted(), Config: []byte("{}"), FoldGas: view.MaxFoldGas,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	created := logNamed(t, node, "c-1")
	for i := range 5 {
		_, err := node.Views.Get(t.Context(), created, fmt.Sprint("p", i), nil)
		if has, want := err == nil, i < view.MaxGasPerLog/view.MaxFoldGas; has != want {
			t.Errorf("a new log has view %d: %t, want %t (%v)", i, has, want, err)
		}
	}
}

// TestUnloadableModuleHalts: a server that refuses the module of a live version, as a newer one may, halts it there. Its log goes on,
// and so does the view once a server takes the module.
func TestUnloadableModuleHalts(t *testing.T) {
	a, d := start(t, testrig.Settings{})
	log := a.NewLog(t)
	a.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	a.Deploy(t, log, "script", testrig.Scripted(), "{}")
	a.Append(t, log, counted(t, 0, 5)...)
	a.Stop(t)
	execute(t, d, `UPDATE modules SET wasm = '\x00' || wasm
		WHERE sha256 = (SELECT module_sha256 FROM view_versions NATURAL JOIN views WHERE name = 'months')`)

	b := testrig.Start(t, d.DSN(), testrig.Settings{})
	for n := range 2 { // before it is recorded, and after
		halted := haltOf(t, b, log, "months")
		if halted.Sequence != 6 || !strings.Contains(halted.Reason, "refuses the view's module (not_wasm)") {
			t.Errorf("the view halted at %d with %q", halted.Sequence, halted.Reason)
		}
		b.Append(t, log, counted(t, 5+n, 1)...)
		b.Ask(t, log, "script", "get\tlast")
	}
	if info := statusOf(t, b, log, "months"); info.Status != view.Halted || info.Applied != 5 || info.HaltedSequence != 6 {
		t.Errorf("the view is %+v", info)
	}
	again, err := b.Views.Resume(t.Context(), log, "months", view.Resumption{})
	if err != nil || again.Status != view.Halted || again.HaltedSequence != 6 {
		t.Errorf("resumed where the module is still refused: %+v, %v", again, err)
	}
	testrig.Check(t, d.DSN())
	b.Stop(t)
	execute(t, d, `UPDATE modules SET wasm = substr(wasm, 2) WHERE wasm < '\x0001'`)

	c := testrig.Start(t, d.DSN(), testrig.Settings{})
	info, err := c.Views.Resume(t.Context(), log, "months", view.Resumption{Reason: "a server that takes it"})
	if err != nil || info.Status != view.Live {
		t.Errorf("resumed where the module is taken: %+v, %v", info, err)
	}
	testrig.Check(t, d.DSN())
}

// TestChangesWhoseCommitIsInDoubt: COMMIT is answered with an error after the fact. The answer is that nobody knows, and asking again
// tells.
func TestChangesWhoseCommitIsInDoubt(t *testing.T) {
	d := testdb.New(t)
	w := testrig.NewWire(t, d.DSN())
	node := testrig.Start(t, w.DSN, testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	node.Append(t, log, testrig.Parse(t, `{"model":"m","tokens_in":1}`, ""))
	node.Deploy(t, log, "totals", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "totals", views.RateCheck(), "{}")
	w.FailCommit(0, "XX000")
	if info, err := node.Views.Rollback(t.Context(), log, "totals", 1, ""); !errors.Is(err, db.ErrOutcomeUnknown) || !w.Done() {
		t.Errorf("rolled back: %+v, %v", info, err)
	}
	if info, err := node.Views.Rollback(t.Context(), log, "totals", 1, ""); err != nil || info.Version != 1 || info.Status != view.Live {
		t.Errorf("rolled back again: %+v, %v", info, err)
	}
	w.FailCommit(0, "XX000")
	if err := node.Views.Retire(t.Context(), log, "totals", ""); !errors.Is(err, db.ErrOutcomeUnknown) || !w.Done() {
		t.Errorf("retired: %v", err)
	}
	if err := node.Views.Retire(t.Context(), log, "totals", ""); !errors.Is(err, view.ErrViewRetired) {
		t.Errorf("retired again: %v", err)
	}
	testrig.Check(t, d.DSN())
}
