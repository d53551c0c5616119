package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/postgres"
)

const (
	// brokerHeap and the other flags are those of Kafka's start script.
	brokerHeap = "1g"
	// brokerTimeout bounds the start of each process of the pipeline, and its graceful stop.
	brokerTimeout = 2 * time.Minute
	// countTimeout bounds waiting until the consumer has counted everything. Kafka accepts batches five times as fast as they are counted.
	countTimeout = 5 * time.Minute
	countPoll    = 5 * time.Millisecond
	// clusterID is arbitrary: the broker is temporary.
	clusterID = "dGFsbHktYmVuY2gta2Fma2E"
)

const brokerSettings = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[2]s
listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=%[3]s
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.ms=-1
`

// pipeline is the usual architecture: a service in front of Kafka, and a consumer that counts in a PostgreSQL of its own.
type pipeline struct {
	postgres *postgres.Server
	conn     *pgx.Conn // reads how far the consumer has counted
	broker   *process
	lanes    map[string]*pipelineLane // by the names of their measurements
}

// pipelineLane is one topic, with its producer and consumer.
type pipelineLane struct {
	*pipeline
	topic            string
	ingest, consumer *process
	address          string // of ingest
	acknowledged     int64  // events, so far
}

// pipelineLanes are the two configurations of the pipeline, each tuned: gathering, with Kafka's defaults, waits for more events and
// acknowledges from memory; durable flushes before it acknowledges, and counts at once, since flushes gather events anyway.
var pipelineLanes = []struct {
	name            string // of its measurements, up to the load
	topic           string
	ingest, consume []string
}{
	{
		name: kafkaGathering, topic: "gathering", ingest: []string{"--linger", "5ms"},
		consume: []string{"--every", "100ms", "--records", "20000"},
	},
	{name: kafkaDurable, topic: "durable", ingest: []string{"--flush"}, consume: []string{"--records", "20000"}},
}

// startPipeline runs the pipeline in the temporary folder, from the folder that make bench-kafka made: Kafka's jars in lib, and the program
// kafka. It ends with the stage.
func (s *stage) startPipeline(ctx context.Context) (err error) {
	if s.postgres == nil {
		return errors.New("the Kafka pipeline is compared on a PostgreSQL of the bench's own: leave --database-url out")
	}
	p := &pipeline{lanes: map[string]*pipelineLane{}}
	options := postgres.Options{DataDir: filepath.Join(s.folder, "pipeline-postgres"), Database: "pipeline", Log: s.config.Log}
	if options.Binaries, err = s.binaries(ctx); err != nil {
		return err
	}
	if p.postgres, err = postgres.Start(ctx, options); err != nil {
		return err
	}
	s.cleanup(p.postgres.Stop)
	if p.conn, err = pgx.Connect(ctx, p.postgres.DSN()); err != nil {
		return fmt.Errorf("connecting to the pipeline's PostgreSQL: %w", err)
	}
	s.cleanup(p.conn.Close)
	address, err := s.startBroker(ctx, p)
	if err != nil {
		return err
	}
	program := filepath.Join(s.config.Pipeline, "kafka")
	for _, settings := range pipelineLanes {
		l := &pipelineLane{pipeline: p, topic: settings.topic}
		ends := []string{"--broker", address, "--topic", settings.topic}
		var ready string
		ingest := append([]string{"ingest"}, ends...)
		if l.ingest, ready, err = s.startProcess(ctx, program, append(ingest, settings.ingest...)); err != nil {
			return err
		}
		l.address = strings.TrimPrefix(ready, "ready ")
		consume := append([]string{"consume", "--database", p.postgres.DSN()}, ends...)
		if l.consumer, _, err = s.startProcess(ctx, program, append(consume, settings.consume...)); err != nil {
			return err
		}
		p.lanes[settings.name] = l
	}
	s.pipeline = p
	return nil
}

func (s *stage) startBroker(ctx context.Context, p *pipeline) (address string, err error) {
	var (
		ports     [2]string
		listeners []net.Listener
	)
	for i := range ports { // both at a time, so that they differ
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		ports[i] = listener.Addr().String()
		defer listener.Close() //nolint:errcheck // it is closed below
		listeners = append(listeners, listener)
	}
	for _, listener := range listeners {
		_ = listener.Close()
	}
	folder := filepath.Join(s.folder, "kafka")
	settings := filepath.Join(s.folder, "server.properties")
	if err := os.WriteFile(settings, fmt.Appendf(nil, brokerSettings, ports[0], ports[1], folder), 0o600); err != nil {
		return "", err
	}
	jars := filepath.Join(s.config.Pipeline, "lib", "*")
	arguments := []string{"-cp", jars, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", settings}
	format := exec.CommandContext(ctx, "java", arguments...) //nolint:gosec // our own arguments
	if output, err := format.CombinedOutput(); err != nil {
		return "", fmt.Errorf("formatting Kafka's storage (it needs java, and what make bench-kafka fetches): %w: %s",
			err, bytes.TrimSpace(output))
	}
	p.broker, _, err = s.startProcess(ctx, "java", []string{
		"-Xms" + brokerHeap, "-Xmx" + brokerHeap, "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
		"-XX:InitiatingHeapOccupancyPercent=35",
		"-XX:+ExplicitGCInvokesConcurrent", "-cp", jars, "kafka.Kafka", settings,
	})
	return ports[0], err
}

// process is a process of the pipeline.
type process struct {
	cmd    *exec.Cmd
	done   chan struct{}
	stderr bytes.Buffer
}

// startProcess runs a program until the stage ends. Our own programs print a line when they are ready: it waits for that and returns it.
func (s *stage) startProcess(ctx context.Context, program string, args []string) (p *process, ready string, err error) {
	p = &process{cmd: exec.CommandContext(ctx, program, args...), done: make(chan struct{})} //nolint:gosec // our own arguments
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = brokerTimeout
	p.cmd.Stderr = &p.stderr
	lines := make(chan string, 1)
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("starting the Kafka pipeline: %w", err)
	}
	s.cleanup(func(context.Context) error { p.stop(); return nil })
	go func() {
		defer close(p.done)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			default:
			}
		}
		_ = p.cmd.Wait()
	}()
	if program == "java" { // clients wait for it
		return p, "", nil
	}
	timeout := time.NewTimer(brokerTimeout)
	defer timeout.Stop()
	select {
	case ready = <-lines:
		return p, ready, nil
	case <-p.done:
		return nil, "", fmt.Errorf("%s %s ended: %s", program, args[0], bytes.TrimSpace(p.stderr.Bytes()))
	case <-timeout.C:
		return nil, "", fmt.Errorf("%s %s was not ready after %v", program, args[0], brokerTimeout)
	}
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(serverTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// counted waits until everything that was acknowledged is counted, including this number of further events.
func (l *pipelineLane) counted(ctx context.Context, events int) error {
	l.acknowledged += int64(events)
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	poll := time.NewTicker(countPoll)
	defer poll.Stop()
	for {
		var next int64
		row := l.conn.QueryRow(ctx, "SELECT coalesce(sum(next), 0)::bigint FROM offsets WHERE topic = $1", l.topic)
		if err := row.Scan(&next); err != nil {
			return fmt.Errorf("looking how far the consumer is: %w", err)
		}
		if next >= l.acknowledged {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the consumer has counted %d of %d events: %w", next, l.acknowledged, ctx.Err())
		case <-l.consumer.done:
			return fmt.Errorf("the consumer ended: %s", bytes.TrimSpace(l.consumer.stderr.Bytes()))
		case <-poll.C:
		}
	}
}

// usage returns what the pipeline has used so far: Kafka, producer and consumer, and PostgreSQL.
func (l *pipelineLane) usage() (u usage, ok bool) {
	for _, p := range []*process{l.broker, l.ingest, l.consumer} {
		used, ok := processorTime(strconv.Itoa(p.cmd.Process.Pid), false)
		if !ok {
			return u, false
		}
		u.server += used
	}
	if u.postgres, ok = treeTime(l.postgres.PID()); !ok {
		return u, false
	}
	u.load, ok = processorTime("self", false)
	return u, ok
}
