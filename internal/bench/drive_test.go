package bench

import (
	"context"
	"testing"
	"time"
)

// TestDriveSlowWorkers: where no operation ends within the time of a measurement, the first one to end counts, with the time that it had.
func TestDriveSlowWorkers(t *testing.T) {
	const takes = 200 * time.Millisecond
	s := &stage{config: Config{Duration: time.Millisecond}}
	slow := func(context.Context, int) (worker, error) {
		return worker{close: func() {}, once: func(context.Context) (int, error) {
			<-time.After(takes)
			return 7, nil
		}}, nil
	}
	got, err := s.drive(t.Context(), 3, slow)
	if err != nil {
		t.Fatal(err)
	}
	if got.count != 7 || len(got.latencies) != 1 || got.seconds < (takes/2).Seconds() {
		t.Errorf("it counts %d in %v s, %v", got.count, got.seconds, got.latencies)
	}
}
