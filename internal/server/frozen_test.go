//go:build unix

package server_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/views"
)

// TestServerIsFrozen stops a server by a signal in the middle of appends, each time two messages to PostgreSQL later, and then each time
// halfway through a message. Meanwhile another server appends to the other log of the same lane, and to the log itself once the transaction
// has been ended: by PostgreSQL, or where half of a message keeps it from being idle, by the other server. When the first server resumes,
// its event is stored once.
func TestServerIsFrozen(t *testing.T) {
	for _, halfway := range []bool{false, true} {
		t.Run(fmt.Sprintf("halfway %t", halfway), func(t *testing.T) { freezeInTurn(t, halfway) })
	}
}

func freezeInTurn(t *testing.T, halfway bool) {
	t.Helper()
	const events = 600 // by COPY, which takes the most messages
	d := testdb.New(t, testdb.WithFsync())
	wire := testrig.NewWire(t, d.DSN())
	defer wire.Resume()
	node := testrig.Start(t, d.DSN(), testrig.Settings{
		Lanes: 1, LockTimeout: 100 * time.Millisecond, StalledAfter: time.Second,
	})
	held, other := node.NewLog(t), node.NewLog(t)
	for _, log := range []uuid.UUID{held, other} {
		node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	}
	frozen := startChild(t, wire.DSN)
	defer frozen.kill(t)
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := frozen.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	var url atomic.Pointer[string]
	url.Store(&frozen.url)
	c := &client{t: t, url: &url, random: rand.New(rand.NewPCG(23, 1))}
	appended, windows := 0, 0
	for ended := false; !ended; windows++ {
		node.Append(t, held, testrig.Parse(t, `{}`, fmt.Sprint("behind its back ", windows))) // makes the server lock and read
		appended++
		var batch strings.Builder
		for i := range events {
			fmt.Fprintf(&batch, `{"id":"%d-%d","source":"frozen"}`+"\n", windows, i)
		}
		appended += events
		if halfway {
			wire.HangLanesHalfway(windows)
		} else {
			wire.HangLanes(2 * windows)
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			var answer struct{ Events []any }
			c.ask("POST", "/logs/"+held.String()+"/append_batch", batch.String(), "", &answer)
		}()
		await(t, "the append hangs, or is over", func() bool {
			select {
			case <-answered:
				ended = true
			default:
			}
			return ended || wire.Hangs()
		})
		signal(syscall.SIGSTOP)
		if !halfway {
			wire.Resume()
		}
		node.Append(t, other, testrig.Parse(t, `{}`, fmt.Sprint("beside ", windows)))
		own := testrig.Parse(t, `{}`, fmt.Sprint("meanwhile ", windows))
		await(t, "the log can be appended to", func() bool {
			_, err := node.Ingest.Append(held, ingest.Request{Events: []event.Event{own}, Expected: ingest.AnySequence})
			return err == nil
		})
		node.Append(t, other, testrig.Parse(t, `{}`, fmt.Sprint("after ", windows)))
		appended++
		wire.Resume()
		signal(syscall.SIGCONT)
		<-answered
	}
	if windows < 3 {
		t.Errorf("an append had %d windows; it sends more messages than that", windows)
	}
	logs := testrig.Check(t, d.DSN())
	if got := len(logs[held].Events); got != appended {
		t.Errorf("the log has %d events, want %d", got, appended)
	}
	if got := len(logs[other].Events); got != 2*windows {
		t.Errorf("the other log has %d events, want %d", got, 2*windows)
	}
}
