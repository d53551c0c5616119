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
)

const webhookLatency = "webhooks/latency"

// loopback is where the receiver is.
var loopback = netip.MustParsePrefix("127.0.0.0/8")

const (
	// announcers announce at a time, each every announcedEach: a hundred a second. webhookPatience is how long the last of it may take.
	announcers      = 10
	announcedEach   = 100 * time.Millisecond
	webhookPatience = 30 * time.Second
)

func webhookRows() []rowKind {
	return []rowKind{{
		name: "webhook-latency",
		what: "from the commit of what a webhook is told to its request, at 100 a second: 99 of 100",
		unit: "ms", atMost: 1000, needs: []string{webhookLatency},
		value: func(f figures, _ *stage) (float64, string) {
			return f[webhookLatency].P99, fmt.Sprintf("p50 %.1f ms, the longest %.1f ms", f[webhookLatency].P50, f[webhookLatency].Longest)
		},
	}}
}

func webhookPhase() phase {
	return phase{measurements: []measurement{{names: []string{webhookLatency}, run: announceSteadily}}}
}

// announceSteadily announces at a steady pace, in a transaction each, to a receiver in this process; the server delivers.
func announceSteadily(ctx context.Context, s *stage, report reporter) (err error) {
	type arrival struct {
		number int
		at     time.Time
	}
	arrived := make(chan arrival, 100_000)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		var message struct{ Data int }
		if json.NewDecoder(r.Body).Decode(&message) == nil {
			arrived <- arrival{message.Data, at}
		}
	}))
	defer receiver.Close()
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
	to, _, err := w.Create(ctx, by, db.DefaultTenant, webhook.Settings{URL: &receiver.URL, Types: &types})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Delete(context.WithoutCancel(ctx), by, db.DefaultTenant, to.ID)) }()

	each := max(int(s.config.Duration/announcedEach), 1)
	committed := make([]time.Time, announcers*each)
	began := time.Now()
	var group errgroup.Group
	for first := range announcers {
		group.Go(func() error {
			for i := range each {
				<-time.After(time.Until(began.Add(time.Duration(i)*announcedEach + time.Duration(first)*announcedEach/announcers)))
				number := first*each + i
				e := webhook.Event{Type: webhook.AlertFired, Data: []byte(strconv.Itoa(number))}
				err := d.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return w.Announce(ctx, tx, db.DefaultTenant, e) })
				if err != nil {
					return err
				}
				committed[number] = time.Now()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("announcing: %w", err)
	}
	result := sample{seconds: time.Since(began).Seconds()}
	seen := map[int]bool{}
	for timeout := time.After(webhookPatience); len(seen) < len(committed); {
		select {
		case a := <-arrived:
			if !seen[a.number] {
				seen[a.number] = true
				result.count++
				result.latencies = append(result.latencies, max(a.at.Sub(committed[a.number]), 0))
			}
		case <-timeout:
			return fmt.Errorf("%d of %d webhooks arrived", len(seen), len(committed))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	slices.Sort(result.latencies)
	report(webhookLatency, result)
	return nil
}
