package wasm

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The example of docs/abi.md is what a guest finds in its memory.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuest().fields("/n\n/who").fold(opConst(512), opGet(0), opStore(0), opConst(0))
	m := compile(t, newEngine(t), g)
	s := start(t, m, "", newState())
	ev := event(t, m, `{"n":1.50,"who":"a\u0062"}`)
	ev.Sequence, ev.Time, ev.RecordedAt = 7, 1_740_823_530_500_000, 1_740_823_531_500_000
	if _, err := s.Fold(ev); err != nil {
		t.Fatal(err)
	}
	next := arenaAt
	line := regexp.MustCompile(`(?m)^(\d{4})  ((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2})(?: |$)`)
	for _, found := range line.FindAllStringSubmatch(string(text), -1) {
		at, _ := strconv.Atoi(found[1])
		want, err := hex.DecodeString(strings.ReplaceAll(found[2], " ", ""))
		if err != nil || at != next {
			t.Fatalf("line %q: %v; it should be at %d", found[0], err, next)
		}
		got, _ := s.in.memory.Read(uint32(at), uint32(len(want)))
		if !bytes.Equal(got, want) {
			t.Errorf("at %d there is % x, not % x", at, got, want)
		}
		next += len(want)
	}
	if next != arenaAt+116 {
		t.Errorf("the example ends at %d", next)
	}
}

// What docs/abi.md says imports cost, and may be called in, is what they do.
func TestDocumentedImports(t *testing.T) {
	text, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tallyFunctions {
		var in []string
		for _, p := range []struct {
			phase phase
			name  string
		}{{phaseFields, "fields"}, {phaseFold, "fold"}, {phaseGuard, "guard"}, {phaseQuery, "query"}} {
			if f.phases&p.phase != 0 {
				in = append(in, p.name)
			}
		}
		where := strings.Join(in, ", ")
		if f.phases == phasesOfAll {
			where = "everywhere"
		}
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| `%s` \\| `.*` \\| %s \\|", f.name, where))
		if !row.Match(text) {
			t.Errorf("docs/abi.md does not say that %s may be called in %s", f.name, where)
		}
	}
	for row, units := range map[string]int{
		"| `get`, `get_into` |": gasGet, "| `set`, `delete` |": gasSet, "| `scan` |": gasScan, "| all others, WASI too |": 160,
		"| fold gas |": DefaultFoldGas, "| query gas |": DefaultQueryGas, "| start |": initGas, "| fields |": fieldsGas,
	} {
		var digits []byte
		for i, d := range []byte(strconv.Itoa(units)) {
			if i > 0 && (len(strconv.Itoa(units))-i)%3 == 0 {
				digits = append(digits, ',')
			}
			digits = append(digits, d)
		}
		if want := fmt.Sprintf("%s %s", row, digits); !strings.Contains(string(text), want) {
			t.Errorf("docs/abi.md does not say %q", want)
		}
	}
}
