package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testrig"
)

// TestHeldLogHoldsUpNobody has a stopped server, or anybody, keep the lock of one log's head: appends to the other log of the lane go on,
// and those to the locked log succeed as soon as its lock is released.
func TestHeldLogHoldsUpNobody(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1, LockTimeout: 200 * time.Millisecond})
	held, other := node.NewLog(t), node.NewLog(t)
	deployReadyViews(t, node, held)
	deployReadyViews(t, node, other)
	node.Append(t, held, keyed(t, "before", 1)...)
	release := holdHead(t, d.DSN(), held)
	var answers []<-chan result
	for i := range 3 {
		answers = append(answers, appendAsync(node, held, request(keyed(t, fmt.Sprint("held", i), 2)...)))
		node.Append(t, other, keyed(t, fmt.Sprint("other", i), 2)...)
	}
	await(t, "the log has left the lane", func() bool { return node.Ingest.IsSlow(held) })
	for i := range 20 {
		node.Append(t, other, keyed(t, fmt.Sprint("later", i), 1)...)
	}
	release()
	for i, answer := range answers {
		if r := <-answer; r.err != nil && !retryable(r.err) {
			t.Errorf("request %d: %v", i, r.err)
		}
	}
	for i := range answers { // a retry settles what had to be given up
		appendUntilKnown(t, node, held, keyed(t, fmt.Sprint("held", i), 2))
	}
	logs := testrig.Check(t, d.DSN())
	if got := len(logs[held].Events); got != 1+2*len(answers) {
		t.Errorf("the held log has %d events, want %d", got, 1+2*len(answers))
	}
	if got := len(logs[other].Events); got != 26 {
		t.Errorf("the other log has %d events, want 26", got)
	}
}
