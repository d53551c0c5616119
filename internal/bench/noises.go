package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/ingest"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

// noise is load on another log of the quiet log's lane.
type noise struct {
	name, what string
	prepare    func(ctx context.Context, n *noisy) error // may be nil
	clients    int
	// once is what each client does repeatedly; problems that the server reports are ignored.
	once   func(ctx context.Context, n *noisy, client int) error
	beside func(ctx context.Context, n *noisy) error // runs until ctx ends; may be nil
	open   func(ctx context.Context, n *noisy) error // begins what lasts until ctx ends; may be nil
	check  func(n *noisy) error                      // whether there was noise; may be nil
}

func noises() []noise {
	return append(append(laneNoises(), dashboards()), tenantNoises()...)
}

// laneNoises are those of another log of the tenant.
func laneNoises() []noise {
	return []noise{
		{
			name:    "slow-view",
			what:    "160 clients that append batches of 5,000 events to a log whose view takes 44 million units of gas for each",
			clients: 160,
			prepare: deploySpinner,
			once: func(ctx context.Context, n *noisy, _ int) error {
				const events = 5000
				return n.batch(ctx, strings.Repeat("{}\n", events))
			},
		}, {
			name:    "meters",
			what:    "4 clients that append batches of 10,000 events of new users to a log with eight meters that count unique users",
			clients: 4,
			prepare: deployMeters,
			once:    appendUsers,
		}, {
			name: "held-lock", what: "16 clients that append to a log whose head somebody else has locked", clients: 16,
			once: func(ctx context.Context, n *noisy, _ int) error {
				_, err := n.client.AppendEvent(ctx, n.log, []byte(`{}`), nil)
				return err
			},
			beside: holdHead,
		}, {
			name: "questions", what: "16 clients that send queries of 900 million units of gas", clients: 16,
			prepare: deploySpinner,
			once: func(ctx context.Context, n *noisy, client int) error {
				_, err := n.client.QueryView(ctx, n.log, noisyView, "client="+strconv.Itoa(client))
				return err
			},
		}, {
			name:    "watchers",
			what:    "50 clients that watch different answers of 900 million units of gas on a log that is appended to",
			clients: 50,
			prepare: deploySpinner,
			once:    watchAnswers,
			beside: func(ctx context.Context, n *noisy) error {
				return each(ctx, 100*time.Millisecond, func(time.Time) error {
					_, err := n.client.AppendEvent(ctx, n.log, []byte(`{}`), nil)
					return err
				})
			},
		}, {
			name: "deploys", what: "4 clients that deploy views of 44 million units of gas for each event", clients: 4,
			once: deployAgain,
		}, {
			name: "bodies", what: "52 connections that claim a body of 10 MiB and send nothing", clients: 52,
			once: claimBody,
		},
	}
}

func deploySpinner(ctx context.Context, n *noisy) error {
	_, err := n.client.DeployModule(ctx, n.log, noisyView, n.spinner(), api.Deployment{})
	return err
}

func deployMeters(ctx context.Context, n *noisy) error {
	const meters = 8
	config := []byte(`{"unique":"/user","aggregations":["count","unique"],"resolution":"day"}`)
	for i := range meters {
		meter := api.Deployment{Ready: "meter", Config: config}
		if _, err := n.client.DeployView(ctx, n.log, "meter-"+strconv.Itoa(i), meter); err != nil {
			return err
		}
	}
	return nil
}

func (n *noisy) batch(ctx context.Context, lines string) error {
	_, err := n.client.AppendEvents(ctx, n.log, lines, nil)
	return err
}

// appendUsers appends events of new users.
func appendUsers(ctx context.Context, n *noisy, client int) error {
	const events = ingest.MaxBatchEvents
	var lines strings.Builder
	from := time.Now().UnixNano()
	for i := range events {
		fmt.Fprintf(&lines, "{\"user\":\"u%d-%d-%d\"}\n", client, from, i)
	}
	return n.batch(ctx, lines.String())
}

// holdHead holds the lock on the log's head.
func holdHead(ctx context.Context, n *noisy) error {
	conn, err := pgx.Connect(ctx, n.stage.database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // which rolls back
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT FROM log_heads WHERE log_id = $1 FOR UPDATE", n.id); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// watchAnswers watches an answer that no other client watches.
func watchAnswers(ctx context.Context, n *noisy, client int) error {
	w, err := watch(ctx, n.stage.server.address, "/logs/"+n.log+"/views/"+noisyView+"/live?client="+strconv.Itoa(client))
	if err != nil {
		return &api.Error{Status: http.StatusServiceUnavailable, Detail: err.Error()} // it was refused: too many are watched
	}
	defer w.conn.Close() //nolint:errcheck // nothing is lost
	for w.lines.Scan() { // until the server or ctx ends it
	}
	return ctx.Err()
}

// deployAgain deploys a new module.
func deployAgain(ctx context.Context, n *noisy, client int) error {
	g := guest{
		pages: 1, nonce: []byte(time.Now().String() + strconv.Itoa(client)),
		fold: code(spin(noisyFoldGas*spinRounds/n.foldGas), opConst(0)),
	}
	_, err := n.client.DeployModule(ctx, n.log, noisyView+"-"+strconv.Itoa(client), g.encode(), api.Deployment{})
	return err
}

// claimBody announces a body, sends nothing, and waits until the server closes the connection.
func claimBody(ctx context.Context, n *noisy, _ int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.stage.server.address)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	const head = "POST /logs/%s/append_batch HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n"
	if _, err := fmt.Fprintf(conn, head, n.log, keyLine, ingest.MaxBatchBytes); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, conn) // until it is closed
	return nil
}
