package views_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

// probe is the view of typescript/probe, which does what its queries ask of the TypeScript kit.
type probe struct {
	*deployed
	session *wasm.Session
}

func compileProbe(tb testing.TB) *wasm.Module {
	tb.Helper()
	built, err := os.ReadFile("dist/kits/typescript_probe.wasm")
	if err != nil {
		tb.Fatal(err)
	}
	module, err := engine(tb).Compile(tb.Context(), built)
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

func startProbe(tb testing.TB, state memoryState) *probe {
	tb.Helper()
	v, err := viewtest.Deploy(tb.Context(), compileProbe(tb), wasm.Settings{})
	if err != nil {
		tb.Fatal(err)
	}
	p := &probe{deployed: &deployed{v}}
	p.session = p.start(tb, state)
	tb.Cleanup(func() { p.session.Close() })
	return p
}

// ask asks for one thing to be done; what is refused ends the test.
func (p *probe) ask(tb testing.TB, do, a, b string) string {
	tb.Helper()
	answer, err := p.session.Query(url.Values{"do": {do}, "a": {a}, "b": {b}}.Encode())
	if err != nil {
		tb.Fatalf("%s %q %q: %v", do, a, b, err)
	}
	return string(answer)
}

func (p *probe) want(t *testing.T, want, do, a, b string) {
	t.Helper()
	if got := p.ask(t, do, a, b); got != want {
		t.Errorf("%s %q %q is %s, not %s", do, a, b, got, want)
	}
}

var numberSyntax = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// inputNumber is the value of a number within 45 digits before the point and 27 after it.
func inputNumber(text string) (*big.Rat, bool) {
	number, ok := new(big.Rat).SetString(text)
	if !numberSyntax.MatchString(text) || !ok {
		return nil, false
	}
	places := new(big.Rat).Mul(number, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(27), nil)))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(45+27), nil)
	return number, places.IsInt() && places.Num().CmpAbs(limit) < 0
}

// shortest is the one form in which a kit writes a number, as a JSON string.
func shortest(number *big.Rat) string {
	text := number.FloatString(60)
	return `"` + strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + `"`
}

func TestTypeScriptDecimals(t *testing.T) {
	p := startProbe(t, nil)
	random := rand.New(rand.NewPCG(7, 11))
	largest := strings.Repeat("9", 45) + "." + strings.Repeat("9", 27)
	numbers := []string{"0", "-0", "1", "-1", "999999999999999999", "1000000000000000000", "1e18", "1e44", largest, "-" + largest}
	for _, text := range numbers {
		number, ok := inputNumber(text)
		if !ok {
			t.Fatalf("%s is to be read", text)
		}
		p.want(t, shortest(number), "parse", text, "")
	}
	for _, text := range []string{"1e45", "-1e45", "1" + largest, largest + "9", "1e-28", "1e400"} {
		p.want(t, "null", "parse", text, "")
	}
	for range 3000 {
		text := randomAmountText(random)
		number, ok := inputNumber(text)
		if !ok {
			p.want(t, "null", "parse", text, "")
			continue
		}
		p.want(t, shortest(number), "parse", text, "")
		numbers = append(numbers, text)
	}
	for range 3000 {
		textA, textB := numbers[random.IntN(len(numbers))], numbers[random.IntN(len(numbers))]
		a, _ := inputNumber(textA)
		b, _ := inputNumber(textB)
		p.want(t, shortest(new(big.Rat).Add(a, b)), "add", textA, textB)
		p.want(t, shortest(new(big.Rat).Mul(a, b)), "times", textA, textB)
		p.want(t, shortest(new(big.Rat).Neg(a)), "negated", textA, "0")
		p.want(t, shortest(new(big.Rat).Add(a, a)), "copy", textA, "0")
		p.want(t, fmt.Sprintf("[%d,%v,%v]", a.Cmp(b), a.Sign() == 0, a.Sign() < 0), "compare", textA, textB)
	}
	if len(numbers) < 1000 {
		t.Errorf("%d numbers were read; most should be", len(numbers))
	}
	p.want(t, "null", "square", "100000000000000000000000", "1") // 10^46 is no factor
	p.want(t, `"1"`, "square", "1", "1")
}

