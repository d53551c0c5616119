package view

import (
	"context"
	"fmt"
	"time"
)

// trial is the right to compile or rehearse a view that is to be deployed: one holder has it at a time. It rests beside appends as a build
// does.
type trial struct {
	views   *Views
	began   time.Time
	commits int64
}

// trialTime is how long a trial works before it rests: about as long as a group of appends folds.
const trialTime = 20 * time.Millisecond

func (v *Views) beginTrial(ctx context.Context) (*trial, error) {
	select {
	case v.trials <- struct{}{}:
		return &trial{v, time.Now(), v.commits.Load()}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to try a view: %w", ctx.Err())
	}
}

func (t *trial) end() { <-t.views.trials }

// rest rests if the trial has worked for trialTime and appends go on.
func (t *trial) rest(ctx context.Context) {
	if time.Since(t.began) < trialTime {
		return
	}
	t.views.rest(ctx, t.began, t.commits)
	t.began, t.commits = time.Now(), t.views.commits.Load()
}
