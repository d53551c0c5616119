package bench

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	api "github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

const (
	coldLog     = "cold-"
	coldLogs    = 1024
	coldClients = 128
	// coldValues of 63 KiB are what is held of a state at most.
	coldValues = 15
	// dataBytesAt is where an event says how long it is.
	dataBytesAt = 28
)

// coldStates is logs whose states together are as large as the server's limit, appended to and asked at once by a server that knows nothing
// of them, nor can keep all of them in memory.
var coldStates = memoryAttackKind{
	name: "states", clients: coldClients, anew: true, prepare: largeStates,
	run: func(ctx context.Context, a *memoryAttackers, client int) error { return a.cold(ctx, client) },
}

// largeStates makes the logs, with a view that sets a large state for every event but an empty one.
func largeStates(ctx context.Context, c *api.Client, quick bool) error {
	length := code(opWith(wasmbin.OpLocalGet, 0), op(wasmbin.OpI32Load), unsigned(2), unsigned(dataBytesAt))
	long := code(length, opConst(int64(len("{}"))), op(wasmbin.OpI32Sub))
	module := writing(coldValues, long)
	if _, err := c.DeployPattern(ctx, coldLog+"*", hostileView, api.Deployment{Module: module.encode()}); err != nil {
		return err
	}
	var making errgroup.Group
	making.SetLimit(8)
	for i := range coldCount(quick) {
		making.Go(func() error {
			log := coldLog + strconv.Itoa(i)
			if err := c.CreateLog(ctx, log, nil); err != nil {
				return err
			}
			_, err := c.AppendBatch(ctx, log, strings.NewReader("{\"long\":true}\n"))
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

// cold appends to logs that are far from each other, and asks each twice, which has a server that does not know it load it.
func (a *memoryAttackers) cold(ctx context.Context, client int) error {
	conn, err := dial(ctx, a.address)
	if err != nil {
		return ended(ctx, err)
	}
	defer conn.close()
	for i := client; ctx.Err() == nil; i += coldClients {
		log := "/logs/" + coldLog + strconv.Itoa(i%coldCount(a.quick))
		for _, request := range [][]byte{
			appendRequest(nil, http.MethodPost, log+"/append", "", []byte("{}")),
			appendRequest(nil, http.MethodGet, log+"/views/"+hostileView+"/query", "", nil),
			appendRequest(nil, http.MethodGet, log+"/views/"+hostileView+"/query", "", nil),
		} {
			if _, err := conn.conn.Write(request); err != nil {
				return ended(ctx, err)
			}
			status, err := conn.read()
			if err != nil {
				return ended(ctx, err)
			}
			if a.answered.Add(1); status >= http.StatusBadRequest {
				a.refused.Add(1)
			}
		}
	}
	return nil
}
