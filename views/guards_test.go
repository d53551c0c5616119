package views_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

// The worked example with a guard, which every kit has, limits each team's tokens by day. All of them decide and count alike, and as the
// model here does, which computes with rational numbers and knows how each field is meant.

// guardExamples are the worked examples with a guard; that of Go is built here.
var guardExamples = sync.OnceValues(func() (map[string][]byte, error) {
	kit, err := views.FindKit("go")
	if err != nil {
		return nil, err
	}
	files, err := kit.GuardProject("example")
	if err != nil {
		return nil, err
	}
	inGo, err := buildGoFiles(files)
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{"go": inGo}
	for _, kit := range []string{"c", "rust", "typescript"} {
		if found[kit], err = os.ReadFile("dist/kits/" + kit + "_daily_limit.wasm"); err != nil {
			return nil, fmt.Errorf("the %s kit's example with a guard: %w", kit, err)
		}
	}
	return found, nil
})

// guardSides are the worked examples with a guard, deployed with a configuration.
func guardSides(t *testing.T, config string) (all []*side) {
	t.Helper()
	for kit, module := range compileGuards(t) {
		v, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(config)})
		if err != nil {
			t.Fatalf("%s: %v", kit, err)
		}
		all = append(all, &side{name: kit, deployed: &deployed{v}})
	}
	return all
}

func compileGuards(t *testing.T) map[string]*wasm.Module {
	t.Helper()
	built, err := guardExamples()
	if err != nil {
		t.Fatal(err)
	}
	compiled := map[string]*wasm.Module{}
	for kit, code := range built {
		module, err := engine(t).Compile(t.Context(), code)
		if err != nil {
			t.Fatalf("%s: %v", kit, err)
		}
		if !module.HasGuard() {
			t.Fatalf("%s: the module has no guard", kit)
		}
		compiled[kit] = module
	}
	return compiled
}

// TestGuardsPassTheirGoldenFolders plays each project's own; a view without a guard has none.
func TestGuardsPassTheirGoldenFolders(t *testing.T) {
	for kit, module := range compileGuards(t) {
		cases, err := viewtest.Cases(kit + "/guarded/testdata")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			result, err := c.Play(t.Context(), module, wasm.Settings{})
			if err != nil {
				t.Fatalf("%s: %v", kit, err)
			}
			if !result.OK() {
				t.Errorf("%s/%s: %v\n%s", kit, c.Name, result.Faults, viewtest.Diff(result.Want, result.Got))
			}
		}
		if example(t, engine(t), kit).HasGuard() {
			t.Errorf("%s: the example without a guard has one", kit)
		}
	}
}

// guardEvent is an event of which the model knows how it is meant.
type guardEvent struct {
	team, tokens string   // JSON; "" for a member that is missing
	amount       *big.Rat // nil if there are no tokens
	name         string
	fault        string
}

func randomGuardEvent(random *rand.Rand) guardEvent {
	teams := []guardEvent{
		{team: `"search"`, name: "search"},
		{team: `"search"`, name: "search"},
		{team: `"ads"`, name: "ads"},
		{},
		{team: "null"},
		{team: "5", name: "5"},
		{team: "true", name: "true"},
		{team: `"gr\u00f6\u00dfe\ud83d\ude00"`, name: "größe😀"},
		{team: `["search"]`, fault: "team_not_text"},
		{team: `"a\u0000b"`, fault: "team_has_nul"},
		{team: `"` + strings.Repeat("t", 1013) + `"`, name: strings.Repeat("t", 1013)},
		{team: `"` + strings.Repeat("t", 1014) + `"`, fault: "team_too_long"},
	}
	e := teams[random.IntN(len(teams))]
	switch random.IntN(20) {
	case 0:
		e.fault = ""
	case 1:
		e.tokens, e.fault = "null", ""
	case 2:
		e.tokens, e.fault = `"many"`, "tokens_not_a_number"
	case 3:
		e.tokens, e.fault = `{"n":5}`, "tokens_not_a_number"
	case 4:
		e.tokens, e.fault = `1e60`, "tokens_has_too_many_digits"
	case 5:
		e.tokens, e.amount = "0", new(big.Rat)
	default:
		e.amount = big.NewRat(random.Int64N(400_000)-20_000, []int64{1, 10, 1000, 1000}[random.IntN(4)])
		if e.tokens = number(e.amount); random.IntN(3) == 0 {
			e.tokens = `"` + e.tokens + `"`
		}
	}
	return e
}

