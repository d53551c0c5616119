package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/webhook"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	webhookLatency = "webhooks/latency"
	alertLatency   = "alerts/latency"
)

// loopback is where the receiver is.
var loopback = netip.MustParsePrefix("127.0.0.0/8")

const (
	// announcers work at a time, each every announcedEach: a hundred a second. webhookPatience is how long the last of it may take.
	announcers      = 10
	announcedEach   = 100 * time.Millisecond
	webhookPatience = 30 * time.Second
)

func webhookRows() []rowKind {
	latency := func(name, what, of string) rowKind {
		return rowKind{
			name: name, what: what, unit: "ms", atMost: 1000, needs: []string{of},
			value: func(f figures, _ *stage) (float64, string) {
				return f[of].P99, fmt.Sprintf("p50 %.1f ms, the longest %.1f ms", f[of].P50, f[of].Longest)
			},
		}
	}
	return []rowKind{
		latency("webhook-latency", "from the commit of what a webhook is told to its request, at 100 a second: 99 of 100", webhookLatency),
		latency("alert-latency", "from the answer to an append that crosses an alert's threshold to the webhook's request, "+
			"at 100 crossings a second: 99 of 100", alertLatency),
	}
}

func webhookPhase() phase {
	return phase{measurements: []measurement{
		{names: []string{webhookLatency}, run: announceSteadily},
		{names: []string{alertLatency}, run: crossSteadily},
	}}
}

// receiver notes when what has a key arrives.
type receiver struct {
	*httptest.Server
	arrived chan arrival
}

type arrival struct {
	key string
	at  time.Time
}

// message is as much of what a webhook is told as is of interest.
type message struct {
	Log  string
	Data json.RawMessage
}

func newReceiver(key func(message) string) *receiver {
	r := &receiver{arrived: make(chan arrival, 100_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		at := time.Now()
		var m message
		if json.NewDecoder(q.Body).Decode(&m) == nil {
			r.arrived <- arrival{key(m), at}
		}
	}))
	return r
}

// steadily does the work at a steady pace, and notes when each is done.
func (r *receiver) steadily(ctx context.Context, count int, work func(number int) error) (done []time.Time, took time.Duration, err error) {
	done = make([]time.Time, count)
	began := time.Now()
	var group errgroup.Group
	for first := range announcers {
		group.Go(func() error {
			for i := range (count + announcers - 1 - first) / announcers {
				<-time.After(time.Until(began.Add(time.Duration(i)*announcedEach + time.Duration(first)*announcedEach/announcers)))
				number := i*announcers + first
				if err := errors.Join(ctx.Err(), work(number)); err != nil {
					return err
				}
				done[number] = time.Now()
			}
			return nil
		})
	}
	err = group.Wait()
	return done, time.Since(began), err
}

// latencies waits until everything has arrived, once at least.
func (r *receiver) latencies(ctx context.Context, done map[string]time.Time) (result sample, err error) {
	seen := map[string]bool{}
	for timeout := time.After(webhookPatience); len(seen) < len(done); {
		select {
		case a := <-r.arrived:
			if at, ours := done[a.key]; ours && !seen[a.key] {
				seen[a.key] = true
				result.count++
				result.latencies = append(result.latencies, max(a.at.Sub(at), 0))
			}
		case <-timeout:
			return result, fmt.Errorf("%d of %d webhooks arrived", len(seen), len(done))
		case <-ctx.Done():
			return result, ctx.Err()
		}
	}
	slices.Sort(result.latencies)
	return result, nil
}

// crossings is how many there are in a measurement.
func (s *stage) crossings() int { return announcers * max(int(s.config.Duration/announcedEach), 1) }

