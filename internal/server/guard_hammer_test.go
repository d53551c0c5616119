package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// hammerEnv has TestGuardHammer go on for so long: make hammer.
const hammerEnv = "TALLY_HAMMER"

const (
	hammerClients = 64
	hammerLogs    = 3
	hammerLimit   = 300 // units of a log, at first; twice as many later
	hammerOrders  = 12  // of each client, at first; half as many later
)

// TestGuardHammer has 64 clients of three servers race for the units of three logs while servers are killed, commits are lost or answered
// with errors, connections are cut on both sides, and requests are sent twice, one after the other or at once. A log takes exactly its
// limit, then exactly the larger one that a new version brings, under fire too. Every answer that a client got is held to the log: an
// admission is there once, and a refusal counted exactly the events before it.
func TestGuardHammer(t *testing.T) {
	var goOn time.Duration
	if text := os.Getenv(hammerEnv); text != "" {
		var err error
		if goOn, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", hammerEnv, err)
		}
	}
	for began, round := time.Now(), uint64(1); round == 1 || time.Since(began) < goOn; round++ {
		t.Run(fmt.Sprint(round), func(t *testing.T) { hammerOnce(t, round) })
		if t.Failed() {
			return
		}
	}
}

func hammerOnce(t *testing.T, round uint64) {
	d := testdb.New(t)
	f := startFleet(t, d.DSN(), 3)
	node := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	h := &hammering{T: t, fleet: f, dsn: d.DSN(), node: node, told: map[uuid.UUID]*atomic.Int64{}}
	for range hammerLogs {
		log := node.NewLog(t)
		h.logs, h.told[log] = append(h.logs, log), &atomic.Int64{}
		node.Deploy(t, log, "quota", testrig.Guarded(), fmt.Sprintf(`{"limit":%d}`, hammerLimit))
	}
	orders := make([][]*order, hammerClients)
	for client := range orders {
		random := rand.New(rand.NewPCG(round, uint64(client)))
		for n := range hammerOrders {
			orders[client] = append(orders[client], newOrder(random, h.logs, fmt.Sprintf("%d-%d", client, n)))
		}
	}
	stop := f.disturb(rand.New(rand.NewPCG(round, 1<<32)))
	h.place(round, orders)
	h.fill(orders)
	h.check(orders, hammerLimit, false)

	// What was refused comes again, with the same keys, while the limit is raised.
	for client := range orders {
		random := rand.New(rand.NewPCG(round, uint64(client)<<16))
		for n := range hammerOrders / 2 {
			orders[client] = append(orders[client], newOrder(random, h.logs, fmt.Sprintf("later %d-%d", client, n)))
		}
	}
	var raising sync.WaitGroup
	raising.Go(func() {
		for _, log := range h.logs {
			h.raise(log, fmt.Sprintf(`{"limit":%d}`, 2*hammerLimit))
		}
	})
	h.place(round+1<<40, orders)
	raising.Wait()
	h.place(round+1<<41, orders)
	h.fill(orders)
	for n := 0; h.faults.Load() < faultKinds && !t.Failed(); n++ {
		o := &order{log: h.logs[n%len(h.logs)], key: fmt.Sprint("beyond ", n), units: []int{1}}
		h.send(rand.New(rand.NewPCG(round, uint64(n))), o)
		orders[0] = append(orders[0], o)
	}
	stop()
	f.stop()
	h.check(orders, 2*hammerLimit, true)
}

// hammering is a round of TestGuardHammer.
type hammering struct {
	*testing.T
	*fleet
	dsn  string
	node *testrig.Node
	logs []uuid.UUID
	told map[uuid.UUID]*atomic.Int64 // the last event of each log that a client was told of
}

// order is what a client wants appended, under one key.
type order struct {
	log   uuid.UUID
	key   string
	units []int // of each event; more than one go as a batch

	mu       sync.Mutex
	sequence int64 // of its first event; 0 until an answer said so
	fresh    int   // how many answers said that it was new
	inDoubt  bool  // whether an attempt went without an answer that settles it
	refusals []refusedOrder
}

