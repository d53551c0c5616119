package views_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// holds reports whether an event whose n is this meets a condition.
func holds(t *testing.T, condition, n string) bool {
	t.Helper()
	d := mustDeploy(t, "meter", `{"where":[{"path":"/n",`+condition+`}]}`)
	return len(d.foldAll(t, [][]byte{[]byte(`{"n":` + n + `}`)}).Ignored) == 0
}

// TestMeterComparesEveryNumber: conditions hold, or do not, for numbers of any size.
func TestMeterComparesEveryNumber(t *testing.T) {
	long := strings.Repeat("9", 500)
	for _, c := range []struct {
		condition, n string
		want         bool
	}{
		{`"above":0`, `1000000000000000000`, true},
		{`"above":0`, `"1000000000000000000000000000000000000000000000000000000000"`, true},
		{`"above":0`, `1e-28`, true},
		{`"above":0`, `-1e-28`, false},
		{`"above":0`, `0e99999999999999999999999`, false},
		{`"at_least":0`, `-0.000e-99999999999999999999999`, true},
		{`"below":0`, `-1e400`, true},
		{`"at_most":1e400`, `1` + strings.Repeat("0", 400), true},
		{`"below":1e400`, `1` + strings.Repeat("0", 400), false},
		{`"below":1e400`, `1` + strings.Repeat("0", 399) + `.9`, true},
		{`"above":` + long, long + `.00000000000000000000000000000000000000000001`, true},
		{`"above":` + long, long, false},
		{`"above":1e999999999999999999`, `1e1000000000000000000`, true},
		{`"below":1e999999999999999999`, `1e999999999999999998`, true},
		{`"below":1e-999999999999999999`, `1e-99999999999999999999999999`, true},
		{`"above":-1e999999999999999999`, `-1e1000000000000000000`, false},
		{`"above":1`, `1.` + strings.Repeat("0", 60) + `1`, true},
		{`"is":1e400`, `10e399`, true},
		{`"is":1e400`, `"1e400"`, false},
		{`"is":12`, `12.0`, true},
		{`"is":12`, `1.2e1`, true},
		{`"is":0`, `-0`, true},
		{`"not":1e-40`, `0.1e-39`, false},
		{`"in":[1,1e50]`, `100e48`, true},
		{`"above":0`, `"1,000"`, false},
	} {
		if got := holds(t, c.condition, c.n); got != c.want {
			t.Errorf("%.60s of %.60s: %v, not %v", c.condition, c.n, got, c.want)
		}
	}
	random := rand.New(rand.NewPCG(8, 2026))
	text := func() string {
		whole := fmt.Sprint(random.IntN(3))
		if random.IntN(2) == 0 {
			whole = fmt.Sprint(1+random.IntN(9)) + digits(random, random.IntN(60))
		}
		if random.IntN(2) == 0 {
			whole += "." + strings.Repeat("0", random.IntN(40)) + digits(random, 1+random.IntN(5))
		}
		if random.IntN(2) == 0 {
			whole += fmt.Sprintf("e%d", random.IntN(120)-60)
		}
		return []string{"", "-"}[random.IntN(2)] + whole
	}
	value := func(text string) *big.Rat {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		return r
	}
	for range 300 {
		a, b := text(), text()
		if random.IntN(4) == 0 {
			b = a + "e0"
			if strings.Contains(a, "e") {
				b = strings.Replace(a, "e", "00e", 1)
				if !strings.Contains(a, ".") {
					b = strings.Replace(a, "e", ".00e", 1)
				}
			}
		}
		order := value(a).Cmp(value(b))
		for condition, want := range map[string]bool{
			"above": order > 0, "at_least": order >= 0, "below": order < 0, "at_most": order <= 0,
			"is": order == 0,
		} {
			if got := holds(t, `"`+condition+`":`+b, a); got != want {
				t.Errorf("%s %s %s: %v, not %v", a, condition, b, got, want)
			}
		}
	}
}
