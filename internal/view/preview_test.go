package view_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

func preview(t *testing.T, node *testrig.Node, log uuid.UUID, code []byte, config string, options view.PreviewOptions) view.Preview {
	t.Helper()
	p, err := node.Views.Preview(t.Context(), log, "v", view.Deployment{Code: code, Config: []byte(config)}, options)
	if err != nil {
		t.Fatalf("previewing: %v", err)
	}
	return p
}

// TestPreviewIsWhatADeployMakes previews views of several kinds while appends go on, and holds each against a deploy of the same on a log
// with the events that were previewed, byte for byte. Nothing is stored.
func TestPreviewIsWhatADeployMakes(t *testing.T) {
	const events, last = 700, 500
	node, d := start(t, testrig.Settings{})
	log, tail := node.NewLog(t), node.NewLog(t)
	all := counted(t, 0, events)
	node.Append(t, log, all...)
	node.Append(t, tail, all[events-last:]...)
	stored := func() int64 {
		return d.Exec(t, "SELECT FROM modules") + d.Exec(t, "SELECT FROM views") + d.Exec(t, "SELECT FROM view_versions") +
			d.Exec(t, "SELECT FROM view_state")
	}
	before := stored()
	for _, tried := range []struct {
		code          []byte
		config, query string
	}{
		{views.Meter(), `{"value":"/tokens_in","aggregations":["sum","p95"],"group_by":{"model":"/model"}}`, "group_by=model"},
		{views.Meter(), `{"type":"none"}`, "uncounted"},
		{views.MonthlyTotals(), `{}`, ""},
		{testrig.Scripted(), `{}`, "scan\t\t\t1000\t100"},
	} {
		p := preview(t, node, log, tried.code, tried.config, view.PreviewOptions{Events: last, Query: tried.query})
		if p.From != events-last+1 || p.To != events || p.Earlier != events-last || p.Counts.Events != last || !p.Complete ||
			p.Halt != nil || p.AnswerError != nil || p.Counts.Gas <= 0 {
			t.Errorf("%s: %+v", tried.config, p)
		}
		if now := stored(); now != before {
			t.Errorf("%s: %d rows are stored, and %d were", tried.config, now, before)
		}
		info := node.Deploy(t, tail, "v", tried.code, tried.config)
		answer := node.Ask(t, tail, "v", tried.query)
		if string(answer.Body) != string(p.Answer.Body) || answer.Type != p.Answer.Type {
			t.Errorf("%s: the preview answers %s, the view %s", tried.config, p.Answer.Body, answer.Body)
		}
		keys, size := 0, int64(0)
		for key, value := range states(t, d, tail)[fmt.Sprintf("v@%d", info.Version)] {
			keys, size = keys+1, size+int64(len(key)+len(value))
		}
		if p.StateKeys != keys || p.StateBytes != size {
			t.Errorf("%s: the preview has %d keys of %d bytes, the view %d of %d", tried.config, p.StateKeys, p.StateBytes, keys, size)
		}
		if ignores := strings.Contains(tried.config, "none"); ignores != (p.Counts.Ignored == last) {
			t.Errorf("%s: %d events are ignored", tried.config, p.Counts.Ignored)
		}
		before = stored()
	}
	due, meanwhile := make(chan int, 10), sync.WaitGroup{}
	meanwhile.Go(func() {
		for n := range due {
			node.Append(t, log, counted(t, n, 50)...)
		}
	})
	for n := range 10 {
		due <- n
		p := preview(t, node, log, views.MonthlyTotals(), "{}", view.PreviewOptions{})
		if p.From != 1 || p.Earlier != 0 || p.To < events || p.Counts.Events != p.To || !p.Complete {
			t.Errorf("beside appends: %+v", p)
		}
	}
	close(due)
	meanwhile.Wait()
}

// TestPreviewOfHostileViews: one that fails over an event halts there, what came before it is answered for, and nothing else is harmed.
func TestPreviewOfHostileViews(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	for name, failing := range map[string]struct{ line, reason string }{
		"refuses":  {line("fail", "not today"), "not today"},
		"traps":    {line("trap"), "unreachable"},
		"loops":    {line("spin", 4000), "gas"},
		"too long": {line("set", "long", `"`+strings.Repeat("x", 64<<10)+`"`), "65538 bytes"},
	} {
		log := node.NewLog(t)
		node.Append(t, log, append(counted(t, 0, 300), script(t, line("set", "last", 7), failing.line))...)
		node.Append(t, log, counted(t, 300, 10)...)
		p := preview(t, node, log, testrig.Scripted(), "{}", view.PreviewOptions{Query: "get\tlast"})
		if p.Halt == nil || p.Halt.Sequence != 301 || !strings.Contains(p.Halt.Reason, failing.reason) || p.Complete || p.To != 300 ||
			p.Counts.Events != 300 || string(p.Answer.Body) == "7" || p.AnswerError != nil {
			t.Errorf("%s: %+v, %v", name, p, p.Halt)
		}
		p = preview(t, node, log, testrig.Scripted(), "{}", view.PreviewOptions{Events: 10, Query: "fail\tno answer"})
		if p.Halt != nil || p.From != 302 || !p.Complete || p.AnswerError == nil || !p.AnswerError.Refused ||
			p.AnswerError.Reason != "no answer" || p.Answer.Body != nil {
			t.Errorf("%s, past that event: %+v", name, p)
		}
		p = preview(t, node, log, testrig.Scripted(), "{}", view.PreviewOptions{Events: 10, Query: "nonsense"})
		if p.AnswerError == nil {
			t.Errorf("%s: it answers nonsense with %s", name, p.Answer.Body)
		}
		node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	}
	testrig.Check(t, d.DSN())
}

