package bench

import (
	"context"
	"fmt"
	"time"
)

// The measurements beside a Kafka pipeline: a prefix for each system, and a name for each load.
const (
	kafkaTally     = "kafka/tally/"
	kafkaGathering = "kafka/gathering/"
	kafkaDurable   = "kafka/durable/"
	kafkaMany      = "many-logs/256"
	kafkaOne       = "one-log/256"
	kafkaBatches   = "batches"
	behindSuffix   = " behind" // a value: seconds from the last response until everything was counted
)

// brokerWarmUp is how long each topic is written to before anything is measured: at first, Java interprets much of its code.
const brokerWarmUp = 15 * time.Second

// kafkaRows are the rows of a run with the pipeline.
func kafkaRows() []rowKind {
	compare := func(name, what, load, other string, atLeast float64) rowKind {
		return rowKind{
			name: name, what: what, unit: "×", atLeast: atLeast, needs: []string{kafkaTally + load, other + load},
			value: func(f figures, s *stage) (float64, string) {
				value, text := ratio(f[kafkaTally+load], f[other+load])
				lag := s.medianValue(other + load + behindSuffix)
				return value, text + fmt.Sprintf(", which had counted all %.1f s after its last answer", lag)
			},
		}
	}
	cost := func(name, what, load, other string, atMost float64) rowKind {
		return rowKind{
			name: name, what: what, unit: "×", atMost: atMost, needs: []string{kafkaTally + load, other + load},
			value: func(f figures, _ *stage) (float64, string) {
				ours, theirs := f[kafkaTally+load], f[other+load]
				if theirs.PostgresCPU == 0 {
					return 0, ""
				}
				return (ours.ServerCPU + ours.PostgresCPU) / (theirs.ServerCPU + theirs.PostgresCPU), fmt.Sprintf(
					"server %.1f and PostgreSQL %.1f µs ÷ Kafka, ingest and consumer %.1f and PostgreSQL %.1f µs",
					ours.ServerCPU, ours.PostgresCPU, theirs.ServerCPU, theirs.PostgresCPU)
			},
		}
	}
	return []rowKind{
		compare("kafka-many", "1,000 logs, 256 connections, ids ÷ the Kafka pipeline without fsync, until counted",
			kafkaMany, kafkaGathering, 0.9),
		compare("kafka-many-durable", "the same ÷ the pipeline with fsync before each answer", kafkaMany, kafkaDurable, 1.4),
		cost("kafka-many-cpu", "processor time an event there, all processes ÷ the pipeline's without fsync",
			kafkaMany, kafkaGathering, 1.2),
		cost("kafka-many-durable-cpu", "the same ÷ the pipeline's with fsync", kafkaMany, kafkaDurable, 0),
		compare("kafka-one", "one log, 256 connections, ids ÷ the pipeline without fsync", kafkaOne, kafkaGathering, 1),
		compare("kafka-one-durable", "the same ÷ the pipeline with fsync", kafkaOne, kafkaDurable, 0),
		cost("kafka-one-cpu", "processor time an event there ÷ the pipeline's without fsync", kafkaOne, kafkaGathering, 1.1),
		compare("kafka-batches", "batches of 1,000, ids ÷ the pipeline without fsync, until counted", kafkaBatches, kafkaGathering, 2),
		cost("kafka-batches-cpu", "processor time an event there ÷ the pipeline's", kafkaBatches, kafkaGathering, 0.8),
	}
}

// kafkaLoad is a load for both systems.
type kafkaLoad struct {
	name    string
	clients int
	on      func(s *stage) logs
	scripts func(set logs) scriptFactory
}

func kafkaPhase() phase {
	many := kafkaLoad{kafkaMany, maxClients, manyLogs, singleWithIDs}
	one := kafkaLoad{kafkaOne, maxClients, oneLog, singleWithIDs}
	batches := kafkaLoad{kafkaBatches, batchClients, manyLogs, batchedWithIDs}
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			if err := s.startPipeline(ctx); err != nil {
				return err
			}
			return s.warmPipeline(ctx)
		},
		measurements: []measurement{
			many.byTally(), many.byPipeline(kafkaGathering), many.byPipeline(kafkaDurable),
			one.byTally(), one.byPipeline(kafkaGathering), one.byPipeline(kafkaDurable),
			batches.byTally(), batches.byPipeline(kafkaGathering),
		},
	}
}

func (l kafkaLoad) byTally() measurement {
	name := kafkaTally + l.name
	return measurement{names: []string{name}, on: l.on, run: func(ctx context.Context, s *stage, report reporter) error {
		answeredIsCounted := func(context.Context, int) error { return nil }
		result, err := s.untilCounted(ctx, l.clients, s.flowWorkers(l.scripts(l.on(s))), s.usage, answeredIsCounted)
		if err == nil {
			report(name, result)
		}
		return err
	}}
}

// byPipeline measures on the topic with the prefix.
func (l kafkaLoad) byPipeline(prefix string) measurement {
	name := prefix + l.name
	return measurement{names: []string{name}, run: func(ctx context.Context, s *stage, report reporter) error {
		lane := s.pipeline.lanes[prefix]
		var waited time.Duration
		counted := func(ctx context.Context, events int) error {
			began := time.Now()
			err := lane.counted(ctx, events)
			waited = time.Since(began)
			return err
		}
		appends := flowWorkersAt(lane.address, l.scripts(l.on(s)))
		result, err := s.untilCounted(ctx, l.clients, appends, lane.usage, counted)
		if err == nil {
			s.recordValue(name+behindSuffix, waited.Seconds())
			report(name, result)
		}
		return err
	}}
}

// warmPipeline writes to each topic for a while.
func (s *stage) warmPipeline(ctx context.Context) error {
	window := brokerWarmUp
	if s.config.Quick {
		window = s.config.Duration
	}
	for _, lane := range s.pipeline.lanes {
		result, err := s.driveFor(ctx, maxClients, flowWorkersAt(lane.address, singleWithIDs(manyLogs(s))), window)
		if err != nil {
			return fmt.Errorf("warming the Kafka pipeline up: %w", err)
		}
		if err := lane.counted(ctx, result.count); err != nil {
			return err
		}
	}
	return nil
}

// untilCounted warms up, waits until that is counted, and drives the workers again. It measures from the first request until everything
// that was acknowledged is counted.
func (s *stage) untilCounted(
	ctx context.Context, n int, newWorker workerFactory,
	used func() (usage, bool), counted func(ctx context.Context, events int) error,
) (sample, error) {
	warmUp, err := s.driveFor(ctx, n, newWorker, min(s.config.Duration/warmUpPart, maxWarmUp))
	if err != nil {
		return sample{}, err
	}
	if err := counted(ctx, warmUp.count); err != nil {
		return sample{}, err
	}
	before, knownBefore := used()
	began := time.Now()
	result, err := s.driveFor(ctx, n, newWorker, s.config.Duration)
	if err != nil {
		return sample{}, err
	}
	if err := counted(ctx, result.count); err != nil {
		return sample{}, err
	}
	result.seconds = time.Since(began).Seconds()
	result.used = usage{}
	if after, ok := used(); knownBefore && ok {
		result.used = after.since(before)
	}
	return result, nil
}