func TestTypeScriptJSON(t *testing.T) {
	p := startProbe(t, nil)
	random := rand.New(rand.NewPCG(13, 17))
	for range 1000 {
		source := `"` + strings.ReplaceAll(randomEscapes(random), "\n", "") + `"`
		var want string
		decode(t, source, &want)
		written := strings.ReplaceAll(want, "\x00", "\ufffd") // by the kit; want comes as it was sent
		var got string
		decode(t, p.ask(t, "string", " "+source+"\n", ""), &got)
		if got != written {
			t.Fatalf("%s is %q, not %q", source, got, written)
		}
		p.want(t, "null", "string", "["+source+"]", "")
		var elements []struct{ Name, Value any }
		decode(t, p.ask(t, "members", "[1, "+source+",{\"a\":[]} ]", ""), &elements)
		if len(elements) != 3 || elements[1].Value != want {
			t.Fatalf("[1, %s, {}] has %v", source, elements)
		}
		p.want(t, source, "get", `{"b":2,"a":1 , "a" : `+source+` }`, "a")
		var all []struct{ Name, Value string }
		decode(t, p.ask(t, "members", "{"+source+":"+source+"}", ""), &all)
		if len(all) != 1 || all[0].Name != written || all[0].Value != want {
			t.Fatalf("{%s:%s} has %v", source, source, all)
		}
	}
	for i, source := range []string{"", "null", "false", "true", "-1", `"x"`, "[]", "{}"} {
		p.want(t, fmt.Sprint(i), "kind", source, "")
	}
	for _, source := range []string{"", "{}", "[]", " [ ] ", "{ }", "7", `"x"`} {
		p.want(t, "[]", "members", source, "")
	}
	// No text makes it read out of bounds or loop.
	for range 2000 {
		source := make([]byte, random.IntN(20))
		for i := range source {
			source[i] = `{}[]",:\u1a `[random.IntN(12)]
		}
		for _, do := range []string{"members", "string", "get"} {
			_, err := p.session.Query(url.Values{"do": {do}, "a": {string(source)}, "b": {"a"}}.Encode())
			if view, ok := err.(*wasm.ViewError); ok && view.Kind == wasm.KindTrap { //nolint:errorlint // it is not wrapped
				t.Fatalf("%s %q: %v", do, source, err)
			} else if err != nil {
				p.session.Close() // raw answers of such texts need not be JSON
				p.session = p.start(t, nil)
			}
		}
	}
}

func TestTypeScriptTexts(t *testing.T) {
	p := startProbe(t, nil)
	for _, text := range []string{"", "ascii", "größe 漢字 😀", "\x7f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff", strings.Repeat("é", 40)} {
		var same, quoted string
		decode(t, p.ask(t, "strings", text, ""), &same)
		decode(t, p.ask(t, "shown", text, ""), &quoted)
		if same != text {
			t.Errorf("%q comes back as %q", text, same)
		}
		if len(text) <= 60 && quoted != `"`+text+`"` || !utf8.ValidString(quoted) {
			t.Errorf("%q is shown as %s", text, quoted)
		}
	}
	// NUL is in no text of PostgreSQL's, and nothing that a kit writes makes its JSON operators fail.
	p.want(t, "\"a\ufffd\ufffdb\"", "strings", "a\x00\x00b", "")
	p.want(t, "\"x\ufffd😀\ufffdy\"", "string", `"x\u0000\ud83d\ude00\ude00y"`, "")
	for _, pair := range [][2]string{{"", ""}, {"", "a"}, {"a", "a"}, {"a", "b"}, {"ab", "b"}, {"a", "a/"}, {"é", "z"}} {
		p.want(t, fmt.Sprint(strings.Compare(pair[0], pair[1])), "order", pair[0], pair[1])
		p.want(t, fmt.Sprint(strings.Compare(pair[1], pair[0])), "order", pair[1], pair[0])
	}
	p.want(t, `"\"`+strings.Repeat("é", 30)+`...\""`, "shown", strings.Repeat("é", 31), "")
	p.want(t, `"\"a???(?????\""`, "shown", "a\x00\xff\xc3(\xed\xa0\x80\xf4\x90", "")
}

