package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// message is what a receiver reads.
type message struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Log       string          `json:"log"`
	Data      json.RawMessage `json:"data"`
}

func (r received) message(t *testing.T) message {
	t.Helper()
	var m message
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return m
}

// TestAnnounce: what a committed transaction announces reaches the receivers that want it, once, signed with their secrets; what is rolled
// back reaches nobody.
func TestAnnounce(t *testing.T) {
	w := newWebhooks(t, opened(t, testdb.New(t)), testConfig())
	start(t, w)
	all, alerts, one := newReceiver(t, nil), newReceiver(t, nil), newReceiver(t, nil)
	_, secret := create(t, w, all.URL)
	create(t, w, alerts.URL, AlertFired)
	logs := "customer-*"
	if _, _, err := w.Create(t.Context(), tester, db.DefaultTenant, Settings{URL: &one.URL, Logs: &logs}); err != nil {
		t.Fatal(err)
	}
	rolledBack := errors.New("rolled back")
	err := w.db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		return errors.Join(w.Announce(t.Context(), tx, db.DefaultTenant, Event{Type: AlertFired, Data: []byte(`{}`)}), rolledBack)
	})
	if !errors.Is(err, rolledBack) {
		t.Fatal(err)
	}
	fired := Event{Type: AlertFired, Log: "customer-1", Data: []byte(`{"threshold":"80%"}`), Key: "crossing 1"}
	announce(t, w, fired, fired)
	announce(t, w, fired)
	err = w.db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		return w.Announce(t.Context(), tx, uuid.New(), fired) // another tenant's
	})
	if err != nil {
		t.Fatal(err)
	}
	announce(t, w, Event{Type: ViewLive, Log: "other", Data: []byte(`{}`)})

	got, live := all.next(t), all.next(t) // in any order
	if got.message(t).Type == ViewLive {
		got, live = live, got
	}
	m := got.message(t)
	if m.Type != AlertFired || m.Log != "customer-1" || string(m.Data) != `{"threshold":"80%"}` || m.ID != got.header.Get("webhook-id") {
		t.Errorf("%+v with the id %s", m, got.header.Get("webhook-id"))
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify([]byte(got.body), got.header); err != nil {
		t.Error(err)
	}
	if err := verifier.Verify([]byte(got.body+" "), got.header); err == nil {
		t.Error("a message that was tampered with is taken for genuine")
	}
	if m := live.message(t); m.Type != ViewLive || m.Log != "other" {
		t.Errorf("%+v", m)
	}
	for name, receiver := range map[string]*receiver{"of alerts": alerts, "of one customer": one} {
		if m := receiver.next(t).message(t); m.Type != AlertFired {
			t.Errorf("the receiver %s got %+v", name, m)
		}
	}
	announce(t, w, Event{Type: AlertFired, Log: "customer-2", Data: []byte(`{}`)}) // comes after whatever came too often
	for name, receiver := range map[string]*receiver{"of all": all, "of alerts": alerts, "of one customer": one} {
		if m := receiver.next(t).message(t); m.Log != "customer-2" {
			t.Errorf("the receiver %s got %+v", name, m)
		}
	}
}

// TestTryAgain: a delivery that fails comes again with the same id and a new signature, until the receiver takes it, or the schedule ends;
// then it is dead, and can be replayed.
func TestTryAgain(t *testing.T) {
	w := newWebhooks(t, opened(t, testdb.New(t)), testConfig())
	start(t, w)
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("no\x00 \xff" + string(make([]byte, 2000))))
	})
	webhook, _ := create(t, w, r.URL)
	id, err := w.SendTest(t.Context(), tester, db.DefaultTenant, webhook.ID)
	if err != nil {
		t.Fatal(err)
	}
	dead, tries := ended(t, w, webhook.ID, id, Dead)
	if dead.Attempts != 10 || len(tries) != 10 || dead.Error != "the receiver answered 500 Internal Server Error" {
		t.Errorf("%+v after %d tries", dead, len(tries))
	}
	for _, try := range tries {
		if try.Status != 500 || len([]rune(try.Answer)) != MaxAnswerBytes || try.Error != dead.Error {
			t.Errorf("%+v", try)
		}
	}
	if failing, err := w.Get(t.Context(), db.DefaultTenant, webhook.ID); err != nil || failing.FailingSince.IsZero() || !failing.Enabled {
		t.Errorf("%+v, %v", failing, err)
	}
	r.answerWith(nil)
	if n, err := w.ReplayDead(t.Context(), tester, db.DefaultTenant, webhook.ID); n != 1 || err != nil {
		t.Fatalf("%d were replayed, %v", n, err)
	}
	if d, _ := ended(t, w, webhook.ID, id, Delivered); d.Attempts != 11 || d.Error != "" {
		t.Errorf("%+v", d)
	}
	if working, err := w.Get(t.Context(), db.DefaultTenant, webhook.ID); err != nil || !working.FailingSince.IsZero() {
		t.Errorf("%+v, %v", working, err)
	}
	for range 11 {
		if got := r.next(t); got.header.Get("webhook-id") != MessageID(id) {
			t.Errorf("another id: %v", got.header)
		}
	}
	if err := w.Replay(t.Context(), tester, db.DefaultTenant, webhook.ID, id); err != nil {
		t.Error(err)
	}
	ended(t, w, webhook.ID, id, Delivered)
	for wrong, err := range map[error]error{
		ErrDeliveryNotFound: w.Replay(t.Context(), tester, db.DefaultTenant, webhook.ID, uuid.New()),
		ErrNotFound:         w.Replay(t.Context(), tester, uuid.New(), webhook.ID, id),
	} {
		if !errors.Is(err, wrong) {
			t.Errorf("%v, not %v", err, wrong)
		}
	}
}
