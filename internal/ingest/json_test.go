package ingest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// nested opens that many arrays or objects and closes them again.
func nested(open, inside, closing string, depth int) string {
	return strings.Repeat(open, depth) + inside + strings.Repeat(closing, depth)
}

// oddEvents are accepted by Parse, or refused there: what is accepted must be stored as it is.
func oddEvents() []string {
	odd := []string{
		`{}`, " \t\r\n{ } \n", `{"":""}`, `{"a":1,"a":2,"a":{"b":[]}}`, `{"a":[],"b":{},"c":[[],{}]}`,
		`{"x":"\u0000"}`, `{"\u0000":1}`, `{"x":"\ud800"}`, `{"x":"\udc00\ud800"}`, `{"x":"\ud83d\ude00"}`, `{"x":"\ud83d\u0041"}`,
		"{\"x\":\"\u007f\u0080\u2028\u2029\ufeff\ufffe\uffff\U0010ffff\"}", `{"x":"\/\b\f\n\r\t\\\""}`, `{"x":"\u00e9\u00E9é"}`,
		"{\"x\":\"\xff\"}", "{\"x\":\"\xc0\x80\"}", "{\"x\":\"\xed\xa0\x80\"}", "{\"x\":\"\xf4\x90\x80\x80\"}", "{\"x\":\"\xe2\x82\"}",
		"{\"x\":\"\x00\"}", "{\"x\":\"\x1f\"}", "{\"x\":\"\t\"}", "\xef\xbb\xbf{}", "{}\x00", "{}\x0b", "{}{}", "{},", `{"x":1,}`, `{"x"}`,
		`{x:1}`, `{'x':1}`,
		`{"x":\ud800}`, `{"x":"\u12"}`, `{"x":"\x41"}`, `{"x":"\U0041"}`, `{"x":"a`, `{"x":nul}`, `{"x":NaN}`, `{"x":Infinity}`,
		`{"x":TRUE}`,
		`{"time":"2025-03-01T10:05:30Z","type":"t\u0000"}`, `{"type":"\ud800"}`, `{"id":"\u0000"}`,
		`{"id":"` + strings.Repeat("é", 256) + `"}`,
		`{"x":` + nested("[", "", "]", jsonscan.MaxDepth-1) + `}`, `{"x":` + nested("[", "", "]", jsonscan.MaxDepth) + `}`,
		nested(`{"a":`, `1`, `}`, jsonscan.MaxDepth), nested(`{"a":`, `1`, `}`, jsonscan.MaxDepth+1),
		`{"x":"` + strings.Repeat(`\u0001`, 20_000) + `"}`, `{"x":` + strings.Repeat("9", 100_000) + `}`,
		`{"x":[` + strings.Repeat("1,", 50_000) + `1]}`,
	}
	for _, number := range []string{
		"0", "-0", "-0.0e-0", "1e1", "1E+1", "1e-400", "1e400", "123456789012345678901234567890.5e-10", "0.0000000000000000000000000001",
		"01", "-01", "+1", ".5", "1.", "-", "1e", "1e+", "1.e1", "0x1", "1_0", "١", "1e1.5", "--1", "00", "1-", "1a",
	} {
		odd = append(odd, `{"x":`+number+`}`, `{"x":[`+number+`]}`, `{"x":`+number+` }`)
	}
	for _, clock := range []string{
		"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1582-10-10T00:00:00Z", "1969-12-31T23:59:59.999999999Z",
		"9999-12-31T23:59:59.999999999Z",
		"2025-03-01T10:05:30.1234567891234Z", "2025-03-01T23:59:59-23:59", "2024-02-29T00:00:00+14:00", "2025-02-29T00:00:00Z",
		"2025-03-01T24:00:00Z",
		"2025-03-01T23:59:60Z", "2025-03-01t10:05:30z", "2025-03-01T10:05:30", "2025-3-1T10:05:30Z", "2025-03-01T1:05:30Z",
		"2025-03-01T10:05:30,5Z",
		"2025-03-01T10:05:30+24:00", "2025-03-01T10:05:30+0100", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
	} {
		odd = append(odd, fmt.Sprintf(`{"time":%q,"tokens_in":1}`, clock))
	}
	return odd
}

// TestWhateverParsesCanBeStored puts the oddest JSON through real inserts, singly and many together: one value that
// PostgreSQL refuses after Parse took it would slow every append beside it.
func TestWhateverParsesCanBeStored(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	random := rand.New(rand.NewPCG(3, 4))
	candidates := oddEvents()
	for range 1200 {
		candidates = append(candidates, mutate(random, candidates[random.IntN(len(candidates))]), randomObject(random))
	}
	var accepted []event.Event
	for _, text := range candidates {
		if e, err := event.Parse([]byte(text)); err == nil {
			e.Key, e.KeyHash = "", uuid.UUID{} // ids repeat among the mutations
			accepted = append(accepted, e)
		}
	}
	if len(accepted) < 500 {
		t.Fatalf("only %d of %d events were accepted", len(accepted), len(candidates))
	}
	for i := range oddEvents() {
		if e, err := event.Parse([]byte(candidates[i])); err == nil {
			node.Append(t, log, e)
		}
	}
	const batch = 500
	for len(accepted) > 0 {
		n := min(batch, len(accepted))
		if _, err := node.Ingest.Append(log, request(accepted[:n]...)); err != nil {
			t.Errorf("%v; alone:", err)
			blameAlone(t, node, accepted[:n])
		}
		accepted = accepted[n:]
	}
	testrig.Check(t, d.DSN())
}

