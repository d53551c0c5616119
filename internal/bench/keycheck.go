package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/limits"
)

const keyCheck = "key/check"

func keyRows() []rowKind {
	return []rowKind{{
		name: "key-check",
		what: "finding out who a request's key is, and holding it to its limits: processor time, with all cores at it",
		unit: "µs", atMost: 5, needs: []string{keyCheck},
		value: func(f figures, s *stage) (float64, string) {
			return s.medianValue(keyCheck), fmt.Sprintf("%s/s on %d cores", count(f[keyCheck].PerSecond), runtime.GOMAXPROCS(0))
		},
	}}
}

func keyPhase() phase {
	return phase{measurements: []measurement{{names: []string{keyCheck}, run: checkKeys}}}
}

// ownTime is the processor time of this process.
func ownTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("reading this process's time: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// checkKeys does what a server does with each request, in this process.
func checkKeys(ctx context.Context, s *stage, report reporter) (err error) {
	d, err := db.Open(ctx, db.Config{URL: s.database, AppendConns: 1, ReadConns: 2})
	if err != nil {
		return err
	}
	defer d.Close()
	gate := access.NewGate(d, slog.New(slog.DiscardHandler))
	gate.Start() //nolint:contextcheck // it has a context of its own, until it is stopped
	defer func() { err = errors.Join(err, gate.Stop(context.WithoutCancel(ctx))) }()
	limiter := limits.New(d, limits.Config{Defaults: limits.Values{limits.Requests: limits.MaxValue, limits.Bytes: limits.MaxValue}})
	const body = 170
	one := func() error {
		caller, err := gate.Authenticate(ctx, benchKey)
		if err != nil {
			return err
		}
		return limiter.Account(limits.Caller{
			Tenant: caller.Tenant, TenantLimits: caller.TenantLimits, Key: caller.KeyID, KeyLimits: caller.KeyLimits,
		}).Request(body)
	}
	if err := one(); err != nil { // which looks it up
		return err
	}
	cores := runtime.GOMAXPROCS(0)
	var checked atomic.Int64
	before, err := ownTime()
	if err != nil {
		return err
	}
	began := time.Now()
	until := began.Add(s.config.Duration)
	var group errgroup.Group
	for range cores {
		group.Go(func() error {
			const atOnce = 100
			for time.Now().Before(until) {
				for range atOnce {
					if err := one(); err != nil {
						return err
					}
				}
				checked.Add(atOnce)
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("checking a key: %w", err)
	}
	took := time.Since(began)
	after, err := ownTime()
	if err != nil {
		return err
	}
	each := (after - before) / time.Duration(checked.Load())
	s.recordValue(keyCheck, float64(each)/float64(time.Microsecond))
	report(keyCheck, sample{seconds: took.Seconds(), count: int(checked.Load()), latencies: []time.Duration{each}})
	return nil
}
