package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// byHandSchema is what people write who meter usage in PostgreSQL themselves: a table of events and three tables of counters, for the
// queries of our three views. It is as cheap as possible: json instead of jsonb, no index but the primary keys, customers as numbers, no
// idempotency keys, no hash chain.
const byHandSchema = `
CREATE TABLE by_hand_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint NOT NULL,
    time     timestamptz NOT NULL,
    type     text NOT NULL,
    data     json NOT NULL
);
CREATE TABLE by_hand_months (
    customer bigint, month date, model text, tokens_in bigint NOT NULL, tokens_out bigint NOT NULL,
    PRIMARY KEY (customer, month, model)
);
CREATE TABLE by_hand_minutes (
    customer bigint, minute timestamptz, requests bigint NOT NULL, tokens bigint NOT NULL,
    PRIMARY KEY (customer, minute)
);
CREATE TABLE by_hand_teams (
    customer bigint, month date, team text,
    requests bigint NOT NULL, tokens_in bigint NOT NULL, tokens_out bigint NOT NULL, cost numeric NOT NULL,
    PRIMARY KEY (customer, month, team)
)`

const (
	insertByHand = `INSERT INTO by_hand_events (customer, time, type, data) VALUES ($1, $2, $3, $4)`
	countMonth   = `INSERT INTO by_hand_months AS c VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (customer, month, model) DO UPDATE
		SET tokens_in = c.tokens_in + excluded.tokens_in, tokens_out = c.tokens_out + excluded.tokens_out`
	countMinute = `INSERT INTO by_hand_minutes AS c VALUES ($1, $2, 1, $3)
		ON CONFLICT (customer, minute) DO UPDATE
		SET requests = c.requests + 1, tokens = c.tokens + excluded.tokens`
	countTeam = `INSERT INTO by_hand_teams AS c
		VALUES ($1, $2, $3, 1, $4::bigint, $5::bigint, $4::bigint * $6::numeric + $5::bigint * $7::numeric)
		ON CONFLICT (customer, month, team) DO UPDATE
		SET requests = c.requests + 1, tokens_in = c.tokens_in + excluded.tokens_in,
		    tokens_out = c.tokens_out + excluded.tokens_out, cost = c.cost + excluded.cost`
)

// byHand is a client of by-hand SQL: one connection with prepared statements, and one round trip each for BEGIN, the INSERT, three upserts
// and COMMIT.
type byHand struct {
	conn      *pgx.Conn
	generator *generator
	customers int
}

func byHandWorkers(url string, customers int, once func(*byHand, context.Context) (int, error)) workerFactory {
	return func(ctx context.Context, i int) (worker, error) {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return worker{}, fmt.Errorf("connecting to PostgreSQL: %w", err)
		}
		h := &byHand{conn: conn, generator: newGenerator(i), customers: customers}
		return worker{
			once:  func(ctx context.Context) (int, error) { return once(h, ctx) },
			close: func() { _ = conn.Close(context.WithoutCancel(ctx)) },
		}, nil
	}
}

// transaction meters one event.
func (h *byHand) transaction(ctx context.Context) (int, error) {
	e := h.generator.event(time.Now())
	tx, err := h.conn.Begin(ctx)
	if err != nil {
		return 0, err
	}
	if err := h.statements(ctx, tx, e); err != nil {
		_ = tx.Rollback(ctx) // the connection is not used again
		return 0, err
	}
	return 1, tx.Commit(ctx)
}

func (h *byHand) statements(ctx context.Context, tx pgx.Tx, e event) error {
	customer := h.generator.random.IntN(h.customers)
	month := time.Date(e.time.Year(), e.time.Month(), 1, 0, 0, 0, 0, time.UTC)
	if _, err := tx.Exec(ctx, insertByHand, customer, e.time, "api.call", e.appendJSON(nil)); err != nil {
		return fmt.Errorf("inserting an event by hand: %w", err)
	}
	if _, err := tx.Exec(ctx, countMonth, customer, month, e.model, e.tokensIn, e.tokensOut); err != nil {
		return fmt.Errorf("counting a month by hand: %w", err)
	}
	if _, err := tx.Exec(ctx, countMinute, customer, e.time.Truncate(time.Minute), e.tokensIn+e.tokensOut); err != nil {
		return fmt.Errorf("counting a minute by hand: %w", err)
	}
	price := prices[e.model]
	if _, err := tx.Exec(ctx, countTeam, customer, month, e.team, e.tokensIn, e.tokensOut, price.In, price.Out); err != nil {
		return fmt.Errorf("counting a team by hand: %w", err)
	}
	return nil
}

// insert stores one event and counts nothing: the least that durability costs.
func (h *byHand) insert(ctx context.Context) (int, error) {
	e := h.generator.event(time.Now())
	if _, err := h.conn.Exec(ctx, insertByHand, h.generator.random.IntN(h.customers), e.time, "api.call", e.appendJSON(nil)); err != nil {
		return 0, fmt.Errorf("inserting an event: %w", err)
	}
	return 1, nil
}
