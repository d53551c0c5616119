package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/wasm"
	api "github.com/tallystick/tallystick/openapi/clients/go"
	"github.com/tallystick/tallystick/views"
)

const (
	rebuildAlone   = "rebuild/alone"
	rebuildBeside  = "rebuild/under-appends"
	appendRebuilt  = "append/many-logs/under-rebuild"
	appendUnbuilt  = "append/many-logs/no-rebuild"
	rebuildView    = "rebuilt"
	rebuildClients = 64
	rebuildPoll    = 20 * time.Millisecond
	// rebuildTimeout bounds one rebuild of a million events, on a machine much slower than any we know.
	rebuildTimeout = 10 * time.Minute
)

// rebuildPhase builds a view from a long history, alone and while other logs are appended to.
func rebuildPhase() phase {
	r := &rebuilds{}
	return phase{
		prepare: r.prepare,
		measurements: []measurement{
			{names: []string{rebuildAlone}, run: func(ctx context.Context, s *stage, report reporter) error {
				used, _ := s.usage()
				result, err := r.rebuild(ctx)
				if err != nil {
					return err
				}
				result.used = s.usedSince(used)
				report(rebuildAlone, result)
				return nil
			}},
			{names: []string{rebuildBeside, appendRebuilt, appendUnbuilt}, on: manyLogs, run: r.besideAppends},
		},
	}
}

// rebuilds holds what the rebuilds share.
type rebuilds struct {
	client *api.Client
	log    string
	events int
	number int64 // of builds so far
}

func (r *rebuilds) prepare(ctx context.Context, s *stage, _ reporter) (err error) {
	if r.client, err = newClient(s.server.address, "", requestTimeout); err != nil {
		return err
	}
	s.cleanup(func(context.Context) error { r.client.Close(); return nil })
	h, err := s.vacuumedHistory(ctx)
	if err != nil {
		return err
	}
	r.log, r.events = h.name(0), h.events
	return nil
}

// rebuild deploys a version that the log does not have, and waits until it is live.
func (r *rebuilds) rebuild(ctx context.Context) (sample, error) {
	r.number++
	ctx, cancel := context.WithTimeout(ctx, rebuildTimeout)
	defer cancel()
	began := time.Now()
	// Another budget makes another version of the same module.
	deployment := api.Deployment{Gas: wasm.DefaultFoldGas + r.number}
	version, err := r.client.DeployModule(ctx, r.log, rebuildView, views.MonthlyTotals(), deployment)
	if err != nil {
		return sample{}, fmt.Errorf("deploying a view: %w", err)
	}
	poll := time.NewTicker(rebuildPoll)
	defer poll.Stop()
	for number := version.Version; version.Status != api.Live; {
		if version.Status != api.Building {
			return sample{}, fmt.Errorf("the view became %s: %s", version.Status, version.Error)
		}
		select {
		case <-ctx.Done():
			return sample{}, fmt.Errorf("waiting for a view to be built: %w", ctx.Err())
		case <-poll.C:
		}
		found, err := r.client.GetView(ctx, r.log, rebuildView)
		if err != nil {
			return sample{}, fmt.Errorf("waiting for a view to be built: %w", err)
		}
		for _, v := range found.Versions() {
			if v.Version == number {
				version = v
			}
		}
	}
	if version.Applied < int64(r.events) {
		return sample{}, fmt.Errorf("the view went live with %d of %d events", version.Applied, r.events)
	}
	return sample{count: r.events, seconds: time.Since(began).Seconds()}, nil
}

// besideAppends measures the appends alone, and then a rebuild beside them.
func (r *rebuilds) besideAppends(ctx context.Context, s *stage, report reporter) error {
	alone, err := s.drive(ctx, rebuildClients, s.appends(manyLogs(s)))
	if err != nil {
		return err
	}
	var built sample
	beside, err := s.driveWhile(ctx, rebuildClients, s.appends(manyLogs(s)), func(ctx context.Context) (err error) {
		built, err = r.rebuild(ctx)
		return err
	})
	if err != nil {
		return err
	}
	report(appendUnbuilt, alone)
	report(appendRebuilt, beside)
	report(rebuildBeside, built)
	return nil
}