func TestTypeScriptTimes(t *testing.T) {
	p := startProbe(t, nil)
	random := rand.New(rand.NewPCG(19, 23))
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 3000 {
		at := time.UnixMicro(first.UnixMicro() + random.Int64N(last.UnixMicro()-first.UnixMicro())).UTC()
		p.want(t, at.Format(`"2006-01"`), "month", fmt.Sprint(at.UnixMicro()), "")
		days := at.Truncate(24*time.Hour).Unix() / 86400
		p.want(t, fmt.Sprintf("[%d,%d,%d,%d,true]", at.Year(), at.Month(), at.Day(), days), "date", fmt.Sprint(at.UnixMicro()), "")
		zone := time.FixedZone("", (random.IntN(2*1439)-1439)*60)
		p.want(t, fmt.Sprint(at.UnixMicro()), "time", at.In(zone).Format("2006-01-02T15:04:05.999999Z07:00"), "")
	}
	for _, at := range []time.Time{first.Add(-time.Microsecond), last} {
		p.want(t, "null", "month", fmt.Sprint(at.UnixMicro()), "")
	}
	for text, want := range map[string]string{
		"2025-03-01t12:00:00.1234567z": "1740830400123456", "2025-03-01T12:00:00 01:00": "1740826800000000",
		"2024-02-29T00:00:00Z": "1709164800000000", "2025-02-29T12:00:00Z": "null", "2025-03-01T24:00:00Z": "null",
		"2025-03-01T12:60:00Z": "null", "2025-03-01T12:00:60Z": "null", "2025-04-31T12:00:00Z": "null",
		"2025-03-01T12:00:00": "null", "2025-03-01T12:00:00.Z": "null", "2025-03-01T12:00:00Z ": "null", "2025-03-01": "null", "": "null",
		"2025-13-01T12:00:00Z": "null", "2025-03-01T12:00:00+24:00": "null", "2025-03-01T12:00:00~01:00": "null",
		// Leap seconds: the last of a UTC day, whatever the offset.
		"2016-12-31T23:59:60Z": "1483228800000000", "2016-12-31t23:59:60.25z": "1483228800250000",
		"2017-01-01T05:29:60+05:30": "1483228800000000", "2016-12-31T15:59:60-08:00": "1483228800000000", "2016-12-31T23:59:61Z": "null",
		"2016-12-31T23:59:60+01:00": "null", "2016-12-31T23:58:60Z": "null",
	} {
		p.want(t, want, "time", text, "")
	}
}

// TestTypeScriptState writes, reads back and removes keys, and stops in each way that there is.
func TestTypeScriptState(t *testing.T) {
	v, err := viewtest.Deploy(t.Context(), compileProbe(t), wasm.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	d := &deployed{v}
	var events [][]byte
	for i := range 2500 { // more than are scanned at a time
		events = append(events, fmt.Appendf(nil, `{"do":"set","key":"k/%04d","value":{"n":%d}}`, i, i))
	}
	events = append(events, []byte(`{"do":"remove","key":"k/0007"}`), []byte(`{"do":"set","key":"","value":1}`),
		[]byte(`{"do":"set","key":"a\u0000","value":1}`), []byte(`{"do":"dance","key":"a"}`), []byte(`{"key":"a"}`))
	folded := d.foldAll(t, events)
	if want := []int64{2502, 2503, 2504, 2505}; !slices.Equal(folded.Ignored, want) || len(folded.State) != 2499 {
		t.Errorf("ignored %v with %d keys; %v and 2499 are wanted", folded.Ignored, len(folded.State), want)
	}
	var all map[string]struct{ N int }
	decode(t, d.ask(t, folded.State, "do=state&a=k/&b=k/0003"), &all)
	if len(all) != 2495 || all["k/2499"].N != 2499 {
		t.Errorf("%d keys come after k/0003", len(all))
	}
	// JSON of an event is kept as PostgreSQL can read it.
	kept := d.foldAll(t, [][]byte{
		[]byte(`{"do":"set","key":"a","value":["\u0000 \ud83d \uDE00\ud83d",{"\u0000":"\ud83d\ude00 \\u0000 \\\u0000\n\u0001"}]}`),
	})
	const want = `["\ufffd \ufffd \ufffd\ufffd",{"\ufffd":"\ud83d\ude00 \\u0000 \\\ufffd\n\u0001"}]`
	if got := string(kept.State["a"]); got != want {
		t.Errorf("the state keeps %s, not %s", got, want)
	}
	for text, want := range map[string]string{
		`{"do":"fail","key":"a"}`: "event 1 asks for it", `{"do":"throw","key":"a"}`: "thrown at view.ts:",
	} {
		event := d.event(t, 1, []byte(text))
		session := d.start(t, memoryState{})
		if _, err := session.Fold(event); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, which does not say %q", text, err, want)
		}
		session.Close()
	}
}

func TestTypeScriptConfigAndTypes(t *testing.T) {
	module := compileProbe(t)
	_, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(` { "x" : [1], "refuse" : "w\u0068y" } `)})
	if text, ok := viewtest.Refusal(err); !ok || text != "why" {
		t.Errorf("the configuration is refused with %q, %v", text, err)
	}
	v, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(`{"other":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ do, media string }{{"csv", "text/csv"}, {"plain", "text/plain"}, {"string", "application/json"}} {
		answer, err := v.Ask(t.Context(), memoryState{}, "do="+c.do+"&a=%22x,y%22")
		if err != nil || answer.Type != c.media || !json.Valid(answer.Text) || string(answer.Text) != `"x,y"` {
			t.Errorf("%s: %s %s, %v", c.do, answer.Type, answer.Text, err)
		}
	}
}
