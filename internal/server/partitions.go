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
	// partitionCheck is how often partitions are looked after, give or take a tenth, so that servers that were started together do not
	// stay together; and partitionRetry how soon after some could not be made.
	partitionCheck = time.Hour
	partitionRetry = time.Minute
)

// What is told to whoever asks whether the server is well.
const (
	warnNotMade   = "partitions for the months to come could not be made; the server's log says why"
	warnInDefault = "the default partition holds events: run tally maintain"
	warnNotFrozen = "months that have passed wait to be frozen, which the server's own login may not do: run tally maintain as the owner"
)

// partitions looks after the partitions of events: makes them ahead, freezes those of months that have passed, and says what an operator
// has to do.
type partitions struct {
	db       *db.DB
	url      string // of a login that may own the tables
	log      *slog.Logger
	warnings atomic.Pointer[[]string]
}

// run looks after the partitions until ctx ends. The first round of making some has been.
func (p *partitions) run(ctx context.Context) {
	for {
		p.freeze(ctx)                                          // it may take long: not before the server serves
		wait := partitionCheck*9/10 + rand.N(partitionCheck/5) //nolint:gosec // nobody gains by guessing it
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

// make makes partitions ahead. Where it cannot, the server serves all the same: there are months of partitions left, or the default
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
	}
	p.warnings.Store(&warnings)
}

// freeze freezes the partitions of months that have passed.
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

// list is what an operator should know.
func (p *partitions) list() []string {
	if warnings := p.warnings.Load(); warnings != nil {
		return *warnings
	}
	return nil
}
