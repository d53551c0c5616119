package bench

import (
	"context"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/wasmbin"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	coldLog     = "cold-"
	coldLogs    = 1024
	coldClients = 128
	// coldValues of 63 KiB each are the most that a server caches of a state.
	coldValues = 15
	// dataBytesAt is the offset of an event's length.
	dataBytesAt = 28
)

// coldStates appends to and queries logs whose states together are as large as the server's limit, on a server that has just started and
// cannot cache all of them.
var coldStates = memoryAttackKind{
	name: "states", clients: coldClients, restart: true, prepare: largeStates,
	run: func(ctx context.Context, a *memoryAttackers, client int) error { return a.cold(ctx, client) },
}

// largeStates creates the logs, with a view that sets a large state for every event that is not empty.
func largeStates(ctx context.Context, c *api.Client, quick bool) error {
	length := code(opWith(wasmbin.OpLocalGet, 0), op(wasmbin.OpI32Load), unsigned(2), unsigned(dataBytesAt))
	long := code(length, opConst(int64(len("{}"))), op(wasmbin.OpI32Sub))
	module := writing(coldValues, long)
	uploaded, err := c.UploadModule(ctx, module.encode())
	if err != nil {
		return err
	}
	if _, err := c.DeployViewPattern(ctx, hostileView, api.Deployment{Module: uploaded.Module},
		&api.DeployViewPatternOptions{Logs: coldLog + "*"}); err != nil {
		return err
	}
	var making errgroup.Group
	making.SetLimit(8)
	for i := range coldCount(quick) {
		making.Go(func() error {
			log := coldLog + strconv.Itoa(i)
			if _, err := c.CreateLog(ctx, log, nil); err != nil {
				return err
			}
			_, err := c.AppendEvents(ctx, log, "{\"long\":true}\n", nil)
			return err
		})
	}
	return making.Wait()
}

func coldCount(quick bool) int {
	if quick {
		return coldLogs / 8
	}
	return coldLogs
}

// cold appends to logs that are far apart and queries each twice: a server loads the state of a log on its second query.
func (a *memoryAttackers) cold(ctx context.Context, client int) error {
	conn, err := dial(ctx, a.address)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer conn.close()
	for i := client; ctx.Err() == nil; i += coldClients {
		log := "/logs/" + coldLog + strconv.Itoa(i%coldCount(a.quick))
		for _, request := range [][]byte{
			appendRequest(nil, http.MethodPost, log+"/append", "", []byte("{}")),
			appendRequest(nil, http.MethodGet, log+"/views/"+hostileView+"/query", "", nil),
			appendRequest(nil, http.MethodGet, log+"/views/"+hostileView+"/query", "", nil),
		} {
			if err := a.exchange(conn, request); err != nil {
				return ignoreEnd(ctx, err)
			}
		}
	}
	return nil
}
