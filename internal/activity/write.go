package activity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

// write writes the interval that is over, in one statement for all tenants. Whether it can or not, nothing is left to be written.
func (a *Activity) write(ctx context.Context) error {
	a.mu.RLock()
	over := a.writing
	a.mu.RUnlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.writing = interval{}
	}()
	if len(over.tenants) == 0 {
		return nil
	}
	params := dbsqlc.InsertActivityParams{At: over.at, ServerID: a.server}
	for tenant, c := range over.tenants {
		row, err := c.row()
		if err != nil {
			return err
		}
		params.TenantIds = append(params.TenantIds, tenant)
		params.Events, params.Appends = append(params.Events, row.events), append(params.Appends, row.appends)
		params.Latencies, params.Refusals = append(params.Latencies, row.latencies), append(params.Refusals, row.refusals)
	}
	ctx, cancel := context.WithTimeout(ctx, WriteTimeout)
	defer cancel()
	if err := a.db.InsertActivity(ctx, a.db.Read, params); err != nil {
		return fmt.Errorf("writing what tenants did: %w", db.Classify(err))
	}
	return nil
}

type row struct {
	events, appends     int64
	latencies, refusals string
}

// row is called when nobody counts any more.
func (c *counts) row() (row, error) {
	pairs := []byte{'{'}
	for bucket := range c.latencies {
		if n := c.latencies[bucket].Load(); n > 0 {
			if len(pairs) > 1 {
				pairs = append(pairs, ',')
			}
			pairs = strconv.AppendInt(pairs, int64(bucket), 10)
			pairs = append(pairs, ',')
			pairs = strconv.AppendInt(pairs, int64(n), 10)
		}
	}
	refusals, err := json.Marshal(c.codes())
	if err != nil {
		return row{}, fmt.Errorf("encoding codes of refusals: %w", err)
	}
	return row{c.events.Load(), c.appends.Load(), string(append(pairs, '}')), string(refusals)}, nil
}

func (c *counts) codes() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusals == nil {
		return map[string]int64{}
	}
	return maps.Clone(c.refusals)
}

// drop drops old rows.
func (a *Activity) drop(ctx context.Context) error {
	for full := true; full; {
		within, cancel := context.WithTimeout(ctx, WriteTimeout)
		dropped, err := a.db.DropActivity(within, a.db.Read, dbsqlc.DropActivityParams{
			Before: a.config.Now().Add(-retention), MaxRows: maxDropped,
		})
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded): // it goes on in a minute
			return nil
		case err != nil:
			return fmt.Errorf("dropping what tenants did an hour ago: %w", db.Classify(err))
		}
		full = dropped == maxDropped
	}
	return nil
}

// lateBy is how long after its end an interval may still grow, by what a server writes of it.
const lateBy = WriteTimeout + time.Second
