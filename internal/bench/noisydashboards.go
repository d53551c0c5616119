package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// openDashboards are the tabs that people keep open.
	openDashboards = 40
	// dashboardQuestion is what a tab asks of the meter whose answer it follows.
	dashboardQuestion = "window=day"
)

// dashboards is the noise of open dashboards. Each tab does what the overview does and what a log's page does besides, while events come.
func dashboards() noise {
	return noise{
		name:    "dashboards",
		what:    "40 open tabs of the dashboard, each with the overview and the page of a log that takes 20 events a second",
		clients: openDashboards,
		prepare: func(ctx context.Context, n *noisy) error {
			meter := api.Deployment{Ready: "meter", Config: []byte(`{"value":"/n","aggregations":["sum","count"],"group_by":{"m":"/m"}}`)}
			_, err := n.client.DeployView(ctx, n.log, noisyView, meter)
			return err
		},
		once: lookOn,
		beside: func(ctx context.Context, n *noisy) error {
			return each(ctx, 50*time.Millisecond, func(time.Time) error {
				_, err := n.client.AppendEvent(ctx, n.log, []byte(`{"type":"call","n":3,"m":"small"}`), nil)
				return err
			})
		},
		open: func(ctx context.Context, n *noisy) error { // all that tabs ask for is answered
			c, err := dial(ctx, n.stage.server.address)
			if err != nil {
				return err
			}
			defer c.close()
			return n.ask(c, "/logs/"+n.log, 0)
		},
	}
}

// lookOn is one tab until ctx ends: two streams, and what its pages ask for again and again.
func lookOn(ctx context.Context, n *noisy, tab int) error {
	select { // tabs are not opened at once
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(tab) * 50 * time.Millisecond):
	}
	address, log := n.stage.server.address, "/logs/"+n.log
	group, open := errgroup.WithContext(ctx)
	for _, stream := range []string{log + "/tail", log + "/views/" + noisyView + "/live?" + dashboardQuestion} {
		group.Go(func() error {
			w, err := watch(open, address, stream)
			if err != nil {
				return err
			}
			for w.lines.Scan() { // until the tab is closed
			}
			return fmt.Errorf("the stream %s ended: %w", stream, errors.Join(open.Err(), w.lines.Err()))
		})
	}
	group.Go(func() error {
		c, err := dial(open, address)
		if err != nil {
			return err
		}
		defer c.close()
		if err := n.ask(c, log, 0); err != nil { // a page asks for everything at first
			return err
		}
		second := 0
		return each(open, time.Second, func(time.Time) error {
			second++
			return n.ask(c, log, second)
		})
	})
	err := group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// ask sends what the pages ask for in a second after they were opened: internal/dashboard/app has how often.
func (n *noisy) ask(c *client, log string, second int) error {
	var paths []string
	if second%2 == 0 {
		paths = append(paths, "/activity?minutes=15", "/view-states?status=halted,building&limit=10", "/logs?sort=activity&limit=8", log)
	}
	if second%3 == 0 {
		paths = append(paths, "/alerts?limit=100", log+"/views")
	}
	for _, path := range paths {
		if _, err := c.do(http.MethodGet, path, "", nil); err != nil {
			return err
		}
	}
	return nil
}
