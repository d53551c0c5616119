package alert

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/uuid"
)

// TestPauseAfterAnEvaluation: a log whose evaluation takes long is left alone for a while, though never for long: events that came in
// meanwhile wait for the next one.
func TestPauseAfterAnEvaluation(t *testing.T) {
	for took, pause := range map[time.Duration]time.Duration{
		time.Millisecond: evaluateEvery - time.Millisecond, time.Second: 3 * time.Second, maxEvaluation: 5 * time.Second,
	} {
		q := newQueue()
		q.add(uuid.New())
		j := q.tryTake(&q.quick)
		before := time.Now()
		q.done(j, uuid.New(), took, false)
		if j.next.Before(before.Add(pause)) || j.next.After(time.Now().Add(pause)) {
			t.Errorf("after %v the next is %v later, want %v", took, j.next.Sub(before), pause)
		}
	}
}
