package views_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// quotaLog appends events to a log whose view is quota, as the server does: the guard is asked, and what it admits is folded.
type quotaLog struct {
	view     *deployed
	state    memoryState
	sequence int64 // of the last event
	// Of the last event.
	guardGas, foldGas int64
	ignored           bool
}

func newQuotaLog(tb testing.TB, config string) *quotaLog {
	tb.Helper()
	return &quotaLog{view: mustDeploy(tb, "quota", config), state: memoryState{}}
}

// outcome is what became of an append.
type outcome struct {
	Status     int // 0: admitted
	Answer     string
	RetryAfter int
}

func (o outcome) String() string {
	text := "admitted"
	if o.Status != 0 {
		text = fmt.Sprint(o.Status)
	}
	if o.RetryAfter > 0 {
		text += fmt.Sprintf(" (Retry-After: %d)", o.RetryAfter)
	}
	if o.Answer != "" {
		text += " " + o.Answer
	}
	return text
}

// append asks the guard, and folds what it admits.
func (l *quotaLog) append(tb testing.TB, at time.Time, data string) outcome {
	tb.Helper()
	return l.add(tb, at, data, false)
}

// slip has an event in the log whatever the guard says, as one from before the view was deployed.
func (l *quotaLog) slip(tb testing.TB, at time.Time, data string) outcome {
	tb.Helper()
	return l.add(tb, at, data, true)
}

func (l *quotaLog) add(tb testing.TB, at time.Time, data string, always bool) outcome {
	tb.Helper()
	event := l.view.event(tb, l.sequence+1, []byte(data))
	event.RecordedAt = at.UnixMicro()
	session := l.view.start(tb, l.state)
	defer session.Close()
	before := len(l.state)
	verdict, err := session.Guard(event)
	if err != nil {
		tb.Fatalf("the guard of %s: %v", data, err)
	}
	if len(l.state) != before {
		tb.Fatalf("the guard of %s wrote state", data)
	}
	l.guardGas = session.GasUsed()
	o := outcome{Status: verdict.Status, Answer: string(verdict.Answer), RetryAfter: verdict.RetryAfter}
	if o.Answer != "" && !json.Valid(verdict.Answer) {
		tb.Fatalf("the guard of %s answers %s", data, o.Answer)
	}
	if o.Status != 0 && !always {
		return o
	}
	l.sequence++
	outcome, err := session.Fold(event)
	if err != nil {
		tb.Fatalf("folding %s: %v", data, err)
	}
	l.foldGas, l.ignored = session.GasUsed(), fmt.Sprint(outcome) == "ignored"
	return o
}

func (l *quotaLog) ask(tb testing.TB, query string) string {
	tb.Helper()
	return l.view.ask(tb, l.state, query)
}
