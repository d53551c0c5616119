package view_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// logNamed makes an empty log.
func logNamed(t *testing.T, node *testrig.Node, name string) uuid.UUID {
	t.Helper()
	log, err := node.Logs.Create(t.Context(), db.DefaultTenant, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return log.ID
}

// deployPattern deploys scripted or ready views on a pattern.
func deployPattern(t *testing.T, node *testrig.Node, name, pattern string, code []byte) view.PatternInfo {
	t.Helper()
	deployment := view.Deployment{Code: code, Config: []byte("{}"), Actor: "tester"}
	info, err := node.Views.DeployPattern(t.Context(), db.DefaultTenant, name, eventlog.Pattern(pattern), deployment)
	if err != nil {
		t.Fatalf("deploying %s on %s: %v", name, pattern, err)
	}
	return info
}

// logsOf counts a pattern's logs.
func logsOf(t *testing.T, node *testrig.Node, name string) (view.PatternInfo, view.PatternLogs) {
	t.Helper()
	info, err := node.Views.Pattern(t.Context(), db.DefaultTenant, name)
	if err != nil {
		t.Fatal(err)
	}
	logs, err := node.Views.PatternLogs(t.Context(), db.DefaultTenant, info)
	if err != nil {
		t.Fatal(err)
	}
	return info, logs
}

// awaitLive waits until the newest revision is live on every log that the pattern covers.
func awaitLive(t *testing.T, node *testrig.Node, name string) view.PatternLogs {
	t.Helper()
	var logs view.PatternLogs
	await(t, "the pattern is live everywhere", func() bool {
		var info view.PatternInfo
		info, logs = logsOf(t, node, name)
		return !info.Spreading && logs.Live == logs.Matching-logs.Own
	})
	return logs
}

func TestPatternCoversLogsNowAndLater(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	var before []uuid.UUID
	for i := range 120 { // more than two batches
		log := logNamed(t, node, fmt.Sprintf("customer-%d", i))
		if i%2 == 0 {
			node.Append(t, log, counted(t, 0, 5)...)
		}
		before = append(before, log)
	}
	other := logNamed(t, node, "my-customer-1")
	info := deployPattern(t, node, "months", "customer-*", views.MonthlyTotals())
	if info.Revision != 1 || info.Pattern != "customer-*" || info.Status != view.PatternActive || info.Actor != "tester" {
		t.Errorf("deployed %+v", info)
	}
	if logs := awaitLive(t, node, "months"); logs != (view.PatternLogs{Matching: 120, Live: 120, Done: 300, Total: 300}) {
		t.Errorf("the logs: %+v", logs)
	}
	later := logNamed(t, node, "customer-later")
	if got := statusOf(t, node, later, "months"); got.Status != view.Live || got.Version != 1 {
		t.Errorf("on a later log: %+v", got)
	}
	node.Append(t, later, counted(t, 0, 3)...)
	node.Append(t, before[1], counted(t, 0, 3)...)
	for _, log := range []uuid.UUID{later, before[1]} {
		if answer := node.Ask(t, log, "months", ""); answer.Sequence != 3 || !strings.Contains(string(answer.Body), `"tokens_in":`) {
			t.Errorf("the answer is %s at %d", answer.Body, answer.Sequence)
		}
	}
	if _, err := node.Views.Get(t.Context(), other, "months", nil); !errors.Is(err, view.ErrViewNotFound) {
		t.Errorf("on a log that does not match: %v", err)
	}
	if again := deployPattern(t, node, "months", "", views.MonthlyTotals()); again.Revision != 1 || again.Pattern != "customer-*" {
		t.Errorf("the same again: %+v", again)
	}
	if got := statusOf(t, node, before[0], "months"); got.Version != 1 {
		t.Errorf("the same again made version %d", got.Version)
	}
	rate := view.Deployment{Code: views.RateCheck(), Config: []byte("{}")}
	_, err := node.Views.DeployPattern(t.Context(), db.DefaultTenant, "months", "other-*", rate)
	var differs *view.PatternDiffersError
	if !errors.As(err, &differs) || differs.Pattern != "customer-*" {
		t.Errorf("another pattern: %v", err)
	}
	testrig.Check(t, d.DSN())
}

// TestNewRevision: every covered log gets the new version, later logs only that; a log that deployed the view by itself keeps its own.
func TestNewRevision(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	own, covered := logNamed(t, node, "c-own"), logNamed(t, node, "c-covered")
	node.Deploy(t, own, "v", views.RateCheck(), "{}")
	for _, log := range []uuid.UUID{own, covered} {
		node.Append(t, log, counted(t, 0, 10)...)
	}
	deployPattern(t, node, "v", "c-*", views.MonthlyTotals())
	awaitLive(t, node, "v")
	taken := logNamed(t, node, "c-taken")
	node.Deploy(t, taken, "v", testrig.Scripted(), "{}")
	if info := deployPattern(t, node, "v", "", testrig.Scripted()); info.Revision != 2 {
		t.Errorf("the second revision is %+v", info)
	}
	if logs := awaitLive(t, node, "v"); logs.Matching != 3 || logs.Own != 2 || logs.Live != 1 {
		t.Errorf("the logs: %+v", logs)
	}
	later := logNamed(t, node, "c-later")
	for log, version := range map[uuid.UUID]int32{own: 1, covered: 2, taken: 2, later: 1} {
		if got := statusOf(t, node, log, "v"); got.Version != version || got.Status != view.Live {
			t.Errorf("%+v, want version %d live", got, version)
		}
		node.Append(t, log, counted(t, 10, 2)...)
	}
	testrig.Check(t, d.DSN())
}

// TestRetiredPattern: the view is retired where the pattern put it, and nowhere else; with keep it stays, until a deploy
// takes those logs up again.
func TestRetiredPattern(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	own, covered := logNamed(t, node, "c-own"), logNamed(t, node, "c-covered")
	node.Deploy(t, own, "v", views.RateCheck(), "{}")
	node.Append(t, covered, counted(t, 0, 3)...)
	deployPattern(t, node, "v", "c-*", views.MonthlyTotals())
	awaitLive(t, node, "v")
	info, err := node.Views.RetirePattern(t.Context(), db.DefaultTenant, "v", true, "tester")
	if err != nil || info.Status != view.PatternRetired {
		t.Errorf("retired %+v, %v", info, err)
	}
	if _, err := node.Views.Pattern(t.Context(), db.DefaultTenant, "v"); !errors.Is(err, view.ErrPatternNotFound) {
		t.Errorf("after it was retired: %v", err)
	}
	if got := statusOf(t, node, covered, "v"); got.Status != view.Live {
		t.Errorf("what was to be kept is %+v", got)
	}
	between := logNamed(t, node, "c-between")
	if _, err := node.Views.Get(t.Context(), between, "v", nil); !errors.Is(err, view.ErrViewNotFound) {
		t.Errorf("on a log made without a pattern: %v", err)
	}

	info = deployPattern(t, node, "v", "*-*", views.MonthlyTotals())
	if info.Revision != 2 || info.Pattern != "*-*" {
		t.Errorf("deployed again: %+v", info)
	}
	if logs := awaitLive(t, node, "v"); logs.Matching != 3 || logs.Own != 1 || logs.Live != 2 {
		t.Errorf("the logs: %+v", logs)
	}
	if got := statusOf(t, node, covered, "v"); got.Version != 1 {
		t.Errorf("the same module on a log that had kept it: %+v", got)
	}
	if _, err := node.Views.RetirePattern(t.Context(), db.DefaultTenant, "v", false, "tester"); err != nil {
		t.Fatal(err)
	}
	await(t, "the view is retired everywhere", func() bool {
		_, err := node.Views.Pattern(t.Context(), db.DefaultTenant, "v")
		return errors.Is(err, view.ErrPatternNotFound)
	})
	for _, log := range []uuid.UUID{covered, between} {
		if _, err := node.Views.Get(t.Context(), log, "v", nil); !errors.Is(err, view.ErrViewRetired) {
			t.Errorf("after the pattern was retired: %v", err)
		}
		node.Append(t, log, counted(t, 3, 2)...)
	}
	if got := statusOf(t, node, own, "v"); got.Status != view.Live {
		t.Errorf("the log's own view is %+v", got)
	}
	deployPattern(t, node, "v", "c-*", testrig.Scripted())
	if logs := awaitLive(t, node, "v"); logs.Live != 2 || logs.Own != 1 {
		t.Errorf("the logs: %+v", logs)
	}
	testrig.Check(t, d.DSN())
}

// TestPatternHammer creates logs and appends to them from two servers while views are deployed on their pattern, replaced
// and retired: every log ends up with what is deployed, and its first event is counted.
func TestPatternHammer(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	const creators, logsEach = 4, 60
	var wg sync.WaitGroup
	for i := range creators {
		wg.Go(func() {
			for n := range logsEach {
				log := logNamed(t, nodes[i%2], fmt.Sprintf("h-%d-%d", i, n))
				nodes[(i+n)%2].Append(t, log, counted(t, 0, 1+n%3)...)
			}
		})
	}
	for i, deploys := range [][][]byte{
		{views.MonthlyTotals(), testrig.Scripted(), views.MonthlyTotals()},
		{testrig.Scripted(), views.RateCheck()},
		{views.RateCheck()},
	} {
		wg.Go(func() {
			name := fmt.Sprint("v", i)
			for n, code := range deploys {
				deployPattern(t, nodes[(i+n)%2], name, "h-*", code)
				if i == 1 && n == 0 {
					if _, err := nodes[0].Views.RetirePattern(t.Context(), db.DefaultTenant, name, false, ""); err != nil {
						t.Errorf("retiring %s: %v", name, err)
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range 3 {
		logs := awaitLive(t, nodes[i%2], fmt.Sprint("v", i))
		if logs.Matching != creators*logsEach || logs.Live != logs.Matching || logs.Done != logs.Total {
			t.Errorf("view v%d: %+v", i, logs)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestPatternIsTakenOver stops the server that spreads a pattern, in the middle; the next one goes on.
func TestPatternIsTakenOver(t *testing.T) {
	d := testdb.New(t)
	a := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	var last uuid.UUID
	for i := range 130 {
		last = logNamed(t, a, fmt.Sprint("c-", i))
	}
	release := holdLog(t, d.DSN(), last)
	ctx, cancel := context.WithCancel(t.Context())
	deployed := make(chan error, 1)
	go func() {
		deployment := view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")}
		var err error
		for err == nil { // a slow machine has not come to the locked log when DeployPattern returns
			_, err = a.Views.DeployPattern(ctx, db.DefaultTenant, "v", "c-*", deployment)
		}
		deployed <- err
	}()
	b := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	await(t, "two batches are done", func() bool {
		info, err := b.Views.Pattern(t.Context(), db.DefaultTenant, "v")
		if errors.Is(err, view.ErrPatternNotFound) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
		logs, err := b.Views.PatternLogs(t.Context(), db.DefaultTenant, info)
		if err != nil {
			t.Fatal(err)
		}
		return logs.Building == 100 && logs.Waiting == 30
	})
	cancel()
	if err := <-deployed; !errors.Is(err, context.Canceled) {
		t.Errorf("a deploy that is given up: %v", err)
	}
	a.Stop(t)
	release()
	c := testrig.Start(t, d.DSN(), testrig.Settings{})
	if logs := awaitLive(t, c, "v"); logs.Live != 130 {
		t.Errorf("the logs: %+v", logs)
	}
	testrig.Check(t, d.DSN())
}

// holdLog locks a log against deploys until release is called.
func holdLog(t *testing.T, dsn string, log uuid.UUID) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"BEGIN", "SELECT FROM logs WHERE log_id = '" + log.String() + "' FOR UPDATE"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestFullLogs: a log that has no room for another view is passed over and said to wait; deployed again, the view finds
// the room that was made.
func TestFullLogs(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	full, roomy := logNamed(t, node, "c-full"), logNamed(t, node, "c-roomy")
	for i := range view.MaxViewsPerLog {
		node.Deploy(t, full, fmt.Sprint("v", i), testrig.Scripted(), "{}")
	}
	deployPattern(t, node, "more", "c-*", testrig.Scripted())
	await(t, "the pattern has spread", func() bool {
		info, logs := logsOf(t, node, "more")
		return !info.Spreading && logs == view.PatternLogs{Matching: 2, Live: 1, Waiting: 1}
	})
	if got := statusOf(t, node, roomy, "more"); got.Status != view.Live {
		t.Errorf("on a log with room: %+v", got)
	}
	if err := node.Views.Retire(t.Context(), full, "v7", ""); err != nil {
		t.Fatal(err)
	}
	deployPattern(t, node, "more", "c-*", testrig.Scripted())
	if logs := awaitLive(t, node, "more"); logs.Live != 2 {
		t.Errorf("the logs: %+v", logs)
	}
	testrig.Check(t, d.DSN())
}

func TestRefusedPatterns(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	for pattern, want := range map[string]string{
		"":                       "invalid_pattern",
		"a b*":                   "invalid_pattern",
		"-*":                     "invalid_pattern",
		"*********":              "invalid_pattern",
		"%":                      "invalid_pattern",
		strings.Repeat("a", 201): "invalid_pattern",
	} {
		scripted := view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")}
		_, err := node.Views.DeployPattern(t.Context(), db.DefaultTenant, "v", eventlog.Pattern(pattern), scripted)
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Code != want {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	// What LIKE takes for more than itself stands for itself here, and letters keep their case.
	for _, name := range []string{"a_b", "axb", "A_b", "a_", "a_b_c"} {
		logNamed(t, node, name)
	}
	deployPattern(t, node, "v", "a_b*", testrig.Scripted())
	if logs := awaitLive(t, node, "v"); logs.Matching != 2 {
		t.Errorf("a_b* matches %d logs, want 2", logs.Matching)
	}
}
