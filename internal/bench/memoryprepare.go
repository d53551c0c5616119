package bench

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/wasmbin"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

func largeBatch() []byte {
	const events = 1000
	event := `{"text":"` + strings.Repeat("x", largeBody/events-20) + `"}` + "\n"
	return bytes.Repeat([]byte(event), events)
}

func attackedOnly(ctx context.Context, c *api.Client, _ bool) error {
	_, err := c.CreateLog(ctx, attackedLog+"-bodies", nil)
	return err
}

// longHistory makes a log with pages of 8 MiB.
func longHistory(ctx context.Context, c *api.Client, _ bool) error {
	if _, err := c.CreateLog(ctx, attackedLog, nil); err != nil {
		return err
	}
	_, err := c.AppendEvents(ctx, attackedLog, largeBatch(), nil)
	return err
}

// longLabels makes logs with descriptions of the maximum length.
func longLabels(ctx context.Context, c *api.Client, quick bool) error {
	const labels, labelBytes, most, few = 32, 255, 1000, 100
	long := map[string]string{}
	for i := range labels {
		long["label-"+strconv.Itoa(i)] = strings.Repeat("<", labelBytes)
	}
	count := most
	if quick {
		count = few
	}
	for i := range count {
		if _, err := c.CreateLog(ctx, "long-"+strconv.Itoa(i), long); err != nil {
			return err
		}
	}
	return nil
}

func deployGuest(newGuest func() guest) func(context.Context, *api.Client, bool) error {
	return func(ctx context.Context, c *api.Client, _ bool) error {
		_, err := c.CreateLog(ctx, attackedLog, nil)
		var problem *api.Error
		if err != nil && (!errors.As(err, &problem) || problem.Code != "name_taken") {
			return err
		}
		module := newGuest()
		_, err = c.DeployModule(ctx, attackedLog, hostileView, module.encode(), api.Deployment{})
		return err
	}
}

func manyWriters(ctx context.Context, c *api.Client, _ bool) error {
	module := manyWrites()
	for i := range 16 {
		log := attackedLog + "-" + strconv.Itoa(i)
		if _, err := c.CreateLog(ctx, log, nil); err != nil {
			return err
		}
		if _, err := c.DeployModule(ctx, log, hostileView, module.encode(), api.Deployment{}); err != nil {
			return err
		}
	}
	return nil
}

// longAnswer is a view with an answer of the maximum length.
func longAnswer() guest {
	const length, after = 1 << 20, nullAt + len("null")
	return guest{
		pages: length>>16 + 64, alloc: opConst(length + 1<<16), query: opConst64(int64(after)<<32 | length),
		nonce: []byte(`"` + strings.Repeat("x", length-2) + `"`),
	}
}

// manyWrites is a view that sets 63 values of 63 KiB for each event: just below the limit for one event.
func manyWrites() guest { return writing(63, nil) }

// writing is a view that sets a number of values of 63 KiB for each event that meets the condition: instructions that leave an i32, or nil
// for all events.
func writing(values int, condition []byte) guest {
	const length = 64<<10 - 1<<10
	const valueAt = nullAt + len("null")
	value := `"` + strings.Repeat("x", length-2) + `"`
	keysAt := valueAt + len(value)
	keys := make([]byte, values)
	var fold [][]byte
	for i := range keys {
		keys[i] = byte('0' + i)
		fold = append(fold, opConst(int64(keysAt+i)), opConst(1), opConst(int64(valueAt)),
			opConst(int64(len(value))), opWith(wasmbin.OpCall, importedSet))
	}
	if condition != nil {
		fold = [][]byte{condition, opStart(wasmbin.OpIf), code(fold...), op(wasmbin.OpEnd)}
	}
	return guest{
		pages: 4, alloc: opConst(2 << 16), fold: code(append(fold, opConst(0))...), sets: true,
		nonce: slices.Concat([]byte(value), keys),
	}
}