// TestPreviewRefusesWhatADeployDoes compares the refusals of previews with those of deploys.
func TestPreviewRefusesWhatADeployDoes(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	log, full := node.NewLog(t), node.NewLog(t)
	node.Append(t, log, counted(t, 0, 10)...)
	for i := range 4 {
		node.DeployAs(t, full, fmt.Sprintf("v%d", i), view.Deployment{
			Code: views.MonthlyTotals(), Config: []byte("{}"), FoldGas: view.MaxFoldGas,
		})
	}
	for what, tried := range map[string]struct {
		log uuid.UUID
		d   view.Deployment
	}{
		"not_wasm":            {log, view.Deployment{Code: []byte("no module"), Config: []byte("{}")}},
		"view_refused_config": {log, view.Deployment{Code: views.Meter(), Config: []byte(`{"nonsense":1}`)}},
		"invalid_config":      {log, view.Deployment{Code: views.Meter(), Config: []byte(`{`)}},
		"config_too_large":    {log, view.Deployment{Code: views.Meter(), Config: []byte(`"` + strings.Repeat("x", 64<<10) + `"`)}},
		"invalid_gas":         {log, view.Deployment{Code: views.Meter(), Config: []byte(`{}`), FoldGas: view.MaxFoldGas + 1}},
		"no_guard":            {log, view.Deployment{Code: views.Meter(), Config: []byte(`{}`), OnHalt: view.OnHaltRefuse}},
		"not_reproducible":    {log, view.Deployment{Code: testrig.Forgetful(), Config: []byte(`{"keeps":"memory"}`)}},
		"too_much_gas":        {full, view.Deployment{Code: views.MonthlyTotals(), Config: []byte("{}")}},
	} {
		_, err := node.Views.Preview(t.Context(), tried.log, "new", tried.d, view.PreviewOptions{})
		_, wanted := node.Views.Deploy(t.Context(), tried.log, "new", tried.d)
		var refused, want *view.RefusedError
		if !errors.As(err, &refused) || !errors.As(wanted, &want) || refused.Code != what || *refused != *want {
			t.Errorf("%s: a preview says %v, a deploy %v", what, err, wanted)
		}
	}
	one := view.Deployment{Code: views.MonthlyTotals(), Config: []byte("{}"), FoldGas: view.MaxFoldGas}
	if _, err := node.Views.Preview(t.Context(), full, "v0", one, view.PreviewOptions{}); err != nil {
		t.Errorf("in place of a view that is there: %v", err)
	}
	var invalid *event.InvalidError
	if _, err := node.Views.Preview(t.Context(), log, "no/name", one, view.PreviewOptions{}); !errors.As(err, &invalid) {
		t.Errorf("under a name that there cannot be: %v", err)
	}
	if _, err := node.Views.Preview(t.Context(), uuid.New(), "v", one, view.PreviewOptions{}); !errors.Is(err, eventlog.ErrLogNotFound) {
		t.Errorf("on no log: %v", err)
	}
}

// TestPreviewBounds: one without time says how far it came, one that waits too long is refused, and an empty log is answered for.
func TestPreviewBounds(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	log := node.NewLog(t)
	p := preview(t, node, log, views.MonthlyTotals(), "{}", view.PreviewOptions{})
	if p.From != 0 || p.To != 0 || p.Counts.Events != 0 || !p.Complete || string(p.Answer.Body) != "{}" {
		t.Errorf("on an empty log: %+v", p)
	}
	node.Append(t, log, counted(t, 0, 10)...)
	node.Views.BoundInquiries(time.Nanosecond, time.Nanosecond)
	p = preview(t, node, log, views.MonthlyTotals(), "{}", view.PreviewOptions{})
	if p.Complete || p.Halt != nil || p.Counts.Events != 0 || p.From != 0 || string(p.Answer.Body) != "{}" {
		t.Errorf("without time: %+v", p)
	}
	release := node.Views.HoldAudits()
	d := view.Deployment{Code: views.MonthlyTotals(), Config: []byte("{}")}
	if _, err := node.Views.Preview(t.Context(), log, "v", d, view.PreviewOptions{}); !errors.Is(err, view.ErrInquiriesBusy) {
		t.Errorf("beside an audit: %v", err)
	}
	release()
	node.Views.BoundInquiries(time.Hour, time.Hour)
	if p = preview(t, node, log, views.MonthlyTotals(), "{}", view.PreviewOptions{}); !p.Complete || p.To != 10 {
		t.Errorf("afterwards: %+v", p)
	}
}
