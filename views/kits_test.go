package views_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

// The worked example of every kit is monthly_totals, and must do what the ready view does, byte for byte: the state, the
// ignored events, the answers, and the words of every refusal. The ready view itself is recounted in recount_test.go.

// examples are the worked examples of the kits. That of Go is built here, as a new project is; the others come from dist.
var examples = sync.OnceValues(func() (map[string][]byte, error) {
	inGo, err := buildGo(nil)
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{"go": inGo}
	for _, kit := range []string{"c", "rust", "typescript"} {
		if found[kit], err = os.ReadFile("dist/kits/" + kit + "_monthly_totals.wasm"); err != nil {
			return nil, fmt.Errorf("the %s kit's example: %w", kit, err)
		}
	}
	return found, nil
})

// buildGo builds a new project of the Go kit, with another main.go where one is given.
func buildGo(main []byte) ([]byte, error) {
	kit, err := views.FindKit("go")
	if err != nil {
		return nil, err
	}
	files, err := kit.Project("example")
	if err != nil {
		return nil, err
	}
	if main != nil {
		files["main.go"] = main
	}
	return buildGoFiles(files)
}

func buildGoFiles(files map[string][]byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "tally-go-example-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of the test's own
	for place, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(place))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return nil, err
		}
	}
	build := exec.Command("sh", "build.sh")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off") // nothing is to be downloaded
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build with the Go kit: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "view.wasm"))
}

// example compiles a worked example.
func example(tb testing.TB, e *wasm.Engine, kit string) *wasm.Module {
	tb.Helper()
	built, err := examples()
	if err != nil {
		tb.Fatal(err)
	}
	module, err := e.Compile(tb.Context(), built[kit])
	if err != nil {
		tb.Fatalf("%s: %v", kit, err)
	}
	return module
}

// side is one of the modules that are compared, with the state that it made.
type side struct {
	name string
	*deployed
	state   memoryState
	session *wasm.Session
}

// sides are the ready view, first, and the worked examples, deployed.
func sides(tb testing.TB) []*side {
	tb.Helper()
	built, err := examples()
	if err != nil {
		tb.Fatal(err)
	}
	all := []*side{{name: "the ready view", deployed: mustDeploy(tb, "monthly_totals", "")}}
	e := engine(tb)
	for kit := range built {
		v, err := viewtest.Deploy(tb.Context(), example(tb, e, kit), wasm.Settings{})
		if err != nil {
			tb.Fatalf("%s: %v", kit, err)
		}
		all = append(all, &side{name: kit, deployed: &deployed{v}})
	}
	return all
}

// restart gives the side a new session, on a state.
func (s *side) restart(tb testing.TB, state memoryState) {
	tb.Helper()
	s.close()
	s.state, s.session = state, s.start(tb, state)
}

func (s *side) close() {
	if s.session != nil {
		s.session.Close()
		s.session = nil
	}
}

// fold tells what came of an event: applied, ignored, or the words of the refusal.
func (s *side) fold(tb testing.TB, event *wasm.Event) string {
	tb.Helper()
	ignored, err := s.session.Fold(event)
	switch {
	case err != nil:
		return "refused: " + s.refusal(tb, err)
	case ignored:
		return "ignored"
	}
	return "applied"
}

func (s *side) refusal(tb testing.TB, err error) string {
	tb.Helper()
	text, ok := viewtest.Refusal(err)
	if !ok {
		tb.Fatalf("%s: not a refusal: %v", s.name, err)
	}
	return text
}

// ask asks the side's state.
func (s *side) answer(tb testing.TB, query string) string {
	tb.Helper()
	answer, err := s.Ask(tb.Context(), s.state, query)
	if err != nil {
		return "refused: " + s.refusal(tb, err)
	}
	return answer.Type + "\n" + string(answer.Text)
}

// TestKitsPlayGolden plays the ready view's golden folders with every worked example.
func TestKitsPlayGolden(t *testing.T) {
	built, err := examples()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := viewtest.Cases("testdata/monthly_totals")
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	for kit := range built {
		module := example(t, e, kit)
		for _, c := range cases {
			t.Run(kit+"/"+c.Name, func(t *testing.T) {
				result, err := c.Play(t.Context(), module, wasm.Settings{})
				if err != nil {
					t.Fatal(err)
				}
				if !result.OK() {
					t.Errorf("%s: %v\n%s", c.Dir, result.Faults, viewtest.Diff(result.Want, result.Got))
				}
			})
		}
	}
}

