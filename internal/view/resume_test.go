package view_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// resume resumes a view and fails the test unless it halts again at the event, or goes live where that is 0.
func resume(t *testing.T, node *testrig.Node, log uuid.UUID, name string, r view.Resumption, halts int64) {
	t.Helper()
	want := view.Halted
	if halts == 0 {
		want = view.Live
	}
	info, err := node.Views.Resume(t.Context(), log, name, r)
	if err != nil || info.Status != want || info.HaltedSequence != halts {
		t.Fatalf("resuming %+v: %+v, %v; want %s at %d", r, info, err, want, halts)
	}
}

// TestResumePastEvents leaves out two events that a view cannot fold: so do its rebuilds, but not another version.
func TestResumePastEvents(t *testing.T) {
	d := testdb.New(t)
	a, b := testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})
	log := a.NewLog(t)
	first := a.Deploy(t, log, "v", testrig.Scripted(), "{}")
	a.Append(t, log, counted(t, 0, 2)...)
	a.Append(t, log, script(t, line("set", "a", 1), line("fail", "boom one")))
	b.Append(t, log, append(counted(t, 2, 3), script(t, line("set", "a", 2), line("fail", "boom two")))...)
	b.Append(t, log, counted(t, 5, 2)...)

	info := statusOf(t, a, log, "v")
	if info.HaltedSequence != 3 || !strings.Contains(info.HaltedEvent, "boom one") || info.HaltedAt.IsZero() {
		t.Errorf("halted: %+v", info)
	}
	resume(t, a, log, "v", view.Resumption{Reason: "perhaps it works now", Actor: "ada"}, 3)
	testrig.Check(t, d.DSN())
	resume(t, b, log, "v", view.Resumption{Skip: true, Reason: "known bad", Actor: "ada"}, 7)
	testrig.Check(t, d.DSN())
	resume(t, a, log, "v", view.Resumption{Skip: true, Reason: "known bad, too", Actor: "grace", Version: 1}, 0)
	for i, node := range []*testrig.Node{a, b} {
		node.Append(t, log, counted(t, 7+i, 1)...)
		if got := node.Ask(t, log, "v", "get\ta"); string(got.Body) != "null" || got.Sequence != int64(10+i) {
			t.Errorf("the answer is %s at %d", got.Body, got.Sequence)
		}
	}
	testrig.Check(t, d.DSN())
	wantDeeds(t, a, log, "v", "deploy 1", "live 1", "halt 1", "resume 1 ada", "halt 1", "skip 1 ada", "halt 1", "skip 1 grace", "live 1")
	if _, err := a.Views.Resume(t.Context(), log, "v", view.Resumption{Skip: true}); !errors.Is(err, view.ErrNotHalted) {
		t.Errorf("resuming a live view: %v", err)
	}

	for _, code := range [][]byte{views.MonthlyTotals(), views.RateCheck(), views.CostByTeam()} {
		a.Deploy(t, log, "v", code, "{}")
	}
	await(t, "old state is dropped", func() bool { return stateSize(t, a, first) == 0 })
	rollback(t, b, log, "v", 1) // built from the first event, without those two
	testrig.Check(t, d.DSN())
	a.Append(t, log, counted(t, 9, 1)...)

	again, err := b.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Scripted(), Config: []byte("{}"), FoldGas: 1_000_000})
	if err != nil || again.Status != view.Halted || again.HaltedSequence != 3 {
		t.Errorf("a new version leaves nothing out: %+v, %v", again, err)
	}
	if got := a.Ask(t, log, "v", "get\ta"); got.Sequence != 12 {
		t.Errorf("while a newer version is halted, the answer is of event %d", got.Sequence)
	}
	var halted *view.HaltedError
	if _, err := a.Views.Rollback(t.Context(), log, "v", again.Version, ""); !errors.As(err, &halted) || halted.Sequence != 3 {
		t.Errorf("rolling back to a halted version: %v", err)
	}
	resume(t, a, log, "v", view.Resumption{Skip: true}, 7)
	a.Append(t, log, counted(t, 10, 1)...)
	resume(t, b, log, "v", view.Resumption{Skip: true}, 0) // and takes the older one's place
	testrig.Check(t, d.DSN())
}

