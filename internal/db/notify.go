package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// connect opens a connection outside the pools, with the settings of Read.
func (d *DB) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, d.Read.Config().ConnConfig.Copy())
	if err != nil {
		return nil, Classify(err)
	}
	return conn, nil
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = conn.Close(ctx) // it may be broken
}

// Notifier sends notifications on a connection of its own. It is for one goroutine.
type Notifier struct{ conn *pgx.Conn }

// Notifier opens a Notifier. Close it.
func (d *DB) Notifier(ctx context.Context) (*Notifier, error) {
	conn, err := d.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to notify: %w", err)
	}
	// A notification that a crash loses has no listeners left.
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
		closeConn(ctx, conn)
		return nil, fmt.Errorf("preparing to notify: %w", Classify(err))
	}
	return &Notifier{conn}, nil
}

// Send sends a notification with each payload, in one transaction.
func (n *Notifier) Send(ctx context.Context, channel string, payloads []string) error {
	if _, err := n.conn.Exec(ctx, "SELECT pg_notify($1, p) FROM (SELECT unnest($2::text[]) AS p) AS u", channel, payloads); err != nil {
		return fmt.Errorf("notifying: %w", Classify(err))
	}
	return nil
}

// Close closes the connection.
func (n *Notifier) Close() { closeConn(context.Background(), n.conn) }

// Listen calls each for the payload of every notification on the channel, on a connection of its own, until each fails, the connection is
// lost or ctx ends. It calls listening first, once no notification can be missed.
func (d *DB) Listen(ctx context.Context, channel string, listening func() error, each func(payload string) error) error {
	conn, err := d.connect(ctx)
	if err != nil {
		return fmt.Errorf("connecting to listen: %w", err)
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("listening: %w", Classify(err))
	}
	if err := listening(); err != nil {
		return err
	}
	for {
		notification, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("listening: %w", Classify(err))
		}
		if err := each(notification.Payload); err != nil {
			return err
		}
	}
}
