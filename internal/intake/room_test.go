package intake

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestSmallBook: many deliveries at once, each of more than the book has room for, all get through without being refused, and the book is
// empty after them.
func TestSmallBook(t *testing.T) {
	const deliveries, lines, lineBytes = 64, 40, 4 << 10
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "create": {"most": 100}, "keep": "bytes"}`)
	book := memory.NewBook(2<<20, 1<<20, patience)
	filler := strings.Repeat("x", lineBytes)
	var wg sync.WaitGroup
	for i := range deliveries {
		wg.Go(func() {
			var records []string
			for k := range lines {
				records = append(records, fmt.Sprintf(`{"log":"log-%d","id":"%d-%d","x":%q}`, i%10, i, k, filler))
			}
			room := book.Hold()
			defer room.Release()
			summary, _, err := n.deliver(s, Sender{Room: room}, records...)
			if err != nil || summary.Stored != lines {
				t.Errorf("%+v, %v", summary, err)
			}
			if room.Bytes() > BaseBytes+mostStep {
				t.Errorf("%d bytes are booked at the end", room.Bytes())
			}
		})
	}
	wg.Wait()
	if book.Held() != 0 || book.Peak() > book.Total() || book.Peak() < book.Total()/4 {
		t.Errorf("%d bytes are held, %d were of %d", book.Held(), book.Peak(), book.Total())
	}
	total := 0
	for _, log := range stored(t, d.DSN()) {
		total += len(log)
	}
	if total != deliveries*lines {
		t.Errorf("%d events are stored", total)
	}
}

// TestNoRoom: a delivery that has its room goes on in it, in smaller portions, when there is no more. One that finds none fails in the end;
// what came before is stored.
func TestNoRoom(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "create": {"most": 100}, "keep": "bytes"}`)
	book := memory.NewBook(1<<20, 1<<20, 10*time.Millisecond)
	begin := func() (*Delivery, *memory.Hold) {
		room := book.Hold()
		return n.in.Deliver(s, Sender{Tenant: db.DefaultTenant, Sees: anyLog, Room: room}, Events), room
	}
	add := func(to *Delivery, log string, id int) error {
		return to.Add(t.Context(), fmt.Appendf(nil, `{"log":%q,"id":"%d","x":%q}`, log, id, strings.Repeat("x", 100<<10)))
	}
	early, room := begin()
	if err := add(early, "early", 0); err != nil {
		t.Fatal(err)
	}
	release := fill(book)
	had := room.Bytes()
	for id := range 20 {
		if err := add(early, "early", id+1); err != nil || room.Bytes() > had {
			t.Fatalf("line %d: %v, with %d bytes booked", id, err, room.Bytes())
		}
	}
	refill := fill(book) // what the other's portions released
	late, _ := begin()
	if err := add(late, "late", 0); !errors.Is(err, memory.ErrFull) {
		t.Errorf("without room: %v", err)
	}
	if _, err := early.Finish(t.Context()); err != nil {
		t.Error(err)
	}
	room.Release()
	release()
	refill()
	if err := add(late, "late", 1); err != nil {
		t.Error(err)
	}
	if _, err := late.Finish(t.Context()); err != nil {
		t.Error(err)
	}
	if got := stored(t, d.DSN()); len(got["early"]) != 21 || len(got["late"]) != 2 {
		t.Errorf("%d and %d lines are stored", len(got["early"]), len(got["late"]))
	}
}

// fill books what is left of a book, in small holds.
func fill(book *memory.Book) (release func()) {
	var holds []*memory.Hold
	for size := int64(memory.Small); size > 0; size /= 2 {
		for h := book.Hold(); h.TryGrow(size) == nil; h = book.Hold() {
			holds = append(holds, h)
		}
	}
	return func() {
		for _, h := range holds {
			h.Release()
		}
	}
}

// TestRates: a delivery waits where its sender's rate is exceeded, and is stored; where it would have to wait for longer than it has
// patience, it fails, and what came before is stored.
func TestRates(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	accountOf := func(perSecond, atOnce int64) limits.Account {
		config := limits.Config{
			Defaults: limits.Values{limits.Events: perSecond}, LargestBatch: atOnce, LargestBody: 1 << 20,
			Now: time.Now,
		}
		return limits.New(n.DB, config).Account(limits.Caller{Tenant: db.DefaultTenant})
	}
	account := accountOf(200, 10)
	s := sourceOf(t, byCustomer)
	for i := range 20 { // ten more than may come at once
		_, _, err := n.deliver(s, Sender{Account: account}, record("a", fmt.Sprint(i, "-0"), 1), record("b", fmt.Sprint(i, "-1"), 2))
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := stored(t, d.DSN()); len(got["customer-a"]) != 20 || len(got["customer-b"]) != 20 {
		t.Errorf("stored %v", got)
	}
	sender := Sender{Account: accountOf(1, 1000)}
	var records []string
	for i := range 1000 {
		records = append(records, record("c", fmt.Sprint(i), i))
	}
	if _, _, err := n.deliver(s, sender, records...); err != nil { // as much as may come at once
		t.Fatal(err)
	}
	began := time.Now()
	_, _, err := n.deliver(s, sender, records...)
	var exceeded *limits.ExceededError
	if !errors.As(err, &exceeded) || time.Since(began) > limitPatience {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if got := len(stored(t, d.DSN())["customer-c"]); got != 1000 {
		t.Errorf("%d events are stored", got)
	}
}

// TestRepetitionsGetFurther: a delivery that has more than its rate allows at once, and fails, gets further each time that it is sent
// again: what is stored already is not charged another time.
func TestRepetitionsGetFurther(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	now := time.Now()
	config := limits.Config{
		Defaults: limits.Values{limits.Events: 10}, LargestBatch: portionLines + 1000, LargestBody: 1 << 20,
		Now: func() time.Time { return now },
	}
	sender := Sender{Account: limits.New(n.DB, config).Account(limits.Caller{Tenant: db.DefaultTenant})}
	s := sourceOf(t, byCustomer)
	var records []string
	for i := range 3 * portionLines {
		records = append(records, record("c", fmt.Sprint(i), i))
	}
	for try := 1; ; try++ {
		_, _, err := n.deliver(s, sender, records...)
		if got, want := len(stored(t, d.DSN())["customer-c"]), try*portionLines; got != want {
			t.Fatalf("after %d tries %d events are stored, want %d", try, got, want)
		}
		if try == 3 && err == nil {
			return
		}
		if exceeded := (*limits.ExceededError)(nil); !errors.As(err, &exceeded) {
			t.Fatalf("try %d: %v", try, err)
		}
		now = now.Add(400 * time.Second) // as much as may come at once
	}
}