func (e guardEvent) json() []byte {
	var members []string
	if e.team != "" {
		members = append(members, `"team":`+e.team)
	}
	if e.tokens != "" {
		members = append(members, `"tokens":`+e.tokens)
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// number writes a number of up to three digits after the point as the views do.
func number(n *big.Rat) string {
	text := strings.TrimRight(strings.TrimRight(n.FloatString(3), "0"), ".")
	if strings.Contains(n.FloatString(3), ".") && !strings.Contains(text, ".") && n.IsInt() {
		return n.Num().String() // trailing zeros of a whole number stay
	}
	return text
}

// guardModel is what the examples do, done otherwise.
type guardModel struct {
	limit *big.Rat
	used  map[string]*big.Rat // by key
}

func (m *guardModel) key(e guardEvent, now time.Time) string {
	return now.Format(time.DateOnly) + "/" + e.name
}

func (m *guardModel) usedBy(e guardEvent, now time.Time) *big.Rat {
	if used := m.used[m.key(e, now)]; used != nil {
		return used
	}
	return new(big.Rat)
}

// decide says what the guard decides, as said does.
func (m *guardModel) decide(e guardEvent, now time.Time) string {
	if e.fault == "" && e.amount == nil {
		return "0 0 "
	}
	if e.fault != "" {
		return fmt.Sprintf(`409 0 {"reason":%q}`, e.fault)
	}
	if e.amount.Cmp(m.limit) > 0 {
		return fmt.Sprintf(`403 0 {"limit":%s}`, number(m.limit))
	}
	used := m.usedBy(e, now)
	left := new(big.Rat).Sub(m.limit, new(big.Rat).Add(used, e.amount))
	if left.Sign() >= 0 {
		return fmt.Sprintf(`0 0 {"remaining":%s}`, number(left))
	}
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	seconds := (midnight.Sub(now) + time.Second - 1) / time.Second
	return fmt.Sprintf(`429 %d {"limit":%s,"used":%s,"resets_at":%q}`,
		seconds, number(m.limit), number(used), midnight.Format(time.RFC3339))
}

func (m *guardModel) fold(e guardEvent, now time.Time) {
	if e.fault == "" && e.amount != nil {
		m.used[m.key(e, now)] = new(big.Rat).Add(m.usedBy(e, now), e.amount)
	}
}

func said(v wasm.Verdict) string { return fmt.Sprintf("%d %d %s", v.Status, v.RetryAfter, v.Answer) }

// TestGuardsAgree asks all guards about random events, between folds and batches of the same session, and folds what is admitted; and
// now and then what is not, as it was before the view was deployed.
func TestGuardsAgree(t *testing.T) {
	const events, limit = 4_000, 1_000
	random := rand.New(rand.NewPCG(20250301, 14))
	all := guardSides(t, fmt.Sprintf(`{"limit":%d}`, limit))
	for _, s := range all {
		s.restart(t, memoryState{})
		defer s.close()
	}
	model := &guardModel{limit: big.NewRat(limit, 1), used: map[string]*big.Rat{}}
	now := time.Date(2024, 2, 27, 12, 0, 0, 0, time.UTC)
	statuses := map[string]int{}
	var pending []guardEvent // admitted at now, and not folded yet
	flush := func(sequence int64) {
		for _, s := range all {
			s.foldTogether(t, pending, sequence, now)
		}
		pending = pending[:0]
	}
	for sequence := int64(1); sequence <= events && !t.Failed(); sequence++ {
		e := randomGuardEvent(random)
		if random.IntN(20) == 0 {
			flush(sequence)
			now = now.Add(time.Duration(random.Int64N(int64(5 * time.Hour)))).Truncate(time.Microsecond)
		}
		if random.IntN(40) == 0 {
			flush(sequence)
			for _, s := range all {
				s.restart(t, s.state)
			}
		}
		if random.IntN(3) > 0 { // in between, many events are folded in one call, as when a view catches up
			flush(sequence)
			want := model.decide(e, now)
			statuses[want[:strings.IndexByte(want, ' ')]]++
			for _, s := range all {
				verdict, err := s.session.Guard(s.at(t, sequence, e, now))
				if got := said(verdict); err != nil || got != want {
					t.Errorf("event %d, %s at %s: %s says %s, %v; the model %s", sequence, e.json(), now, s.name, got, err, want)
				}
			}
			if want[0] != '0' && random.IntN(30) > 0 {
				continue
			}
		}
		pending = append(pending, e)
		model.fold(e, now)
	}
	flush(events + 1)
	for _, status := range []string{"0", "403", "409", "429"} {
		if statuses[status] < events/50 {
			t.Errorf("only %d decisions of status %s", statuses[status], status)
		}
	}
	for _, s := range all {
		if s.state.String() != all[0].state.String() {
			t.Errorf("%s has another state than %s:\n%s", s.name, all[0].name, viewtest.Diff(all[0].state.String(), s.state.String()))
		}
		for key, used := range model.used {
			if got, want := string(s.state[key]), `{"tokens":`+number(used)+`}`; got != want {
				t.Errorf("%s: %.40s is %s, not %s", s.name, key, got, want)
			}
		}
		if len(s.state) != len(model.used)+1 {
			t.Errorf("%s has %d keys; the model %d, and what is not counted", s.name, len(s.state), len(model.used))
		}
	}
	for _, query := range []string{"", "day=2024-02-29", "day=2024-02-30", "day=%ff", "team=search", "day=2024-02-28&day=2024-02-29"} {
		compareAnswer(t, all, query)
	}
}

// at is the event as the view sees it, when it is recorded now.
func (s *side) at(t *testing.T, sequence int64, e guardEvent, now time.Time) *wasm.Event {
	event := s.event(t, sequence, e.json())
	event.RecordedAt = now.UnixMicro()
	return event
}

// foldTogether folds the events in one call.
func (s *side) foldTogether(t *testing.T, events []guardEvent, sequence int64, now time.Time) {
	t.Helper()
	var batch []wasm.Event
	for _, e := range events {
		event := *s.at(t, sequence, e, now)
		event.Fields = append([]jsonscan.Value(nil), event.Fields...)
		batch = append(batch, event)
	}
	for len(batch) > 0 {
		n, err := s.session.FoldBatch(batch)
		if n == 0 && err == nil {
			n = 1
			_, err = s.session.Fold(&batch[0])
		}
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		batch = batch[n:]
	}
}

// TestGuardsFailAlike: a configuration that cannot be, and a state that the view cannot have written.
func TestGuardsFailAlike(t *testing.T) {
	refused := func(config string) (words string) {
		for kit, module := range compileGuards(t) {
			_, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(config)})
			if err == nil {
				t.Fatalf("%s takes %s", kit, config)
			}
			if got := refusal(t, err); words == "" {
				words = got
			} else if got != words {
				t.Errorf("%s: %s says %q, another %q", config, kit, got, words)
			}
		}
		return words
	}
	for _, config := range []string{
		`{"limit":-1}`, `{"limit":"5"}`, `{"limit":null}`, `{"limit":1e46}`, `{"limits":5}`, `{"limit":5,"a":6}`,
	} {
		if words := refused(config); !strings.Contains(words, "limit") {
			t.Errorf("%s: %s", config, words)
		}
	}
	for _, s := range guardSides(t, "") {
		s.restart(t, memoryState{"2025-03-01/a": []byte(`{"tokens":"5"}`)})
		_, err := s.session.Guard(s.event(t, 1, []byte(`{"team":"a","tokens":1}`)))
		if words := s.refusal(t, err); !strings.HasPrefix(words, `the state of key "2025-03-01/a" is not what this view writes`) {
			t.Errorf("%s: %s", s.name, words)
		}
		s.close()
	}
}
