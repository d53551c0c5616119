// Command kafka is what careful teams build to meter usage: an HTTP service that hands events to Kafka, and a consumer that counts them
// in PostgreSQL. `make bench-kafka` measures it beside Tallystick; docs/compared-with-kafka.md explains how.
//
//	kafka ingest --broker HOST:PORT --topic NAME [--flush] [--linger 5ms]
//	kafka consume --broker HOST:PORT --topic NAME --database URL [--every 100ms] [--records 20000]
//
// Each prints a line that begins with "ready" once it works, and ends on SIGINT.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// partitions of a topic; a log's events are all in one, in their order.
	partitions = 4
	// startPatience bounds waiting for a broker that is starting.
	startPatience = 90 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say what to run: ingest or consume")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	broker := flags.String("broker", "", "host:port of Kafka")
	topic := flags.String("topic", "", "topic of the events")
	switch args[0] {
	case "ingest":
		flush := flags.Bool("flush", false, "have the topic made so that a record is flushed to disk before it is acknowledged")
		linger := flags.Duration("linger", 0, "how long a record may wait for others")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return ingest(ctx, *broker, *topic, *flush, *linger)
	case "consume":
		database := flags.String("database", "", "PostgreSQL's URL")
		every := flags.Duration("every", 0, "least time from one transaction to the next")
		records := flags.Int("records", 5000, "most records of one transaction")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return consume(ctx, *broker, *topic, *database, *every, *records)
	default:
		return fmt.Errorf("%s is neither ingest nor consume", args[0])
	}
}

// reach waits until the broker answers.
func reach(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		err := client.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for Kafka: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
