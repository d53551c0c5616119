package webhook

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestWhatAnswersDo: 410 disables a receiver at once, failing for days in the end; Retry-After is waited for; what waits for a disabled
// receiver is dead, and comes when it is replayed; a receiver that is deleted gets nothing.
func TestWhatAnswersDo(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	w := newWebhooks(t, opened(t, d), testConfig())
	start(t, w)
	r := newReceiver(t, status(http.StatusGone))
	webhook, _ := create(t, w, r.URL)
	send := func() uuid.UUID {
		t.Helper()
		id, err := w.SendTest(t.Context(), tester, db.DefaultTenant, webhook.ID)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	enable := func() {
		t.Helper()
		yes := true
		updated, err := w.Update(t.Context(), tester, db.DefaultTenant, webhook.ID, Settings{Enabled: &yes})
		if err != nil || !updated.Enabled || updated.DisabledWhy != "" || !updated.FailingSince.IsZero() {
			t.Fatalf("%+v, %v", updated, err)
		}
	}
	disabled := func(why string) {
		t.Helper()
		got, err := w.Get(t.Context(), db.DefaultTenant, webhook.ID)
		if err != nil || got.Enabled || got.DisabledWhy != why || got.DisabledAt.IsZero() {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := w.SendTest(t.Context(), tester, db.DefaultTenant, webhook.ID); !errors.Is(err, ErrDisabled) {
			t.Errorf("a test of a disabled webhook: %v", err)
		}
	}
	gone := send()
	if dead, tries := ended(t, w, webhook.ID, gone, Dead); dead.Attempts != 1 || tries[0].Status != http.StatusGone {
		t.Errorf("%+v", dead)
	}
	disabled(disabledGone)
	recorded := d.Exec(t, "SELECT FROM access_log WHERE action = 'webhook.disable' AND target = $1", webhook.ID.String())
	if recorded != 1 {
		t.Errorf("it was recorded %d times", recorded)
	}

	enable()
	r.answerWith(status(http.StatusInternalServerError))
	d.Exec(t, "UPDATE webhooks SET failing_since = now() - interval '5 days 1 minute'")
	if dead, _ := ended(t, w, webhook.ID, send(), Dead); dead.Attempts != 1 {
		t.Errorf("%+v", dead)
	}
	disabled(disabledFailing)

	enable()
	r.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	busy := send()
	var later Delivery
	for later.Attempts == 0 {
		later, _ = ended(t, w, webhook.ID, busy, Pending)
	}
	if wait := time.Until(later.NextAt); wait < 59*time.Minute || wait > 67*time.Minute {
		t.Errorf("the next try is in %v", wait)
	}
	if err := w.Replay(t.Context(), tester, db.DefaultTenant, webhook.ID, busy); !errors.Is(err, ErrDeliveryPending) {
		t.Errorf("replaying what is pending: %v", err)
	}
	no := false
	if _, err := w.Update(t.Context(), tester, db.DefaultTenant, webhook.ID, Settings{Enabled: &no}); err != nil {
		t.Fatal(err)
	}
	disabled(disabledByHand)
	for soon := int64(0); soon == 0; { // once the queue has put the job off
		soon = d.Exec(t, "UPDATE tally_queue.river_job SET state = 'available', scheduled_at = now() WHERE state = 'scheduled'")
	}
	if dead, _ := ended(t, w, webhook.ID, busy, Dead); dead.Error != "the webhook is disabled: "+disabledByHand {
		t.Errorf("%+v", dead)
	}

	enable()
	r.answerWith(nil)
	if n, err := w.ReplayDead(t.Context(), tester, db.DefaultTenant, webhook.ID); n != 3 || err != nil {
		t.Errorf("%d were replayed, %v", n, err)
	}
	ended(t, w, webhook.ID, busy, Delivered)
	ended(t, w, webhook.ID, gone, Delivered)

	r.answerWith(status(http.StatusInternalServerError))
	unfinished := send()
	for later = (Delivery{}); later.Attempts == 0; {
		later, _, _ = w.Delivery(t.Context(), db.DefaultTenant, webhook.ID, unfinished)
	}
	if err := w.Delete(t.Context(), tester, db.DefaultTenant, webhook.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Deliveries(t.Context(), db.DefaultTenant, webhook.ID, "", uuid.UUID{}, 1, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted webhook: %v", err)
	}
	if err := w.pruneAll(t.Context()); err != nil {
		t.Error(err)
	}
	for table := range map[string]bool{"webhooks": true, "webhook_deliveries": true, "webhook_attempts": true} {
		if n := d.Exec(t, "SELECT FROM "+table); n != 0 {
			t.Errorf("%s has %d rows of a webhook that was deleted", table, n)
		}
	}
}

// TestSlowReceiversHoldNobodyUp: receivers that never answer, with many deliveries each and of several tenants, leave workers to others.
func TestSlowReceiversHoldNobodyUp(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	config := testConfig()
	config.timeout = time.Hour // only the end of the test ends a try
	w := newWebhooks(t, opened(t, d), config)
	start(t, w)
	release := make(chan struct{})
	var stuck atomic.Int64
	slow := newReceiver(t, func(http.ResponseWriter, *http.Request) {
		stuck.Add(1)
		<-release
	})
	t.Cleanup(func() { close(release) })
	tenants := []uuid.UUID{uuid.New(), uuid.New()}
	for _, tenant := range tenants {
		d.Exec(t, "INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)", tenant, tenant.String())
	}
	many := func(tenant uuid.UUID, events int) {
		t.Helper()
		err := w.db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			for range events {
				if err := w.Announce(t.Context(), tx, tenant, Event{Type: ViewLive, Data: []byte(`{}`)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const each = 60
	for _, tenant := range tenants[:1] {
		for range 6 { // at eight each, more than the tenant may have
			if _, _, err := w.Create(t.Context(), tester, tenant, Settings{URL: &slow.URL}); err != nil {
				t.Fatal(err)
			}
		}
		many(tenant, each)
	}
	quick := newReceiver(t, nil)
	if _, _, err := w.Create(t.Context(), tester, tenants[1], Settings{URL: &quick.URL}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		many(tenants[1], each)
		for range each {
			quick.next(t)
		}
	}
	if n := stuck.Load(); n > 32 {
		t.Errorf("%d requests of one tenant are under way", n)
	}
}

// TestTurns: how many tries may be under way, and that what is put off comes back once, in turn.
func TestTurns(t *testing.T) {
	turns := newTurns(64)
	tenant, webhook, now := uuid.New(), uuid.New(), time.Now()
	var ends []func(time.Duration, bool)
	for range 8 {
		ended, wait := turns.take(tenant, webhook, now)
		if ended == nil || wait != 0 {
			t.Fatalf("put off by %v", wait)
		}
		ends = append(ends, ended)
	}
	var waits []time.Duration
	for range 100 {
		ended, wait := turns.take(tenant, webhook, now)
		if ended != nil {
			t.Fatal("a ninth is under way")
		}
		waits = append(waits, wait)
	}
	if !slices.IsSorted(waits) || waits[0] <= 0 || waits[99] > time.Second {
		t.Errorf("turns that are given out: %v", waits)
	}
	for _, ended := range ends {
		ended(20*time.Second, false)
	}
	ended, _ := turns.take(tenant, webhook, now)
	if ended == nil {
		t.Fatal("none is under way, and none may be")
	}
	if second, wait := turns.take(tenant, webhook, now); second != nil || wait <= 0 {
		t.Error("one that fails has two under way")
	}
	for range 200 {
		if _, wait := turns.take(tenant, webhook, now); wait > 2*maxPostponed {
			t.Errorf("put off by %v", wait)
		}
	}
	for range 15 { // with the one above, a quarter of all
		failing := uuid.New()
		for range troubledAfter {
			ended, _ := turns.take(uuid.New(), failing, now)
			ended(time.Millisecond, false)
		}
		if ended, _ := turns.take(uuid.New(), failing, now); ended == nil {
			t.Fatal("one that fails has none under way")
		}
	}
	failing := uuid.New()
	for range troubledAfter {
		ended, _ := turns.take(uuid.New(), failing, now)
		ended(time.Millisecond, false)
	}
	if ended, _ := turns.take(uuid.New(), failing, now); ended != nil {
		t.Error("those that fail have more than their share")
	}
	ended(time.Millisecond, true)
	if ended, _ := turns.take(uuid.New(), failing, now); ended == nil {
		t.Error("one that ended leaves no room")
	}
	if ended, _ := turns.take(uuid.New(), uuid.New(), now); ended == nil {
		t.Error("those that fail hold up others")
	}
}

// TestPruning: what ended a month ago goes, with its tries, and nothing else does.
func TestPruning(t *testing.T) {
	d := testdb.New(t)
	w := newWebhooks(t, opened(t, d), testConfig())
	create(t, w, "https://receiver.example/")
	const old = prunePage + 7
	for range 3 {
		announce(t, w, Event{Type: ViewLive, Data: []byte(`{}`)})
	}
	d.Exec(t, `INSERT INTO webhook_deliveries (webhook_id, message_id, type, log, message, status, finished_at)
		SELECT webhook_id, gen_random_uuid(), 'view.live', '', '{}', 'dead', now() - interval '30 days 1 minute'
		FROM webhooks, generate_series(1, $1::integer)`, old)
	d.Exec(t, `INSERT INTO webhook_attempts SELECT webhook_id, message_id, 1, now(), 1, NULL, '', 'x' FROM webhook_deliveries`)
	d.Exec(t, `UPDATE webhook_deliveries SET status = 'delivered', finished_at = now() - interval '29 days'
		WHERE message_id = (SELECT message_id FROM webhook_deliveries WHERE status = 'pending' LIMIT 1)`)
	d.Exec(t, `UPDATE webhook_deliveries SET created_at = now() - interval '90 days', begun_at = created_at WHERE status = 'pending'`)
	if err := w.pruneAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"webhook_deliveries", "webhook_attempts"} {
		if n := d.Exec(t, "SELECT FROM "+table); n != 3 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}