// agreeEvents is how many random events all examples fold, and agreeQueries how many queries they then answer.
const (
	agreeEvents  = 6_000
	agreeQueries = 600
)

// TestKitsAgree folds random events, of which many are odd, in the same random batches, and compares after each.
func TestKitsAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(20261123, 3))
	all := sides(t)
	for _, s := range all {
		s.restart(t, memoryState{})
		defer s.close()
	}
	for sequence := int64(1); sequence <= agreeEvents; sequence++ {
		data := randomEvent(random)
		if random.IntN(4) == 0 {
			data = hostileEvent(random)
		}
		if random.IntN(50) == 0 { // the batch is over
			for _, s := range all {
				s.restart(t, s.state)
			}
		}
		compareFold(t, all, sequence, data, oddTime(random))
		if t.Failed() {
			return
		}
	}
	for _, s := range all[1:] {
		if got, want := s.state.String(), all[0].state.String(); got != want {
			t.Errorf("%s has another state than the ready view:\n%s", s.name, viewtest.Diff(want, got))
		}
	}
	if len(all[0].state) < 50 {
		t.Errorf("the state has only %d keys: %s", len(all[0].state), all[0].state)
	}
	for _, query := range []string{"", "month=2025-03", "uncounted", "uncounted&month=2025-03"} {
		compareAnswer(t, all, query)
	}
	for range agreeQueries {
		compareAnswer(t, all, randomQuery(random, all[0].state))
	}
}

// compareFold folds an event in every side; at 0 it happens when it says.
func compareFold(t *testing.T, all []*side, sequence int64, data []byte, at int64) {
	t.Helper()
	want := ""
	for i, s := range all {
		event, err := s.Event(sequence, data)
		if err != nil {
			return // the server does not take it
		}
		if at != 0 {
			event.Time = at
		}
		got := s.fold(t, event)
		if i == 0 {
			want = got
		}
		if got != want {
			t.Errorf("event %.200s at %d: %s says %q, the ready view %q", data, event.Time, s.name, got, want)
		}
	}
}

// compareAnswer asks every side, and tells what the ready view says.
func compareAnswer(t *testing.T, all []*side, query string) (want string) {
	t.Helper()
	want = all[0].answer(t, query)
	for _, s := range all[1:] {
		if got := s.answer(t, query); got != want {
			t.Errorf("?%s: %s answers\n%.300s\nthe ready view\n%.300s", query, s.name, got, want)
		}
	}
	return want
}

// oddTime is now and then a time that no RFC 3339 text could give, or at the edge; else 0.
func oddTime(random *rand.Rand) int64 {
	const year0, year10000, day = -62_167_219_200_000_000, 253_402_300_800_000_000, 86_400_000_000
	odd := []int64{
		-1 << 63, 1<<63 - 1, year0, year0 - 1, year10000, year10000 - 1, -1, 1,
		random.Int64N(year10000-year0) + year0, day*random.Int64N(40_000) - random.Int64N(2), int64(random.Uint64()),
	}
	if random.IntN(6) > 0 {
		return 0
	}
	return odd[random.IntN(len(odd))]
}

// hostileEvent has members of any kind, shape and length.
func hostileEvent(random *rand.Rand) []byte {
	values := []func() string{
		func() string { return randomAmount(random) },
		func() string { return randomName(random) },
		func() string { return `"` + randomAmountText(random) + `"` },
		func() string { return randomAmountText(random) },
		func() string { return `"` + strings.Repeat(`\u00e9`, random.IntN(600)) + `"` },
		func() string { return `"` + strings.Repeat("m", 1000+random.IntN(30)) + `"` },
		func() string { return `"` + randomEscapes(random) + `"` },
		func() string { return strings.Repeat("[", 20) + `"deep"` + strings.Repeat("]", 20) },
		func() string { return `{"model":` + randomName(random) + `,"tokens_in":1}` },
		func() string { return digits(random, 1+random.IntN(80)) + "e" + digits(random, 1+random.IntN(12)) },
	}
	var members []string
	for _, name := range []string{"model", "tokens_in", "tokens_out", "tokens_in", "mo\\u0064el", "padding"} {
		if random.IntN(4) > 0 {
			members = append(members, `"`+name+`":`+values[random.IntN(len(values))]())
		}
	}
	return []byte("{" + strings.Join(members, ", ") + "}")
}