// refusedOrder is how a guard refused an order.
type refusedOrder struct {
	View   string
	Code   string
	Line   int // from 1 in a batch, else 0
	Answer struct{ Used, Limit, Sequence int64 }
	after  int64 // the last event of the log that a client had been told of when the order was sent
}

func newOrder(random *rand.Rand, logs []uuid.UUID, key string) *order {
	o := &order{log: logs[random.IntN(len(logs))], key: key}
	for range max(1, random.IntN(6)-2) {
		o.units = append(o.units, 1+random.IntN(3))
	}
	return o
}

func (o *order) eventKey(i int) string {
	if len(o.units) == 1 {
		return o.key
	}
	return fmt.Sprintf("%s:%d", o.key, i)
}

func (o *order) path() string {
	return "/logs/" + o.log.String() + map[bool]string{true: "/append", false: "/append_batch"}[len(o.units) == 1]
}

func (o *order) body() (text string) {
	for _, n := range o.units {
		text += fmt.Sprintf("{\"units\":%d}\n", n)
	}
	return text
}

// settle notes an answer to what was sent after so many events of the log were known to be there. It returns the last event that is now.
func (o *order) settle(t *testing.T, status int, body []byte, after int64) (last int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if status == http.StatusPaymentRequired {
		var r refusedOrder
		if err := json.Unmarshal(body, &r); err != nil || r.Code != "refused_by_guard" || r.View != "quota" || r.Line > len(o.units) {
			t.Errorf("a refusal says %s", body)
		}
		r.after = after
		o.refusals = append(o.refusals, r)
		return after
	}
	var placed struct {
		Sequence  int64
		First     int64 `json:"first_sequence"`
		Last      int64 `json:"last_sequence"`
		Appended  int
		Duplicate bool
	}
	if err := json.Unmarshal(body, &placed); err != nil {
		t.Errorf("%s: %v", body, err)
	}
	first := cmp.Or(placed.Sequence, placed.First)
	if fresh := status == http.StatusCreated; fresh {
		o.fresh++
		if placed.Duplicate || len(o.units) > 1 && (placed.Appended != len(o.units) || placed.Last-first != int64(len(o.units)-1)) {
			t.Errorf("%s is new, and %s", o.key, body)
		}
	}
	if o.sequence != 0 && o.sequence != first || first == 0 {
		t.Errorf("%s was said to be at %d, then %s", o.key, o.sequence, body)
	}
	o.sequence = first
	return max(after, first)
}

func (o *order) refused() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sequence == 0
}

// place has all clients send their orders, those that were taken before too, until each has an answer that settles it.
func (h *hammering) place(seed uint64, orders [][]*order) {
	var wg sync.WaitGroup
	for client, mine := range orders {
		random := rand.New(rand.NewPCG(seed, uint64(client)))
		wg.Go(func() {
			for _, o := range mine {
				twin := random.IntN(4) == 0
				seeds := [2]uint64{random.Uint64(), random.Uint64()}
				var both sync.WaitGroup
				if twin { // at once, most likely at another server
					both.Go(func() { h.send(rand.New(rand.NewPCG(seeds[0], 1)), o) })
				}
				h.send(rand.New(rand.NewPCG(seeds[1], 2)), o)
				both.Wait()
				if random.IntN(4) == 0 {
					h.send(random, o)
				}
			}
		})
	}
	wg.Wait()
}

// fill takes what is left of each log, unit by unit.
func (h *hammering) fill(orders [][]*order) {
	random := rand.New(rand.NewPCG(3, 3))
	for _, log := range h.logs {
		for n := 0; ; n++ {
			o := &order{log: log, key: fmt.Sprintf("last %d-%d", len(orders[0]), n), units: []int{1}}
			h.send(random, o)
			orders[0] = append(orders[0], o)
			if h.Failed() || o.refused() {
				break
			}
		}
	}
}

// raise deploys the guard with another configuration, through whatever befalls the node's connections.
func (h *hammering) raise(log uuid.UUID, config string) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		info, err := h.node.Views.Deploy(h.Context(), log, "quota", view.Deployment{Code: testrig.Guarded(), Config: []byte(config)})
		if err == nil && info.Status == view.Live {
			return
		}
	}
	h.Errorf("%s is not deployed within %v", config, patience)
}