func blameAlone(t *testing.T, node *testrig.Node, events []event.Event) {
	log := node.NewLog(t)
	for _, e := range events {
		if _, err := node.Ingest.Append(log, request(e)); err != nil {
			t.Errorf("%.200q: %v", e.Data, err)
		}
	}
}

// mutate changes a few bytes.
func mutate(random *rand.Rand, text string) string {
	if len(text) > 2000 {
		text = text[:2000]
	}
	b := []byte(text)
	const alphabet = "{}[]\",:\\u0d8eE+-.1 \n\x00\x7f\x80\xc3\xa9\xed\xa0\xf4"
	for range 1 + random.IntN(2) {
		at := random.IntN(len(b))
		c := alphabet[random.IntN(len(alphabet))]
		switch random.IntN(3) {
		case 0:
			b[at] = c
		case 1:
			b = append(b[:at], append([]byte{c}, b[at:]...)...)
		default:
			b = append(b[:at:at], b[min(at+1, len(b)-1):]...)
		}
	}
	return string(b)
}

func randomObject(random *rand.Rand) string {
	var value func(depth int) string
	text := func() string {
		runes := []string{"a", "\\u0000", "\\ud800", "\\udfff", "é", "\U0010ffff", "\\\"", "\\\\", "\u2028", "\x7f", "/"}
		var b strings.Builder
		for range random.IntN(6) {
			b.WriteString(runes[random.IntN(len(runes))])
		}
		return `"` + b.String() + `"`
	}
	value = func(depth int) string {
		switch k := random.IntN(8); {
		case k < 2 && depth < 20:
			var members []string
			for range random.IntN(5) {
				members = append(members, text()+":"+value(depth+1))
			}
			return "{" + strings.Join(members, ",") + "}"
		case k < 4 && depth < 20:
			var elements []string
			for range random.IntN(5) {
				elements = append(elements, value(depth+1))
			}
			return "[" + strings.Join(elements, " ,\n") + "]"
		case k < 6:
			return text()
		default:
			return []string{"null", "true", "-0", "1e999", "0.1E-5", "18446744073709551616"}[random.IntN(6)]
		}
	}
	return `{"model":` + text() + `,"tokens_in":` + value(19) + `,"x":` + value(0) + `}`
}

// TestPoisonDoesNotSpread puts values that PostgreSQL refuses, which Parse would not let through, among good ones: only
// the requests that hold them fail.
func TestPoisonDoesNotSpread(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1})
	log, other := node.NewLog(t), node.NewLog(t)
	deployReadyViews(t, node, other)
	poison := []event.Event{
		{Data: []byte(`{"a":`), HasTime: true},
		{Data: []byte("{\"a\":\"\xff\"}")},
		{Data: []byte(`{}`), Type: "\x00"},
		{Data: []byte(`{}`), Type: "\xff"},
		{Data: []byte(nested(`[`, ``, `]`, 100_000))},
	}
	release := holdHead(t, d.DSN(), log)
	first := appendAsync(node, log, request(keyed(t, "first", 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	var good, bad []<-chan result
	for i, e := range poison {
		good = append(good, appendAsync(node, log, request(keyed(t, fmt.Sprint("a", i), 3)...)),
			appendAsync(node, other, request(keyed(t, fmt.Sprint("b", i), 3)...)))
		bad = append(bad, appendAsync(node, log, request(append(keyed(t, fmt.Sprint("bad", i), 2), e)...)))
	}
	awaitWaiting(t, node, log, len(good)+len(bad))
	release()
	for _, answer := range append(good, first) {
		if r := <-answer; r.err != nil {
			t.Errorf("beside poison: %v", r.err)
		}
	}
	for i, answer := range bad {
		if r := <-answer; r.err == nil || retryable(r.err) {
			t.Errorf("poison %d: %v, %v", i, r.placements, r.err)
		}
	}
	found := testrig.Check(t, d.DSN())
	if len(found[log].Events) != 1+3*len(poison) || len(found[other].Events) != 3*len(poison) {
		t.Errorf("the logs have %d and %d events", len(found[log].Events), len(found[other].Events))
	}
	// What the failed requests had claimed is free.
	if got := node.Append(t, log, keyed(t, "bad0", 1)...); got[0].Duplicate {
		t.Errorf("a key of a request that failed is taken: %v", got)
	}
}

func TestBatchLimitIsWhatIsPromised(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	got := node.Append(t, log, keyed(t, "many", ingest.MaxBatchEvents)...)
	for i, p := range got {
		if p != (ingest.Appended{Sequence: int64(i + 1)}) {
			t.Fatalf("event %d is at %+v", i, p)
		}
	}
	var large []event.Event
	for i := range ingest.MaxBatchBytes / event.MaxBytes {
		text := fmt.Sprintf(`{"n":"%02d","x":"`, i)
		large = append(large, testrig.Parse(t, text+strings.Repeat("x", event.MaxBytes-len(text)-2)+`"}`, ""))
	}
	node.Append(t, log, large...)
	testrig.Check(t, d.DSN())
}