// randomAmountText is a number, or nearly one.
func randomAmountText(random *rand.Rand) string {
	if random.IntN(3) > 0 {
		most := []int{22, 50}[random.IntN(2)] // digits before the point
		text := strings.Repeat("-", random.IntN(2)) + strings.TrimLeft(digits(random, 1+random.IntN(most)), "0") + "0"
		if random.IntN(2) == 0 {
			text += "." + digits(random, 1+random.IntN(30)) + strings.Repeat("0", random.IntN(40))
		}
		if random.IntN(3) == 0 {
			text += []string{"e", "E"}[random.IntN(2)] + []string{"", "+", "-"}[random.IntN(3)] + digits(random, 1+random.IntN(2))
		}
		return text
	}
	const alphabet = "0123456789.-+eE 0000000000"
	text := make([]byte, random.IntN(24))
	for i := range text {
		text[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(text)
}

func randomEscapes(random *rand.Rand) string {
	pieces := []string{
		`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u0000`, `\u001f`, `\ud83d\ude00`, `\ud83d`, `\udE00`, `\uFFFD`, "é", "漢", "😀",
		"a", "/", " ", "\u2028",
	}
	var b strings.Builder
	for range random.IntN(40) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// randomQuery asks for a month that there is, or something odd.
func randomQuery(random *rand.Rand, state memoryState) string {
	var month string
	for key := range state {
		if !strings.HasPrefix(key, "uncounted/") {
			month = key[:len("2025-03")]
			break
		}
	}
	pieces := []string{
		"month=" + month, "month=2025-03", "month=2025-13", "month=", "month", "=", "&", "&&", "month=2025%2D03", "month=%zz",
		"%6donth=2025-01", "uncounted", "uncounted=", "%75ncounted=1", "uncounted&month=" + month,
		"month=2025-0" + string(rune('0'+random.IntN(10))), "moth=1", "model=gpt-4",
		url.QueryEscape("größe") + "=" + url.QueryEscape("漢字 😀"), "month=" + strings.Repeat("é", random.IntN(60)), "x=%ff%00%1f", "m+n=a+b",
		"%", "%4", strings.Repeat("long", random.IntN(100)), "month=%F0%9F%98%80%F0%9F%98", strings.Repeat("%ff", random.IntN(70)) + "=1",
		"month=" + strings.Repeat("%41%80", random.IntN(50)),
	}
	var parts []string
	for range random.IntN(3) + random.IntN(2) {
		parts = append(parts, pieces[random.IntN(len(pieces))])
	}
	return strings.Join(parts, "&")
}

// TestKitsFailAlike starts from states that a view cannot have written, or cannot add to: every side halts, in the same words.
func TestKitsFailAlike(t *testing.T) {
	event := []byte(`{"model":"m","tokens_in":1,"tokens_out":"0.5"}`)
	half := `0.` + strings.Repeat("0", 53) + `1`
	all := sides(t)
	for _, value := range []string{
		`{"tokens_in":1,"tokens_out":` + overfull + `}`, `{"tokens_in":` + overfull + `,"tokens_out":1}`,
		`{"tokens_in":` + overfull + `,"tokens_out":"1"}`, `{"tokens_in":1` + overfull + `,"tokens_out":1}`,
		`{"tokens_in":"1","tokens_out":1}`, `{"tokens_in":1`, `{}`, `[]`, `null`, `{"tokens_in":1,"tokens_out":1,"more":1}`,
		`{"tokens_out":1,"tokens_in":1}`, ` {"tokens_in":1,"tokens_out":1}`, `{"tokens_in":01,"tokens_out":1}`,
		`{"tokens_in":1e3,"tokens_out":1}`, `{"tokens_in":-1,"tokens_out":-0.5}`, `{"tokens_in":` + half + `,"tokens_out":-` + half + `}`,
		`{"tokens_in":-` + overfull + `,"tokens_out":99999999999999999999.5}`,
		`{"tokens_in":999999999999999999,"tokens_out":999999999999999999.5}`,
		`{"tokens_in":0.` + strings.Repeat("0", 54) + `1,"tokens_out":1}`, `{"tokens_in":1,"tokens_out":1}}`,
		`{"tokens_in":,"tokens_out":1}`, `{"tokens_in":1 ,"tokens_out":1}`,
	} {
		t.Run(value, func(t *testing.T) {
			for _, s := range all {
				s.restart(t, memoryState{"2025-03/m": []byte(value)})
				defer s.close()
			}
			compareFold(t, all, 1, event, 0)
			for _, s := range all[1:] {
				if s.state.String() != all[0].state.String() {
					t.Errorf("%s writes %s, the ready view %s", s.name, s.state, all[0].state)
				}
			}
		})
	}
}

// TestKitsAnswerAtLength asks for more keys than a page of a scan holds, and for answers about as long as one may be.
func TestKitsAnswerAtLength(t *testing.T) {
	all := sides(t)
	const value, uncounted = `{"tokens_in":1,"tokens_out":1}`, `{"tokens_in_not_a_number":1,"last_sequence":1}`
	paged, full := memoryState{}, memoryState{}
	for i := range 2500 { // of which some have totals only, some are uncounted only, and most are both
		group := fmt.Sprintf("2025-%02d/model-%d", 1+i%3, i)
		if i%5 > 0 {
			paged[group] = []byte(value)
		}
		if i%4 > 0 {
			paged["uncounted/"+group] = []byte(uncounted)
		}
	}
	const around = len(`,"":` + value)
	left := wasm.MaxAnswerBytes - len("{}") - len(`,"uncounted":1`)
	full[fmt.Sprintf("uncounted/2025-03/%01000d", 0)] = []byte(uncounted)
	for i := 0; left > 2*(1000+around); i++ {
		full[fmt.Sprintf("2025-03/%01000d", i)] = []byte(value)
		left -= 1000 + around
	}
	refused := 0
	ask := func(state memoryState, query string) {
		for _, s := range all {
			s.state = state
		}
		if strings.HasPrefix(compareAnswer(t, all, query), "refused: ") {
			refused++
		}
	}
	ask(paged, "")
	ask(paged, "month=2025-02")
	ask(paged, "uncounted")
	ask(paged, "uncounted&month=2025-02")
	for over := -3; over <= 3; over++ { // two more keys bring the answer to the limit, and over it
		long := left - 2*around + over
		first, second := "2025-03/y"+strings.Repeat("y", long/2-1), "2025-03/z"+strings.Repeat("z", long-long/2-1)
		full[first], full[second] = []byte(value), []byte(value)
		ask(full, "month=2025-03")
		ask(full, "")
		delete(full, first)
		delete(full, second)
	}
	if refused == 0 || refused >= 2*7 {
		t.Errorf("%d answers were refused as too long: some are to be, and some not", refused)
	}
}

// FuzzKitsAgree sends any event, twice, at any time, and then any query.
func FuzzKitsAgree(f *testing.F) {
	f.Add([]byte(`{"model":"gpt-4","tokens_in":150,"tokens_out":"-4.20e1"}`), int64(0), "month=2025-03")
	f.Add([]byte(`{"model":"\ud83d\u0000","tokens_in":12345678.87654321}`), int64(-1), "m%6fnth=%ff")
	all := sides(f)
	f.Fuzz(func(t *testing.T, data []byte, at int64, query string) {
		for _, s := range all {
			s.restart(t, memoryState{})
			defer s.close()
		}
		compareFold(t, all, 1, data, at)
		compareFold(t, all, 2, data, at)
		compareAnswer(t, all, query)
		for _, s := range all[1:] {
			if s.state.String() != all[0].state.String() {
				t.Errorf("%s writes %s, the ready view %s", s.name, s.state, all[0].state)
			}
		}
	})
}
