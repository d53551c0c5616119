package event_test

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestChainIsWhatIsDocumented compares the chain with the test rig's, which was written from the documentation, over
// events of every shape.
func TestChainIsWhatIsDocumented(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 1))
	head := event.Head{Hash: event.Genesis(uuid.New())}
	var chain event.Chainer
	for i := range 500 {
		e := event.Event{Data: []byte(`{"x":"` + strings.Repeat("é", random.IntN(300)) + `"}`), Type: strings.Repeat("t", random.IntN(3))}
		if random.IntN(2) == 0 {
			e.Time, e.HasTime = random.Int64N(4e15)-2e15, true
		}
		if random.IntN(2) == 0 {
			e.Key = strings.Repeat("k", 1+random.IntN(4))
		}
		now := head.RecordedAt + random.Int64N(2000) - 1000
		recorded, next := chain.Next(head, e, now)
		row := testrig.Event{
			Sequence: int64(i + 1), RecordedAt: time.UnixMicro(max(now, head.RecordedAt)), Type: e.Type, Data: e.Data,
			Time: time.UnixMicro(e.Time),
		}
		if !e.HasTime {
			row.Time = row.RecordedAt
		}
		if e.Key != "" {
			row.Key = &e.Key
		}
		if want := testrig.LinkHash(head.Hash[:], &row); string(recorded.Hash[:]) != string(want) {
			t.Fatalf("event %d: hash %x, want %x", i+1, recorded.Hash, want)
		}
		if next.Sequence != row.Sequence || next.Hash != recorded.Hash ||
			next.RecordedAt != row.RecordedAt.UnixMicro() || recorded.Time != row.Time.UnixMicro() {
			t.Fatalf("event %d: recorded %+v, head %+v", i+1, recorded, next)
		}
		head = next
	}
}

// TestChainNeverChanges holds the first links of one log as numbers: data in the field depend on them.
func TestChainNeverChanges(t *testing.T) {
	head := event.Head{Hash: event.Genesis(uuid.MustParse("018f4f3c-0000-7000-8000-000000000001")), RecordedAt: 1_740_823_530_000_000}
	var chain event.Chainer
	want := []string{
		"b15164e1f26600362e9c66ba0ddc2a212158b9ff02065eb840830d1eadee1d14",
		"e08bc0f893ef054b1760aa34fb03f2590380e1ceda17a95720a1859f41a8383f",
		"c1d88abe810825b43c7e39af6ac95a0d02b203cd4f9a186f7f2b2b4ad034fc51",
	}
	check := func(i int) {
		t.Helper()
		if got := hex.EncodeToString(head.Hash[:]); got != want[i] {
			t.Errorf("link %d is %q, want %q", i, got, want[i])
		}
	}
	check(0)
	e, err := event.Parse([]byte(`{"type":"api.call","time":"2025-03-01T10:05:30Z","source":"s","id":"1","tokens":12}`))
	if err != nil {
		t.Fatal(err)
	}
	_, head = chain.Next(head, e, 1_740_823_531_000_000)
	check(1)
	_, head = chain.Next(head, event.Event{Data: []byte("{}")}, 0)
	check(2)
}

func TestGenesisIsTheLogsOwn(t *testing.T) {
	a, b := uuid.New(), uuid.New()
	if first, again := event.Genesis(a), event.Genesis(a); first == event.Genesis(b) || first != again {
		t.Error("two logs start from one hash, or one log from two")
	}
}