// announceSteadily announces, in a transaction each, to a receiver in this process; the server delivers.
func announceSteadily(ctx context.Context, s *stage, report reporter) (err error) {
	to := newReceiver(func(m message) string { return string(m.Data) })
	defer to.Close()
	d, err := db.Open(ctx, db.Config{URL: s.database, ReadConns: announcers})
	if err != nil {
		return err
	}
	defer d.Close()
	config := webhook.DefaultConfig()
	config.Allow = []netip.Prefix{loopback}
	w, err := webhook.New(d, config)
	if err != nil {
		return err
	}
	by, types := access.Actor{Name: "bench"}, []string{webhook.AlertFired}
	made, _, err := w.Create(ctx, by, db.DefaultTenant, webhook.Settings{URL: &to.URL, Types: &types})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Delete(context.WithoutCancel(ctx), by, db.DefaultTenant, made.ID)) }()

	committed, took, err := to.steadily(ctx, s.crossings(), func(number int) error {
		e := webhook.Event{Type: webhook.AlertFired, Data: []byte(strconv.Itoa(number))}
		return d.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return w.Announce(ctx, tx, db.DefaultTenant, e) })
	})
	if err != nil {
		return fmt.Errorf("announcing: %w", err)
	}
	done := map[string]time.Time{}
	for number, at := range committed {
		done[strconv.Itoa(number)] = at
	}
	result, err := to.latencies(ctx, done)
	result.seconds = took.Seconds()
	report(webhookLatency, result)
	return err
}

// crossSteadily appends the first event to one log after the other, each of which crosses the threshold of an alert.
func crossSteadily(ctx context.Context, s *stage, report reporter) (err error) {
	to := newReceiver(func(m message) string { return m.Log })
	defer to.Close()
	sdk, err := newClient(s.server.address, "", requestTimeout)
	if err != nil {
		return err
	}
	set := logs{fmt.Sprintf("alerted-%d", time.Now().UnixNano()), s.crossings()}
	deployment := api.Deployment{Ready: "meter", Config: []byte(`{"aggregations":["count"]}`)}
	if _, err := sdk.DeployViewPattern(ctx, set.prefix, deployment, &api.DeployViewPatternOptions{Logs: set.prefix + "-*"}); err != nil {
		return fmt.Errorf("deploying meter: %w", err)
	}
	if err := s.each(ctx, set, func(c *client, _ *generator, i int) error {
		_, err := c.do("POST", "/logs", "", []byte(`{"name":"`+set.name(i)+`"}`))
		return err
	}); err != nil {
		return fmt.Errorf("creating a log that an alert covers: %w", err)
	}
	hook, err := sdk.CreateWebhook(ctx, api.NewWebhook{URL: to.URL, Types: []string{webhook.AlertFired}})
	if err != nil {
		return fmt.Errorf("creating a webhook: %w", err)
	}
	defer func() { err = errors.Join(err, sdk.DeleteWebhook(context.WithoutCancel(ctx), hook.WebhookID)) }()
	alert := fmt.Sprintf(`{"logs":"%s-*","view":%q,"value":"/rows/0/count","absent":0,"thresholds":["1"]}`, set.prefix, set.prefix)
	if _, err := sdk.PutAlert(ctx, set.prefix, alert); err != nil {
		return fmt.Errorf("putting an alert: %w", err)
	}
	defer func() { err = errors.Join(err, sdk.DeleteAlert(context.WithoutCancel(ctx), set.prefix)) }()
	for spreading := true; spreading; {
		status, err := sdk.GetAlert(ctx, set.prefix, nil)
		if err != nil {
			return fmt.Errorf("waiting for an alert to cover its logs: %w", err)
		}
		if spreading = status.Spreading; spreading {
			<-time.After(announcedEach)
		}
	}
	appended, took, err := to.steadily(ctx, set.count, func(number int) error {
		_, err := sdk.AppendEvent(ctx, set.name(number), map[string]any{"n": number}, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("crossing a threshold: %w", err)
	}
	done := map[string]time.Time{}
	for number, at := range appended {
		done[set.name(number)] = at
	}
	result, err := to.latencies(ctx, done)
	result.seconds = took.Seconds()
	report(alertLatency, result)
	return err
}
