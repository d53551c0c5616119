package live

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestSeal: only what was sealed with the same key opens, and a full notification is one that PostgreSQL accepts.
func TestSeal(t *testing.T) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	s, err := newSeal(key)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", maxSealedBytes)
	sealed := s.close(text)
	if len(sealed) >= 8000 || strings.Contains(sealed, "xxxxxxxxxxxx") || sealed == s.close(text) {
		t.Errorf("%d bytes: %.100s", len(sealed), sealed)
	}
	if opened, err := s.open(sealed); err != nil || opened != text {
		t.Errorf("opened as %.100s, %v", opened, err)
	}
	key[0]++
	other, err := newSeal(key)
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{
		"", "x", "*", "server *", sealed[:40], base64.StdEncoding.EncodeToString([]byte("server *")),
		"AAAA" + sealed[4:], other.close(text),
	}
	for _, payload := range forged {
		if opened, err := s.open(payload); !errors.Is(err, errForged) || opened != "" {
			t.Errorf("%.100s opens as %.100s, %v", payload, opened, err)
		}
	}
}

// TestNotificationsTellAStrangerNothing: a login that has no rights listens on the servers' channel while a log changes. It sees no
// log's id and no sequence, and what it sends there changes no watcher's state.
func TestNotificationsTellAStrangerNothing(t *testing.T) {
	d := testdb.New(t)
	stranger, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing is lost
	if _, err := stranger.Exec(t.Context(), "SET ROLE tally_tenant_analyst"); err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Exec(t.Context(), "SELECT key FROM notification_key"); err == nil {
		t.Error("it may read the key")
	}
	if _, err := stranger.Exec(t.Context(), "LISTEN "+channel); err != nil {
		t.Fatal(err)
	}
	opened, err := db.Open(t.Context(), db.Config{URL: d.DSN(), ReadConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	config := DefaultConfig()
	config.Poll = time.Hour
	from, to := New(opened, nil, config), New(opened, nil, config)
	log, forged := uuid.New(), uuid.New()
	watch, err := to.Watch(log)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	ready := make(chan struct{})
	done := make(chan error, 2)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- to.receive(ctx, func() error { close(ready); return nil }) }()
	<-ready
	for _, payload := range []string{"x " + log.String() + ":1000000", "x *", forged.String()} {
		if _, err := stranger.Exec(t.Context(), "SELECT pg_notify($1, $2)", channel, payload); err != nil {
			t.Fatal(err)
		}
	}
	_, moved := watch.State()
	from.Committed(log, []event.Recorded{{Sequence: 4711}})
	go func() { done <- from.notify(ctx, func() {}) }()
	<-moved
	if state, _ := watch.State(); state.Sequence != 4711 {
		t.Errorf("the watcher's state is %+v", state)
	}
	for {
		n, err := stranger.WaitForNotification(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n.PID == stranger.PgConn().PID() {
			continue // its own
		}
		if raw, err := base64.StdEncoding.DecodeString(n.Payload); err != nil || strings.Contains(string(raw)+n.Payload, "4711") ||
			strings.Contains(string(raw)+n.Payload, log.String()) {
			t.Errorf("it sees %q, %v", n.Payload, err)
		}
		break
	}
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
