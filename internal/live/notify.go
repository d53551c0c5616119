package live

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// channel is the PostgreSQL channel on which servers tell one another, sealed, which logs have changed.
	channel = "tallystick_sealed_heads"
	// everything is the payload for more logs than are worth naming.
	everything = "*"
	// After a failure, the connection is reopened: after firstRetry, then after twice as long each time, up to lastRetry.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// keepUp restarts part whenever it fails. Nothing is lost meanwhile: heads are polled.
func (h *Hub) keepUp(ctx context.Context, what string, part func(context.Context, func()) error) {
	wait := firstRetry
	for ctx.Err() == nil {
		err := part(ctx, func() { wait = firstRetry })
		if ctx.Err() != nil {
			return
		}
		h.config.Log.LogAttrs(ctx, slog.LevelWarn, what+" failed; trying again, and polling meanwhile",
			slog.Any("error", err), slog.Duration("in", wait))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
}

// notify notifies other servers of changes, on a connection of its own, so that neither notifications nor queries wait for each other.
func (h *Hub) notify(ctx context.Context, working func()) error {
	n, err := h.db.Notifier(ctx)
	if err != nil {
		return err
	}
	defer n.Close()
	sealing, err := h.seal(ctx)
	if err != nil {
		return err
	}
	working()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.wake:
		}
		if payloads := h.payloads(); len(payloads) > 0 {
			for i, payload := range payloads {
				payloads[i] = sealing.close(payload)
			}
			if err := n.Send(ctx, channel, payloads); err != nil {
				return err
			}
		}
		select { // later changes are sent together
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(h.config.Coalesce):
		}
	}
}

// payloads returns the notifications of the changes so far, and clears those.
func (h *Hub) payloads() []string {
	h.mu.Lock()
	changed := h.changed
	h.changed = map[uuid.UUID]int64{}
	h.mu.Unlock()
	if changed == nil {
		return []string{h.id + " " + everything}
	}
	var payloads []string
	var b strings.Builder
	for log, sequence := range changed {
		word := " " + log.String() + ":" + strconv.FormatInt(sequence, 10)
		if b.Len()+len(word) > maxSealedBytes {
			payloads = append(payloads, b.String())
			b.Reset()
		}
		if b.Len() == 0 {
			b.WriteString(h.id)
		}
		b.WriteString(word)
	}
	if b.Len() > 0 {
		payloads = append(payloads, b.String())
	}
	return payloads
}

// listen receives notifications of changes. It listens before it reads the heads, so that no change is missed in between.
func (h *Hub) listen(ctx context.Context, working func()) error {
	return h.receive(ctx, func() error {
		working()
		return h.poll(ctx)
	})
}

// seal reads the key that the servers of a database share.
func (h *Hub) seal(ctx context.Context) (*seal, error) {
	key, err := h.db.NotificationKey(ctx, h.db.Read)
	if err != nil {
		return nil, fmt.Errorf("reading the key of notifications: %w", db.Classify(err))
	}
	return newSeal(key)
}

func (h *Hub) receive(ctx context.Context, listening func() error) error {
	sealed, err := h.seal(ctx)
	if err != nil {
		return err
	}
	return h.db.Listen(ctx, channel, listening, func(payload string) error {
		payload, err := sealed.open(payload)
		if err != nil {
			return nil // whoever may connect may notify: it says nothing
		}
		sender, words, _ := strings.Cut(payload, " ")
		if sender == h.id {
			return nil
		}
		if words == everything {
			return h.poll(ctx)
		}
		for word := range strings.SplitSeq(words, " ") {
			if err := h.hear(word); err != nil {
				h.config.Log.LogAttrs(ctx, slog.LevelWarn, "a notification is not understood", slog.Any("error", err))
				return h.poll(ctx)
			}
		}
		return nil
	})
}

func (h *Hub) hear(word string) error {
	id, number, _ := strings.Cut(word, ":")
	log, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("reading the log of %.100q: %w", word, err)
	}
	sequence, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fmt.Errorf("reading the sequence of %.100q: %w", word, err)
	}
	h.observe(log, sequence)
	return nil
}

func (h *Hub) pollAll(ctx context.Context) {
	tick := time.NewTicker(h.config.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := h.poll(ctx); err != nil && ctx.Err() == nil {
			h.config.Log.LogAttrs(ctx, slog.LevelWarn, "reading the heads of watched logs failed; trying again", slog.Any("error", err))
		}
	}
}
