package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/webhook"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// stormLimits are those of the tenant that storms.
	stormLimits = `{"requests_per_second": 1000, "events_per_second": 1000}`
	// stormClients are its connections.
	stormClients = 256
	// maxTails is how many tails the other noisy tenant has open, where enough files may be open.
	maxTails = 10_000
	// spareFiles are left to whatever else has files open.
	spareFiles = 1000
)

// tenantNoises are those of another tenant.
func tenantNoises() []noise {
	return []noise{
		{
			name: "storm",
			what: "256 connections of another tenant that append without a rest, for a thousand of which a second it has limits",
			prepare: func(ctx context.Context, n *noisy) error {
				return n.otherTenant(ctx, "storm", stormLimits)
			},
			beside: storm,
			check: func(n *noisy) error {
				if n.refused.Load() == 0 {
					return errors.New("the storm was never refused")
				}
				return nil
			},
		}, {
			name: "slow-tenant",
			what: "16 clients of another tenant that append batches of 1,000 events to a log whose view takes 44 million units of gas " +
				"for each",
			clients: 16,
			prepare: func(ctx context.Context, n *noisy) error {
				if err := n.otherTenant(ctx, "slow", `{}`); err != nil {
					return err
				}
				_, err := n.other.DeployModule(ctx, n.log, noisyView, n.spinner(), api.Deployment{})
				return err
			},
			once: func(ctx context.Context, n *noisy, _ int) error {
				const events = 1000
				_, err := n.other.AppendEvents(ctx, n.log, strings.Repeat("{}\n", events), nil)
				return err
			},
		}, {
			name: "tails",
			what: "10,000 open tails of another tenant on a log that it appends to once a second",
			prepare: func(ctx context.Context, n *noisy) error {
				return n.otherTenant(ctx, "tails", `{}`)
			},
			open: openTails,
			beside: func(ctx context.Context, n *noisy) error {
				return each(ctx, time.Second, func(time.Time) error {
					_, err := n.other.AppendEvent(ctx, n.log, []byte(`{}`), nil)
					return err
				})
			},
		}, {
			name: "alerts",
			what: "100 alerts of another tenant on answers of 900 million units of gas of a log that it appends to ten times a second, " +
				"which fire at a webhook that never answers",
			prepare: prepareAlerts,
			open:    putAlerts,
			beside:  evaluateAlerts,
		},
	}
}

// prepareAlerts makes a log of another tenant with a view that is slow to answer, and a webhook to a receiver that never answers.
func prepareAlerts(ctx context.Context, n *noisy) error {
	if err := n.otherTenant(ctx, "alerts", `{}`); err != nil {
		return err
	}
	if _, err := n.other.DeployModule(ctx, n.log, noisyView, n.spinner(), api.Deployment{}); err != nil {
		return err
	}
	deaf, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(loopback.Addr().String(), "0"))
	if err != nil {
		return err
	}
	n.stage.cleanup(func(context.Context) error { return deaf.Close() })
	hook := api.NewWebhook{URL: "http://" + deaf.Addr().String(), Types: []string{webhook.AlertFired}}
	if _, err := n.other.CreateWebhook(ctx, hook); err != nil {
		return fmt.Errorf("creating a webhook: %w", err)
	}
	return nil
}

func nameOfAlert(i int) string { return fmt.Sprintf("alert-%d", i) }

// putAlerts puts as many alerts as a tenant may have.
func putAlerts(ctx context.Context, n *noisy) error {
	for i := range alert.MaxAlerts {
		put := fmt.Sprintf(`{"logs":%q,"view":%q,"question":{"client":"%d"},"value":"/answer","absent":%d,"thresholds":["50"]}`,
			n.log, noisyView, i, i)
		if _, err := n.other.PutAlert(ctx, nameOfAlert(i), put); err != nil {
			return fmt.Errorf("putting an alert: %w", err)
		}
	}
	return nil
}

// evaluateAlerts appends what has alerts evaluated until ctx ends, and removes them then.
func evaluateAlerts(ctx context.Context, n *noisy) error {
	err := each(ctx, 100*time.Millisecond, func(time.Time) error {
		_, err := n.other.AppendEvent(ctx, n.log, []byte(`{}`), nil)
		return err
	})
	for i := range alert.MaxAlerts { // the next round begins quietly
		var problem *api.Error
		if failed := n.other.DeleteAlert(context.WithoutCancel(ctx), nameOfAlert(i)); !errors.As(failed, &problem) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// otherTenant makes a tenant, unless it is there from the round before, and a log of it in the quiet log's lane.
func (n *noisy) otherTenant(ctx context.Context, name, limits string) error {
	c, err := dial(ctx, n.stage.server.address)
	if err != nil {
		return err
	}
	defer c.close()
	body := fmt.Appendf(nil, `{"name": %q, "limits": %s}`, name, limits)
	if err := c.send(appendRequest(nil, http.MethodPost, "/tenants", "", body)); err != nil {
		return err
	}
	if status, err := c.read(); err != nil || status != http.StatusCreated && status != http.StatusConflict {
		return fmt.Errorf("making a tenant: the server answered %d: %s (%w)", status, c.body, err)
	}
	n.headers = "Tally-Tenant: " + name + "\r\n"
	n.other, err = newClient(n.stage.server.address, name, noiseTimeout)
	if err != nil {
		return err
	}
	n.stage.cleanup(func(context.Context) error { n.other.Close(); return nil })
	n.refused.Store(0)
	return n.makeLogOf(ctx, n.other)
}

// storm appends on many connections, and takes no notice of what it is told.
func storm(ctx context.Context, n *noisy) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range stormClients {
		group.Go(func() error {
			c, err := dial(ctx, n.stage.server.address)
			if err != nil {
				return err
			}
			defer c.close()
			g := newGenerator(i)
			for ctx.Err() == nil {
				if err = c.send(appendRequest(nil, http.MethodPost, "/logs/"+n.log+"/append", n.headers, g.json(time.Now()))); err != nil {
					break
				}
				var status int
				if status, err = c.read(); err != nil {
					break
				}
				if status == http.StatusTooManyRequests {
					n.refused.Add(1)
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		})
	}
	return group.Wait()
}

// openTails opens tails, each read by a goroutine of its own until ctx ends.
func openTails(ctx context.Context, n *noisy) error {
	tails := maxTails
	if n.stage.config.Quick {
		tails = n.stage.config.scale().watchers
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil && files.Cur < maxTails+spareFiles {
		tails = min(tails, int(files.Cur)/2)
	}
	group, dialing := errgroup.WithContext(ctx)
	group.SetLimit(dialers)
	var open atomic.Int64
	for range tails {
		group.Go(func() error {
			if dialing.Err() != nil {
				return dialing.Err()
			}
			w, err := watchAs(ctx, n.stage.server.address, "/logs/"+n.log+"/tail", n.headers)
			if err != nil {
				return err
			}
			open.Add(1)
			go func() {
				for w.lines.Scan() { // until ctx ends it
				}
			}()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("opening %d tails, of which %d were open: %w", tails, open.Load(), err)
	}
	return nil
}
