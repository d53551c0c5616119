package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/views"
)

// credited is an event of credits, or usage.
type credited struct {
	Type              string
	Reservation       string
	Amount, Cost, TTL int64
}

// credits is a model of one grant and what uses it.
type credits struct {
	left int64            // what is neither used nor reserved
	open map[string]int64 // reservations
}

// take applies what the log has. It returns an error for what a guard had to refuse.
func (c *credits) take(e credited) error {
	held, open := c.open[e.Reservation]
	switch e.Type {
	case "grant":
		c.left += e.Amount
	case "reserve":
		c.left -= e.Amount
		c.open[e.Reservation] = e.Amount
	case "settle", "release":
		if !open || e.Amount > held {
			return fmt.Errorf("%+v of a reservation of %d", e, held)
		}
		c.left += held - e.Amount
		delete(c.open, e.Reservation)
	default:
		c.left -= e.Cost
	}
	if c.left < 0 {
		return fmt.Errorf("%+v leaves %d", e, c.left)
	}
	return nil
}

// refusedCredits is a refusal for want of credits.
type refusedCredits struct {
	amount, available int64
	after             int64 // the last event that a client had been told of before it asked
}

type creditHammer struct {
	*fleet
	log  uuid.UUID
	told atomic.Int64

	mu       sync.Mutex
	placed   map[string]int64 // from keys to sequences, of everything that was admitted
	refusals []refusedCredits
	doubtful map[string]bool // keys of which an attempt went without an answer that settles it: it may be done after another was refused
}

// TestQuotaHammer has 64 clients of three servers that fail use, reserve, settle and release the credits of one log, with retries and
// duplicates. Each refusal says what was left at some moment since the client asked; nothing is used twice; nothing is lost: in the end all
// is used or held by reservations that were left open.
func TestQuotaHammer(t *testing.T) {
	const granted, rounds, faults = 400, 5, 12
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	h := &creditHammer{fleet: startFleet(t, d.DSN(), 3), log: node.NewLog(t), placed: map[string]int64{}, doubtful: map[string]bool{}}
	node.Deploy(t, h.log, "quota", views.Quota(), `{"credits":{"value":"/cost"}}`)
	node.Append(t, h.log, testrig.Parse(t, fmt.Sprintf(`{"type":"grant","grant":"all","amount":%d}`, granted), "grant"))
	h.placed["grant"] = 1

	stop := h.disturb(rand.New(rand.NewPCG(23, 23)))
	var wg sync.WaitGroup
	for client := range hammerClients {
		random := rand.New(rand.NewPCG(29, uint64(client)))
		wg.Go(func() {
			for round := 0; (round < rounds || h.faults.Load() < faults) && !t.Failed(); round++ {
				h.spend(random, fmt.Sprintf("%d-%d", client, round))
			}
		})
	}
	wg.Wait()
	random := rand.New(rand.NewPCG(31, 31))
	for n := 0; h.send(random, fmt.Sprint("last ", n), 1, `{"type":"chat","cost":1}`) && !t.Failed(); n++ {
	}
	stop()
	h.stop()

	model := h.check()
	var answer struct {
		Available, Reserved, Overdrawn string
		Reservations                   int
	}
	if err := json.Unmarshal(node.Ask(t, h.log, "quota", "").Body, &answer); err != nil {
		t.Fatal(err)
	}
	var reserved int64
	for _, amount := range model.open {
		reserved += amount
	}
	if model.left != 0 || answer.Available != "0" || answer.Overdrawn != "0" || answer.Reservations != len(model.open) ||
		answer.Reserved != strconv.FormatInt(reserved, 10) {
		t.Errorf("the view says %+v; by the model %d are left, and %d reserved in %d", answer, model.left, reserved, len(model.open))
	}
	t.Logf("%d events, %d refusals, %d reservations are open", len(h.placed), len(h.refusals), len(model.open))
}