// TestGasIsRecorded: a version keeps the budget that it was deployed with, on any server and in a rebuild, until it is resumed with more.
func TestGasIsRecorded(t *testing.T) {
	const little = 60_000
	d := testdb.New(t)
	poor := testrig.Start(t, d.DSN(), testrig.Settings{FoldGas: little})
	rich := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := poor.NewLog(t)
	var greedy []string
	for i := range 200 {
		greedy = append(greedy, line("set", fmt.Sprint("g", i), i))
	}
	poor.Append(t, log, append(counted(t, 0, 3), script(t, greedy...))...)
	first, err := poor.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")})
	if err != nil || first.Status != view.Halted || first.HaltedSequence != 4 || first.FoldGas != little ||
		!strings.Contains(first.Error, fmt.Sprint(little)) {
		t.Fatalf("with too little gas: %+v, %v", first, err)
	}
	resume(t, rich, log, "v", view.Resumption{}, 4) // by its own budget, not the server's
	for _, code := range [][]byte{views.MonthlyTotals(), views.RateCheck(), views.CostByTeam(), views.MonthlyTotals()} {
		rich.Deploy(t, log, "v", code, "{}")
	}
	await(t, "old state is dropped", func() bool { return !versionsOf(t, rich, log, "v")[1].StateKept })
	if again, err := rich.Views.Rollback(t.Context(), log, "v", 1, ""); err != nil || again.HaltedSequence != 4 {
		t.Errorf("built again: %+v, %v", again, err)
	}
	var refused *view.RefusedError
	for _, gas := range []int64{-1, view.MaxFoldGas + 1} {
		_, err := poor.Views.Resume(t.Context(), log, "v", view.Resumption{FoldGas: gas})
		if !errors.As(err, &refused) || refused.Code != "invalid_gas" {
			t.Errorf("resuming with a gas of %d: %v", gas, err)
		}
	}
	resumed, err := poor.Views.Resume(t.Context(), log, "v", view.Resumption{FoldGas: 5_000_000, Reason: "a large event"})
	if err != nil || resumed.Status != view.Live || resumed.FoldGas != 5_000_000 {
		t.Errorf("resumed with more gas: %+v, %v", resumed, err)
	}
	rich.Append(t, log, script(t, greedy...))
	if len(infosHalted(t, rich, log)) != 0 {
		t.Error("the larger budget was forgotten")
	}
	actions, err := rich.Views.Actions(t.Context(), log, "v", nil)
	if err != nil || actions[1].Action != "retire" || actions[2].Action != "resume" ||
		actions[2].Detail != "gas 5000000: a large event" || actions[2].Sequence != 4 {
		t.Errorf("the last actions are %+v, %v", actions[:3], err)
	}
}

func infosHalted(t *testing.T, node *testrig.Node, log uuid.UUID) (halted []view.Info) {
	t.Helper()
	infos, err := node.Views.List(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		if info.Status == view.Halted {
			halted = append(halted, info)
		}
	}
	return halted
}

// TestLifeHammer has two servers append events, some of which no view can fold, while views are deployed, rolled back, retired and resumed
// at random on both. Whatever is left is what the events make of it, those left out that were skipped.
func TestLifeHammer(t *testing.T) {
	const mostAppends = 500 // of a server, so that a busy machine does not have more to build than it has time for
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	log := nodes[0].NewLog(t)
	for _, name := range []string{"v", "w"} {
		nodes[0].Deploy(t, log, name, testrig.Scripted(), "{}")
	}
	stop := make(chan struct{})
	var appenders, others sync.WaitGroup
	for i, node := range nodes {
		appenders.Go(func() {
			random := rand.New(rand.NewPCG(41, uint64(i)))
			for n := range mostAppends {
				select {
				case <-stop:
					return
				default:
				}
				events := counted(t, 100_000*i+n, 1+random.IntN(20))
				if random.IntN(40) == 0 {
					events = append(events, script(t, line("set", "bad", n), line("fail", "not this one")))
				}
				node.Append(t, log, events...)
			}
		})
		for _, name := range []string{"v", "w"} {
			others.Go(func() {
				random := rand.New(rand.NewPCG(43, uint64(2*i)+uint64(name[0])))
				for range 20 {
					if err := meddle(t, node, log, name, random); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
	}
	others.Wait()
	close(stop)
	appenders.Wait()
	testrig.Check(t, d.DSN())
	for _, name := range []string{"v", "w"} {
		nodes[1].Deploy(t, log, name, views.MonthlyTotals(), "{}")
	}
	nodes[0].Append(t, log, counted(t, 0, 10)...)
	testrig.Check(t, d.DSN())
}

// meddle does something to a view. What it is told may be out of date by then, which is not an error.
func meddle(t *testing.T, node *testrig.Node, log uuid.UUID, name string, random *rand.Rand) error {
	var halted *view.HaltedError
	var err error
	switch random.IntN(10) {
	case 0, 1, 2:
		code := [][]byte{testrig.Scripted(), views.MonthlyTotals(), views.RateCheck()}[random.IntN(3)]
		_, err = node.Views.Deploy(t.Context(), log, name, view.Deployment{Code: code, Config: []byte("{}"), Actor: "hammer"})
	case 3, 4:
		_, err = node.Views.Rollback(t.Context(), log, name, int32(1+random.IntN(6)), "hammer")
	case 5:
		err = node.Views.Retire(t.Context(), log, name, "hammer")
	default:
		_, err = node.Views.Resume(t.Context(), log, name, view.Resumption{Skip: random.IntN(4) > 0, Actor: "hammer"})
	}
	if errors.Is(err, view.ErrVersionNotFound) || errors.Is(err, view.ErrNotHalted) || errors.Is(err, view.ErrViewRetired) ||
		errors.As(err, &halted) {
		return nil
	}
	return err
}
