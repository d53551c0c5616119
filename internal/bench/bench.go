// Package bench compares Tallystick with the alternatives on the same PostgreSQL and the same machine: bare COPY, and the SQL that people
// write by hand. docs/benchmarks.md explains the rows and how to read them.
//
// This process generates the load and times it; the server and PostgreSQL are its child processes. Rounds are interleaved, and medians
// are reported.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"time"
)

// closeTimeout bounds the cleanup after a run.
const closeTimeout = 2 * time.Minute

// Config selects what to measure, where and for how long.
type Config struct {
	Program     string        // the tally executable, to run the server with
	Version     string        // of Program, for the report
	Rows        []string      // some of RowNames; empty for all
	Duration    time.Duration // of one measurement in one round
	Rounds      int
	Quick       bool   // a smoke run: small sizes, bars not checked
	DataDir     string // parent of the temporary folder; "" for the system's
	PostgresBin string // folder of the server binaries; "" to find them
	DatabaseURL string // an existing server; "" to start one
	Pipeline    string // folder of the Kafka pipeline: measure its rows and no others; "" for none
	Progress    io.Writer
	Log         *slog.Logger
}

// Defaults of a full run and of a quick one.
const (
	DefaultDuration = 5 * time.Second
	DefaultRounds   = 3
	QuickDuration   = 300 * time.Millisecond
	QuickRounds     = 1
)

// Validate returns an error for the first invalid setting.
func (c *Config) Validate() error {
	if c.Duration < 100*time.Millisecond || c.Duration > time.Minute {
		return fmt.Errorf("--duration must be from 100ms to 1m; it is %v", c.Duration)
	}
	if c.Rounds < 1 || c.Rounds > 100 {
		return fmt.Errorf("--rounds must be from 1 to 100; it is %d", c.Rounds)
	}
	_, err := selectRows(c.Rows, c.Pipeline != "")
	return err
}

// scale holds the sizes of a run.
type scale struct{ manyLogs, smallHistory, largeHistory, memoryLogs, watchers int }

func (c *Config) scale() scale {
	if c.Quick {
		return scale{manyLogs: 100, smallHistory: 1000, largeHistory: 20_000, memoryLogs: 200, watchers: 50}
	}
	return scale{manyLogs: 1000, smallHistory: 10_000, largeHistory: 1_000_000, memoryLogs: 10_000, watchers: 1000}
}

// Report is the outcome of a run.
type Report struct {
	Date     time.Time `json:"date"`
	Version  string    `json:"version"`
	Machine  Machine   `json:"machine"`
	Seconds  float64   `json:"seconds_per_measurement"`
	Rounds   int       `json:"rounds"`
	Took     float64   `json:"run_seconds"`
	Quick    bool      `json:"quick"`
	Rows     []Row     `json:"rows"`
	Measured []Figure  `json:"measurements"`
}

// Machine describes the machine that the run was on.
type Machine struct {
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes,omitempty"` // 0 where unknown
	System      string `json:"system"`
	Go          string `json:"go"`
	PostgreSQL  string `json:"postgresql"`
	OwnServer   bool   `json:"own_postgresql"` // started by the run, with the settings of tally dev
}

// Run measures the rows of config. When it returns, everything that it started has been stopped and removed.
func Run(ctx context.Context, config Config) (_ *Report, err error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	rows, err := selectRows(config.Rows, config.Pipeline != "")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var needed []string
	for _, row := range rows {
		needed = append(needed, row.needs...)
	}
	s, err := newStage(ctx, config)
	defer func() {
		if ctx.Err() != nil { // the likely cause of any other error
			err = fmt.Errorf("stopped before the end: %w", ctx.Err())
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, s.close(ctx))
	}()
	if err != nil {
		return nil, err
	}
	var recorded recorder
	for _, phase := range phases() {
		if err := phase.run(ctx, s, needed, &recorded); err != nil {
			return nil, err
		}
	}
	report := s.report(rows, &recorded)
	report.Took = time.Since(began).Seconds()
	return report, nil
}

// run takes those measurements of the phase that are needed.
func (p *phase) run(ctx context.Context, s *stage, needed []string, recorded *recorder) error {
	measurements := slices.DeleteFunc(p.measurements, func(m measurement) bool {
		return !slices.ContainsFunc(m.names, func(name string) bool { return slices.Contains(needed, name) })
	})
	if len(measurements) == 0 {
		return nil
	}
	rounds := s.config.Rounds
	if p.once {
		rounds = 1
	}
	round := 0
	report := func(name string, result sample) {
		recorded.add(name, result)
		fmt.Fprintf(s.config.Progress, "%d/%d  %-26s %12s/s  p50 %9.3f ms  p99 %9.3f ms\n", round, rounds, name, count(result.perSecond()),
			milliseconds(result.quantile(0.50)), milliseconds(result.quantile(0.99)))
	}
	if p.prepare != nil {
		if err := p.prepare(ctx, s, report); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	for _, m := range measurements {
		if m.on != nil {
			if err := s.ensureLogs(ctx, m.on(s)); err != nil {
				return fmt.Errorf("preparing: %w", err)
			}
		}
	}
	for round = 1; round <= rounds; round++ {
		for _, m := range measurements {
			if err := m.run(ctx, s, report); err != nil {
				return fmt.Errorf("measuring %s: %w", m.names[0], err)
			}
		}
	}
	return nil
}

func (s *stage) report(rows []rowKind, recorded *recorder) *Report {
	r := &Report{
		Date: time.Now().UTC().Truncate(time.Second), Version: s.config.Version,
		Seconds: s.config.Duration.Seconds(), Rounds: s.config.Rounds, Quick: s.config.Quick,
		Machine: Machine{
			Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
			PostgreSQL: s.version, OwnServer: s.postgres != nil,
		},
		Measured: recorded.figures(),
	}
	if kib, err := procField("/proc/meminfo", "MemTotal:"); err == nil {
		r.Machine.MemoryBytes = kib << 10
	}
	named := figures{}
	for _, f := range r.Measured {
		named[f.Name] = f
	}
	for _, kind := range rows {
		r.Rows = append(r.Rows, kind.row(named, s))
	}
	return r
}
