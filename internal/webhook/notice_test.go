package webhook

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// announced returns the messages of a receiver's deliveries.
func announced(t *testing.T, w *Webhooks, webhook uuid.UUID) (messages []message) {
	t.Helper()
	list, err := w.Deliveries(t.Context(), db.DefaultTenant, webhook, "", uuid.UUID{}, 200, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		d, _, err := w.Delivery(t.Context(), db.DefaultTenant, webhook, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, received{body: d.Message}.message(t))
	}
	return messages
}

// TestViewsAreNoticed: a version that halts or goes live is announced once, whichever servers look, and also when one that had begun to
// announce it is killed. What was before there was a receiver is not announced, and takes no row.
func TestViewsAreNoticed(t *testing.T) {
	d := testdb.New(t)
	own := opened(t, d)
	w, other := newWebhooks(t, own, testConfig()), newWebhooks(t, own, testConfig())
	log, of, version := uuid.New(), uuid.New(), uuid.New()
	for _, statement := range []string{
		"INSERT INTO modules (sha256, wasm) VALUES (sha256(''), '')",
		"INSERT INTO logs (log_id, tenant_id, name) VALUES ('" + log.String() + "', '" + db.DefaultTenant.String() + "', 'customer-1')",
		"INSERT INTO views (log_id, view_id, name) VALUES ('" + log.String() + "', '" + of.String() + "', 'totals')",
		"INSERT INTO view_versions (log_id, version_id, view_id, version, turn, module_sha256, config, fields, fold_gas, cost_model, " +
			"status, applied_sequence) VALUES ('" + log.String() + "', '" + version.String() + "', '" + of.String() +
			"', 3, 1, sha256(''), '{}', '{}', 1, 1, 'building', 0)",
	} {
		d.Exec(t, statement)
	}
	live := func() {
		t.Helper()
		err := own.SetVersionLive(t.Context(), own.Read, dbsqlc.SetVersionLiveParams{AppliedSequence: 7, LogID: log, VersionID: version})
		if err != nil {
			t.Fatal(err)
		}
	}
	live()
	if n := d.Exec(t, "SELECT FROM view_changes"); n != 0 {
		t.Fatalf("%d changes are kept for nobody", n)
	}
	webhook, _ := create(t, w, "https://receiver.example/")
	alerts, _ := create(t, w, "https://receiver.example/alerts", AlertFired)
	live()
	why, at := "tokens_in is no number", int64(8)
	halt := dbsqlc.HaltViewVersionParams{AppliedSequence: 7, HaltedSequence: &at, Error: &why, LogID: log, VersionID: version}
	if err := own.HaltViewVersion(t.Context(), own.Read, halt); err != nil {
		t.Fatal(err)
	}
	// A server that dies while it announces: its transaction ends with it.
	tx, err := own.Read.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := own.TakeViewChanges(t.Context(), tx, 1); len(rows) != 1 || err != nil {
		t.Fatalf("%+v, %v", rows, err)
	}
	if err := w.noticeViews(t.Context()); err != nil { // leaves out what another announces
		t.Fatal(err)
	}
	if got := announced(t, w, webhook.ID); len(got) != 1 {
		t.Errorf("%+v were announced beside another server", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, server := range []*Webhooks{w, other, w, other} {
		both.Go(func() {
			if err := server.noticeViews(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	got := announced(t, w, webhook.ID)
	if len(got) != 2 {
		t.Fatalf("%+v were announced", got)
	}
	kinds := map[string]viewChange{}
	for _, m := range got {
		var change viewChange
		if err := json.Unmarshal(m.Data, &change); err != nil || m.Log != "customer-1" || change.View != "totals" || change.Version != 3 {
			t.Errorf("%+v, %v", m, err)
		}
		kinds[m.Type] = change
	}
	if *kinds[ViewLive].Sequence != 7 || *kinds[ViewHalted].Sequence != 8 || *kinds[ViewHalted].Error != why {
		t.Errorf("%+v", kinds)
	}
	if got := announced(t, w, alerts.ID); len(got) != 0 {
		t.Errorf("a receiver of alerts got %+v", got)
	}
	if n := d.Exec(t, "SELECT FROM view_changes"); n != 0 {
		t.Errorf("%d changes are left", n)
	}
}

// TestKeysAreNoticed: a key is announced 7 days before it expires, and 1 day before, once by all servers, also when none ran at that time.
func TestKeysAreNoticed(t *testing.T) {
	d := testdb.New(t)
	own := opened(t, d)
	w, other := newWebhooks(t, own, testConfig()), newWebhooks(t, own, testConfig())
	webhook, _ := create(t, w, "https://receiver.example/", KeyExpiring)
	keys := access.NewRegistry(own)
	for name, in := range map[string]time.Duration{
		"in-eight-days": 8 * 24 * time.Hour, "in-a-week": 7*24*time.Hour - 3*time.Hour, "in-a-day": 24*time.Hour - 3*time.Hour,
		"in-three-days": 3 * 24 * time.Hour, "soon": time.Hour, "revoked": 24*time.Hour - 3*time.Hour,
	} {
		request := access.KeyRequest{Name: name, Scopes: access.Read, ExpiresAt: time.Now().Add(in)}
		if _, _, err := keys.CreateKey(t.Context(), tester, db.DefaultTenant, request); err != nil {
			t.Fatal(err)
		}
	}
	d.Exec(t, "UPDATE access_keys SET revoked_at = now() WHERE name = 'revoked'")
	look := func() {
		t.Helper()
		var both sync.WaitGroup
		for _, server := range []*Webhooks{w, other, w, other} {
			both.Go(func() {
				if err := server.noticeKeys(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	look()
	if got := announced(t, w, webhook.ID); len(got) != 0 {
		t.Errorf("%+v were announced, and are no news", got)
	}
	d.Exec(t, "UPDATE webhook_notices SET keys_up_to = now() - interval '26 hours'") // when the last server went
	look()
	look()
	names := map[string]int{}
	for _, m := range announced(t, w, webhook.ID) {
		var key keyExpiry
		if err := json.Unmarshal(m.Data, &key); err != nil || m.Type != KeyExpiring || key.KeyID == "" || key.ExpiresAt.IsZero() {
			t.Errorf("%+v, %v", m, err)
		}
		names[key.Name]++
	}
	if len(names) != 3 || names["in-a-week"] != 1 || names["in-a-day"] != 1 || names["soon"] != 1 {
		t.Errorf("these were announced: %v", names)
	}
}

// TestDefaultPartition: it is announced once a day to the tenant of operators, whatever the number of servers.
func TestDefaultPartition(t *testing.T) {
	w := newWebhooks(t, opened(t, testdb.New(t)), testConfig())
	webhook, _ := create(t, w, "https://receiver.example/")
	var both sync.WaitGroup
	for range 4 {
		both.Go(func() {
			if err := w.DefaultPartitionNotEmpty(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	got := announced(t, w, webhook.ID)
	if len(got) != 1 && len(got) != 2 { // at midnight
		t.Fatalf("%+v were announced", got)
	}
	if got[0].Type != PartitionNotEmpty || !strings.Contains(string(got[0].Data), "tally maintain") {
		t.Errorf("%+v", got[0])
	}
}

// TestRotation: for a day messages are signed with both secrets, and then with the new one.
func TestRotation(t *testing.T) {
	d := testdb.New(t)
	w := newWebhooks(t, opened(t, d), testConfig())
	start(t, w)
	r := newReceiver(t, nil)
	webhook, first := create(t, w, r.URL)
	_, second, err := w.Rotate(t.Context(), tester, db.DefaultTenant, webhook.ID)
	if err != nil || second == first {
		t.Fatal(second == first, err)
	}
	for _, signatures := range []int{2, 1} {
		if _, err := w.SendTest(t.Context(), tester, db.DefaultTenant, webhook.ID); err != nil {
			t.Fatal(err)
		}
		if got := strings.Fields(r.next(t).header.Get("webhook-signature")); len(got) != signatures {
			t.Errorf("it is signed with %v", got)
		}
		d.Exec(t, "UPDATE webhooks SET former_until = now()")
	}
}
