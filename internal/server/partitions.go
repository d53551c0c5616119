package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/db"
)

const (
	// partitionCheck is how often partitions are checked, plus or minus a tenth, so that servers that were started together drift apart.
	// partitionRetry is how soon creating them is tried again after a failure.
	partitionCheck = time.Hour
	partitionRetry = time.Minute
)

// Warnings that /readyz returns.
const (
	warnNotMade   = "partitions for the months to come could not be made; the server's log says why"
	warnInDefault = "the default partition holds events: run tally maintain"
	warnNotFrozen = "months that have passed wait to be frozen, which the server's own login may not do: run tally maintain as the owner"
)

// partitions maintains the partitions of events: it creates them ahead of time, freezes those of past months, and reports what an operator
// has to do.
type partitions struct {
	db       *db.DB
	url      string // its login may own the tables
	log      *slog.Logger
	announce func(context.Context) error // that the default partition holds events
	warnings atomic.Pointer[[]string]
}

// run maintains the partitions until ctx ends. The caller has already called make once.
func (p *partitions) run(ctx context.Context) {
	for {
		p.freeze(ctx)                                          // may take long, and so runs while the server serves
		wait := partitionCheck*9/10 + rand.N(partitionCheck/5) //nolint:gosec // no secret
		if p.has(warnNotMade) {
			wait = partitionRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		p.make(ctx)
	}
}

// make creates partitions ahead of time. If it cannot, the server works all the same: partitions for months are left, or the default
// partition takes the events.
func (p *partitions) make(ctx context.Context) {
	var warnings []string
	made, err := p.db.MakePartitions(ctx)
	if err != nil && ctx.Err() == nil {
		warnings = append(warnings, warnNotMade)
		p.log.LogAttrs(ctx, slog.LevelWarn, "making partitions ahead failed; trying again in a minute", slog.Any("error", err))
	}
	if made > 0 {
		p.log.LogAttrs(ctx, slog.LevelInfo, "made partitions", slog.Int("months", made))
	}
	inUse, err := p.db.EventsDefaultInUse(ctx, p.db.Read)
	if err != nil && ctx.Err() == nil {
		p.log.LogAttrs(ctx, slog.LevelWarn, "looking into the default partition failed", slog.Any("error", err))
	}
	if inUse {
		warnings = append(warnings, warnInDefault)
		p.log.LogAttrs(ctx, slog.LevelWarn, warnInDefault)
		if err := p.announce(ctx); err != nil && ctx.Err() == nil {
			p.log.LogAttrs(ctx, slog.LevelWarn, "announcing that the default partition holds events failed", slog.Any("error", err))
		}
	}
	p.warnings.Store(&warnings)
}

// freeze freezes the partitions of past months.
func (p *partitions) freeze(ctx context.Context) {
	waiting, err := p.db.PartitionsToFreeze(ctx, p.db.Read, db.FreezeAfterDays)
	if err == nil && len(waiting) > 0 {
		err = p.freezeAll(ctx, waiting)
	}
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, db.ErrMaintained):
	case errors.Is(err, db.ErrNotOwner):
		p.warn(warnNotFrozen)
		p.log.LogAttrs(ctx, slog.LevelWarn, warnNotFrozen, slog.String("partitions", strings.Join(waiting, ", ")))
	default:
		p.log.LogAttrs(ctx, slog.LevelWarn, "freezing partitions failed; trying again in an hour", slog.Any("error", err))
	}
}

func (p *partitions) freezeAll(ctx context.Context, waiting []string) error {
	m, err := db.NewMaintainer(ctx, p.url)
	if err != nil {
		return fmt.Errorf("connecting to freeze partitions: %w", err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	for _, partition := range waiting {
		began := time.Now()
		frozen, err := m.Freeze(ctx, partition)
		if err != nil {
			return err
		}
		if frozen {
			p.log.LogAttrs(ctx, slog.LevelInfo, "froze a partition",
				slog.String("partition", partition), slog.Duration("took", time.Since(began)))
		} else {
			p.log.LogAttrs(ctx, slog.LevelWarn,
				"a transaction that began before a month's end keeps it from being frozen; trying again in an hour",
				slog.String("partition", partition))
		}
	}
	return nil
}

func (p *partitions) warn(text string) {
	warnings := append([]string{text}, p.list()...)
	p.warnings.Store(&warnings)
}

func (p *partitions) has(text string) bool { return slices.Contains(p.list(), text) }

// list returns the current warnings.
func (p *partitions) list() []string {
	if warnings := p.warnings.Load(); warnings != nil {
		return *warnings
	}
	return nil
}
