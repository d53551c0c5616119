package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestWebhook: an endpoint is registered, tested, listed, changed, given another secret and ended, and what it was sent, signed with the
// secret that was printed, is shown and sent again.
func TestWebhook(t *testing.T) {
	type message struct {
		header http.Header
		body   []byte
	}
	messages := make(chan message, 8)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "thank you")
		messages <- message{r.Header, body}
	}))
	defer receiver.Close()
	o := &operator{t, t.TempDir(), serving(t, nil, serve(testdb.New(t, testdb.WithFsync()).DSN(), "--webhook-allow", "127.0.0.0/8")...)}

	secret := strings.TrimSpace(o.prints("webhook", "create", receiver.URL, "--types", "alert.fired", "--description", "billing"))
	var webhooks []struct {
		ID string `json:"webhook_id"`
	}
	if err := json.Unmarshal([]byte(o.prints("webhook", "list", "--output", "json")), &webhooks); err != nil || len(webhooks) != 1 {
		t.Fatalf("%v, %v", webhooks, err)
	}
	webhook := webhooks[0].ID
	delivery := strings.Fields(o.prints("webhook", "test", webhook, "--output", "csv"))[1]
	receive := func(secret string) {
		t.Helper()
		select {
		case got := <-messages:
			verifier, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatalf("the secret %q: %v", secret, err)
			}
			if err := verifier.Verify(got.body, got.header); err != nil || !strings.Contains(string(got.body), `"type":"webhook.test"`) {
				t.Errorf("%s: %v", got.body, err)
			}
		case <-time.After(patience):
			t.Fatal("no message came")
		}
	}
	receive(secret)
	o.eventually("thank you", "webhook", "delivery", webhook, delivery)
	o.succeeds(words(`"type": "webhook.test"`, `"tries"`), "webhook", "delivery", webhook, delivery, "--output", "json")
	o.succeeds(words(delivery, "webhook.test", "delivered"), "webhook", "deliveries", webhook, "--status", "delivered")

	rotated := strings.TrimSpace(o.prints("webhook", "rotate", webhook))
	o.succeeds(words(delivery), "webhook", "replay", webhook, delivery)
	receive(rotated)
	o.succeeds(words("replayed", "0"), "webhook", "replay", webhook) // none is dead

	o.fails(words("nothing is to be changed"), "webhook", "update", webhook)
	o.succeeds(words("customer-*", "view.halted,alert.fired"), "webhook", "update", webhook,
		"--logs", "customer-*", "--types", "view.halted,alert.fired")
	o.succeeds(words("enabled", "no"), "webhook", "update", webhook, "--enabled=false")
	o.succeeds(words("billing", "customer-*"), "webhook", "show", webhook)
	o.fails(words("--yes"), "webhook", "delete", webhook)
	o.succeeds(words("is ended"), "webhook", "delete", webhook, "--yes")
	o.fails(words("webhook_not_found"), "webhook", "show", webhook)
}

// eventually waits until a command prints a word.
func (o *operator) eventually(word string, args ...string) {
	o.t.Helper()
	deadline, again := time.After(patience), time.NewTicker(pollInterval)
	defer again.Stop()
	for {
		printed := o.prints(args...)
		if strings.Contains(printed, word) {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			o.t.Fatalf("%v never prints %q: %s", args, word, printed)
		}
	}
}
