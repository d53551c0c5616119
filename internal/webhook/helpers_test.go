package webhook

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

var (
	tester    = access.Actor{Name: "tester"}
	ourselves = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
)

// opened opens a test's database.
func opened(t *testing.T, d *testdb.Database) *db.DB {
	t.Helper()
	opened, err := db.Open(t.Context(), db.Config{URL: d.DSN(), ReadConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

// testConfig sends to this machine, and tries again soon.
func testConfig() Config {
	config := DefaultConfig()
	config.Allow, config.Log, config.poll = ourselves, slog.New(slog.DiscardHandler), fetchCooldown
	config.soft = 50 * time.Millisecond
	config.schedule = slices.Repeat([]time.Duration{10 * time.Millisecond}, 9)
	return config
}

// newWebhooks returns webhooks that do not work yet.
func newWebhooks(t *testing.T, d *db.DB, config Config) *Webhooks {
	t.Helper()
	w, err := New(d, config)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// start has webhooks work until the test ends.
func start(t *testing.T, w *Webhooks) {
	t.Helper()
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// create makes a receiver of the default tenant.
func create(t *testing.T, w *Webhooks, url string, types ...string) (Webhook, string) {
	t.Helper()
	created, secret, err := w.Create(t.Context(), tester, db.DefaultTenant, Settings{URL: &url, Types: &types})
	if err != nil {
		t.Fatal(err)
	}
	return created, secret
}

// announce announces events to the default tenant in one transaction.
func announce(t *testing.T, w *Webhooks, events ...Event) {
	t.Helper()
	err := w.db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		for _, e := range events {
			if err := w.Announce(t.Context(), tx, db.DefaultTenant, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// received is one request to a receiver.
type received struct {
	header http.Header
	body   string
	at     time.Time
}

// receiver is a server that notes what it gets, and answers as told.
type receiver struct {
	*httptest.Server

	got chan received

	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request)
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{got: make(chan received, 10_000), answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.got <- received{request.Header, string(body), time.Now()}
		r.mu.Lock()
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, request)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answerWith(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// next waits for the next request.
func (r *receiver) next(t *testing.T) received {
	t.Helper()
	select {
	case got := <-r.got:
		return got
	case <-t.Context().Done():
	case <-time.After(time.Minute):
	}
	t.Fatal("nothing was received")
	return received{}
}

// ended waits until a delivery has the status, and returns it.
func ended(t *testing.T, w *Webhooks, webhook, message uuid.UUID, status string) (Delivery, []Attempt) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		d, tries, err := w.Delivery(t.Context(), db.DefaultTenant, webhook, message)
		if err == nil && d.Status == status {
			return d, tries
		}
		if time.Now().After(deadline) {
			t.Fatalf("the delivery is %+v, %v, and not %s", d, err, status)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// withoutSchema leaves out of what the catalog says in which schema it is.
func withoutSchema(text string) string {
	return strings.NewReplacer("tally_queue.", "", "rivers_own.", "").Replace(text)
}
