package ingest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

func TestDuplicatesInOneRequest(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	a, b := keyed(t, "a", 2), keyed(t, "b", 1)
	unkeyed := testrig.Parse(t, `{"tokens_in":1}`, "")
	got := node.Append(t, log, a[0], unkeyed, a[0], a[1], unkeyed, b[0], a[0])
	want := []ingest.Appended{
		{Sequence: 1},
		{Sequence: 2},
		{Sequence: 1, Duplicate: true},
		{Sequence: 3},
		{Sequence: 4},
		{Sequence: 5},
		{Sequence: 1, Duplicate: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("placed at %v, want %v", got, want)
	}
	// A batch of new events and duplicates: the new ones follow the head, the others keep their sequences.
	more := keyed(t, "a", 4)
	got = node.Append(t, log, more[3], more[1], more[2], more[2])
	want = []ingest.Appended{{Sequence: 6}, {Sequence: 3, Duplicate: true}, {Sequence: 7}, {Sequence: 7, Duplicate: true}}
	if !slices.Equal(got, want) {
		t.Errorf("placed at %v, want %v", got, want)
	}
	if n := len(testrig.Check(t, d.DSN())[log].Events); n != 7 {
		t.Errorf("the log has %d events, want 7", n)
	}
}

// TestDuplicatesInOneGroup makes requests share a transaction: they gather while another one holds the head's lock.
func TestDuplicatesInOneGroup(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	release := holdHead(t, d.DSN(), log)
	first := appendAsync(node, log, request(keyed(t, "first", 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	var same []<-chan result
	for range 20 {
		same = append(same, appendAsync(node, log, request(keyed(t, "same", 3)...)))
	}
	awaitWaiting(t, node, log, len(same))
	release()
	if r := <-first; r.err != nil || r.placements[0] != (ingest.Appended{Sequence: 1}) {
		t.Errorf("the first append: %v, %v", r.placements, r.err)
	}
	fresh := 0
	for _, answer := range same {
		r := <-answer
		if r.err != nil {
			t.Fatal(r.err)
		}
		for i, p := range r.placements {
			if p.Sequence != int64(2+i) {
				t.Errorf("event %d is at %d, want %d", i, p.Sequence, 2+i)
			}
			if !p.Duplicate {
				fresh++
			}
		}
	}
	if fresh != 3 {
		t.Errorf("%d of the events were said to be new, want 3", fresh)
	}
	testrig.Check(t, d.DSN())
}

func TestKeysOfOtherLogsAndNoKeysDoNotMeet(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	one, other := node.NewLog(t), node.NewLog(t)
	pair := func(source, id string) event.Event {
		return testrig.Parse(t, fmt.Sprintf(`{"source":%q,"id":%q}`, source, id), "")
	}
	// Sources and ids that are equal once they are joined are still different keys.
	events := []event.Event{
		pair("a", "b c"), pair("a b", "c"), pair("", "a b c"), pair("ab", "c"), pair("a", "bc"), testrig.Parse(t, `{}`, "abc"),
	}
	for _, log := range []uuid.UUID{one, other} {
		for i, p := range node.Append(t, log, events...) {
			if p.Duplicate || p.Sequence != int64(i+1) {
				t.Errorf("event %d of log %v: %+v", i, log, p)
			}
		}
	}
	testrig.Check(t, d.DSN())
}

func TestReusedKeyIsRefused(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	node.Append(t, log, keyed(t, "k", 5)...)
	changed := testrig.Parse(t, `{"model":"k","tokens_in":2000}`, "k-2")
	free := keyed(t, "free", 3)
	spaced := testrig.Parse(t, `{"model":"k", "tokens_in":3}`, "k-3") // the same value in other bytes

	for name, test := range map[string]struct {
		events   []event.Event
		index    int
		sequence int64
	}{
		"alone":              {[]event.Event{changed}, 0, 3},
		"after new events":   {[]event.Event{free[0], free[1], changed, free[2]}, 2, 3},
		"after a duplicate":  {append(keyed(t, "k", 2), changed), 2, 3},
		"only spaces differ": {[]event.Event{spaced}, 0, 4},
		"twice in a request": {append(keyed(t, "free", 3), testrig.Parse(t, `{}`, "free-1")), 3, 0},
	} {
		_, err := node.Ingest.Append(log, request(test.events...))
		var reused *ingest.KeyReusedError
		if !errors.As(err, &reused) || reused.Index != test.index || reused.Sequence != test.sequence {
			t.Errorf("%s: %v at index %d, want event %d's key reused at index %d", name, err, reused.Index, test.sequence, test.index)
		}
	}
	// The keys that a refused request had claimed are released, in the same transaction too.
	if got := node.Append(t, log, free...); got[0] != (ingest.Appended{Sequence: 6}) || got[2] != (ingest.Appended{Sequence: 8}) {
		t.Errorf("placed at %v, want 6 to 8", got)
	}
	testrig.Check(t, d.DSN())
}

func TestRefusedRequestOfAGroupLeavesNothing(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1})
	log := node.NewLog(t)
	release := holdHead(t, d.DSN(), log)
	first := appendAsync(node, log, request(keyed(t, "first", 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	// Each of these is good or bad by itself; they share a group in any order.
	var good, bad []<-chan result
	for i := range 10 {
		conflicting := append(keyed(t, "shared", 2), testrig.Parse(t, `{"other":true}`, "first-0"))
		good = append(good, appendAsync(node, log, request(keyed(t, "shared", 2)...)),
			appendAsync(node, log, request(keyed(t, fmt.Sprint("g", i), 2)...)))
		bad = append(bad, appendAsync(node, log, request(conflicting...)),
			appendAsync(node, log, ingest.Request{Events: keyed(t, "unexpected", 1), Expected: 1000}))
	}
	awaitWaiting(t, node, log, len(good)+len(bad))
	release()
	if r := <-first; r.err != nil {
		t.Fatal(r.err)
	}
	for _, answer := range good {
		if r := <-answer; r.err != nil {
			t.Errorf("a good request: %v", r.err)
		}
	}
	for _, answer := range bad {
		r := <-answer
		var reused *ingest.KeyReusedError
		var mismatch *ingest.SequenceMismatchError
		if !errors.As(r.err, &reused) && !errors.As(r.err, &mismatch) {
			t.Errorf("a bad request: %v, %v", r.placements, r.err)
		}
	}
	if n := len(testrig.Check(t, d.DSN())[log].Events); n != 1+2+20 {
		t.Errorf("the log has %d events, want 23", n)
	}
}

func TestExpectedSequence(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	log := nodes[0].NewLog(t)
	deployReadyViews(t, nodes[0], log)
	const rounds, racers = 8, 6
	for round := range rounds {
		var won atomic.Int64
		var wg sync.WaitGroup
		for racer := range racers {
			wg.Go(func() {
				events := keyed(t, fmt.Sprintf("r%d-%d", round, racer), 2)
				placements, err := nodes[racer%2].Ingest.Append(log, ingest.Request{Events: events, Expected: int64(2 * round)})
				var mismatch *ingest.SequenceMismatchError
				switch {
				case err == nil && placements[0].Sequence == int64(2*round+1):
					won.Add(1)
				case !errors.As(err, &mismatch) || mismatch.Expected != int64(2*round) || mismatch.Head != int64(2*round+2):
					t.Errorf("round %d: %v, %v", round, placements, err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("round %d: %d of %d appends won, want 1", round, won.Load(), racers)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestRefusalsAreNeverStale moves a log on one server and then asks the other, whose cache is behind.
func TestRefusalsAreNeverStale(t *testing.T) {
	d := testdb.New(t)
	a, b := testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})
	log := a.NewLog(t)
	deployReadyViews(t, a, log)
	for i := range int64(20) {
		// a's cache holds 2i events, b appends one, and a expects just that.
		if got := a.Append(t, log, keyed(t, fmt.Sprint("a", i), 1)...); got[0].Sequence != 2*i+1 {
			t.Fatalf("placed at %v, want %d", got, 2*i+1)
		}
		b.Append(t, log, keyed(t, fmt.Sprint("b", i), 1)...)
		var mismatch *ingest.SequenceMismatchError
		_, err := a.Ingest.Append(log, ingest.Request{Events: keyed(t, "no", 1), Expected: 2*i + 1})
		if !errors.As(err, &mismatch) || mismatch.Head != 2*i+2 {
			t.Errorf("expecting what was true before: %v, want a mismatch with head %d", err, 2*i+2)
		}
		same, err := a.Ingest.Append(log, ingest.Request{Events: keyed(t, fmt.Sprint("b", i), 1), Expected: 7})
		if err != nil || same[0] != (ingest.Appended{Sequence: 2*i + 2, Duplicate: true}) {
			t.Errorf("a retry at the other server, whatever it expects: %v, %v", same, err)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestHammer appends from many clients to two servers: keys that several clients use at once, batches with duplicates, expected sequences,
// reused keys, several logs. Every result that a client got is compared with the log.
func TestHammer(t *testing.T) {
	const logCount, clients, requests, keys = 5, 16, 40, 150
	d := testdb.New(t)
	nodes := []*testrig.Node{
		testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 3}),
		testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 2, CacheBytes: 20_000}), // which forgets most of the time
	}
	logs := make([]uuid.UUID, logCount)
	for i := range logs {
		logs[i] = nodes[0].NewLog(t)
		deployReadyViews(t, nodes[i%2], logs[i])
	}
	var told, fresh ledger
	var reuses sync.Map // of *ingest.KeyReusedError to the log
	var wg sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(1, uint64(client)))
		wg.Go(func() {
			for range requests {
				log := logs[random.IntN(logCount)]
				r := randomRequest(t, random, keys)
				placements, err := nodes[random.IntN(2)].Ingest.Append(log, r)
				var mismatch *ingest.SequenceMismatchError
				var reused *ingest.KeyReusedError
				switch {
				case errors.As(err, &mismatch) && r.Expected != ingest.AnySequence && mismatch.Head != r.Expected:
				case errors.As(err, &reused) && r.Events[reused.Index].Key == reused.Key:
					reuses.Store(reused, log)
				case err != nil:
					t.Errorf("client %d: %v", client, err)
				}
				for i, p := range placements {
					told.add(t, log, p.Sequence, r.Events[i])
					if !p.Duplicate {
						fresh.add(t, log, p.Sequence, r.Events[i])
					}
				}
			}
		})
	}
	wg.Wait()
	found := testrig.Check(t, d.DSN())
	for id, log := range found {
		if len(log.Events) != len(fresh.events[id]) {
			t.Errorf("log %v has %d events, clients were told of %d", id, len(log.Events), len(fresh.events[id]))
		}
		for sequence, data := range told.events[id] {
			if sequence > int64(len(log.Events)) || string(log.Events[sequence-1].Data) != data {
				t.Errorf("log %v: the client's event %d %s is not there", id, sequence, data)
			}
		}
	}
	reuses.Range(func(key, log any) bool {
		reused, events := key.(*ingest.KeyReusedError), found[log.(uuid.UUID)].Events
		if reused.Sequence == 0 { // the request itself used the key twice
			return true
		}
		if owner := events[reused.Sequence-1]; owner.Key == nil || *owner.Key != reused.Key {
			t.Errorf("%v, which is %s", reused, owner.Data)
		}
		return true
	})
}

const otherBytes = `{"model":"x","tokens_in":-5}`

func randomRequest(t *testing.T, random *rand.Rand, keys int) ingest.Request {
	r := request()
	for range 1 + random.IntN(6) {
		key := random.IntN(keys)
		data := fmt.Sprintf(`{"model":"m%d","team":"t","tokens_in":%d,"tokens_out":0.5}`, key%7, key)
		switch random.IntN(12) {
		case 0:
			r.Events = append(r.Events, testrig.Parse(t, data, ""))
		case 1:
			r.Events = append(r.Events, testrig.Parse(t, otherBytes, fmt.Sprint("key", key)))
		default:
			r.Events = append(r.Events, testrig.Parse(t, data, fmt.Sprint("key", key)))
		}
	}
	if random.IntN(10) == 0 {
		r.Expected = random.Int64N(20)
	}
	return r
}

// ledger holds the results that clients got, by log and sequence. Its zero value is empty.
type ledger struct {
	mu     sync.Mutex
	events map[uuid.UUID]map[int64]string
}

func (l *ledger) add(t *testing.T, log uuid.UUID, sequence int64, e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == nil {
		l.events = map[uuid.UUID]map[int64]string{}
	}
	if l.events[log] == nil {
		l.events[log] = map[int64]string{}
	}
	if before, ok := l.events[log][sequence]; ok && before != string(e.Data) {
		t.Errorf("event %d of log %v was said to be %s and %s", sequence, log, before, e.Data)
	}
	l.events[log][sequence] = string(e.Data)
}