// spend uses credits: at once, or by a reservation, which one in eight leaves open.
func (h *creditHammer) spend(random *rand.Rand, name string) {
	amount := 1 + random.Int64N(8)
	if random.IntN(3) == 0 {
		h.send(random, name, amount, fmt.Sprintf(`{"type":"chat","cost":%d}`, amount))
		return
	}
	reserve := fmt.Sprintf(`{"type":"reserve","reservation":%q,"amount":%d,"ttl":86400}`, name, amount)
	if !h.send(random, name, amount, reserve) || random.IntN(8) == 0 {
		return
	}
	end := fmt.Sprintf(`{"type":"settle","reservation":%q,"amount":%d}`, name, random.Int64N(amount+1))
	if random.IntN(4) == 0 {
		end = fmt.Sprintf(`{"type":"release","reservation":%q}`, name)
	}
	for range 1 + random.IntN(2) {
		if !h.send(random, name+" end", 0, end) {
			h.t.Errorf("%s is refused", end)
		}
	}
	if random.IntN(4) == 0 && !h.send(random, name, amount, reserve) { // long after it was closed
		h.t.Errorf("the duplicate %s is refused", reserve)
	}
}

// send reports whether the event that asks for amount is admitted, which some server says at last.
func (h *creditHammer) send(random *rand.Rand, key string, amount int64, body string) bool {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience && !h.t.Failed(); <-tick.C {
		after := h.told.Load()
		status, answer := h.attempt(random, "/logs/"+h.log.String()+"/append", key, body)
		switch status {
		case http.StatusOK, http.StatusCreated:
			var placed struct{ Sequence int64 }
			if err := json.Unmarshal(answer, &placed); err != nil {
				h.t.Errorf("%s: %v", answer, err)
			}
			h.mu.Lock()
			if before := h.placed[key]; before != 0 && (before != placed.Sequence || status == http.StatusCreated) {
				h.t.Errorf("%s was at %d, and is answered %d %s", key, before, status, answer)
			}
			h.placed[key] = placed.Sequence
			h.told.Store(max(h.told.Load(), placed.Sequence))
			h.mu.Unlock()
			h.answered()
			return true
		case http.StatusPaymentRequired:
			var refused struct {
				Answer struct {
					Reason            string
					Available, Amount int64 `json:",string"`
				}
			}
			err := json.Unmarshal(answer, &refused)
			if err != nil || refused.Answer.Reason != "credits_used_up" || refused.Answer.Amount != amount {
				h.t.Errorf("%s is refused with %s: %v", body, answer, err)
			}
			h.mu.Lock()
			h.refusals = append(h.refusals, refusedCredits{amount, refused.Answer.Available, after})
			h.mu.Unlock()
			h.answered()
			return false
		case 0, http.StatusServiceUnavailable, http.StatusInternalServerError:
			h.mu.Lock()
			h.doubtful[key] = true
			h.mu.Unlock()
		default:
			h.t.Errorf("%s is answered %d %s", body, status, answer)
			return false
		}
	}
	return false
}

// check folds what is stored into the model, and holds every answer to it.
func (h *creditHammer) check() *credits {
	conn, err := pgx.Connect(h.t.Context(), h.dsn)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close(h.t.Context()) //nolint:errcheck // nothing is lost
	rows, err := conn.Query(h.t.Context(), "SELECT sequence, key, data FROM events WHERE log_id = $1 ORDER BY sequence", h.log)
	if err != nil {
		h.t.Fatal(err)
	}
	model, left, stored := &credits{open: map[string]int64{}}, []int64{0}, 0
	var sequence int64
	var key string
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&sequence, &key, &data}, func() error {
		var e credited
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		if err := model.take(e); err != nil {
			h.t.Errorf("event %d: %v", sequence, err)
		}
		if h.placed[key] == 0 && h.doubtful[key] {
			h.placed[key] = sequence
		}
		if stored++; sequence != int64(stored) || h.placed[key] != sequence {
			h.t.Errorf("event %d of %d is %s, which clients know as %d", sequence, stored, key, h.placed[key])
		}
		left = append(left, model.left)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if stored != len(h.placed) {
		h.t.Errorf("%d events are stored, %d were admitted", stored, len(h.placed))
	}
	for _, r := range h.refusals {
		possible := false
		for _, n := range left[min(r.after, int64(stored)):] {
			possible = possible || n == r.available
		}
		if !possible || r.amount <= r.available {
			h.t.Errorf("%d were refused for %d that were available, at no moment after event %d", r.amount, r.available, r.after)
		}
	}
	return model
}
