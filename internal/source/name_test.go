package source_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/source"
)

func quote(t testing.TB, text string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}

func TestLogNames(t *testing.T) {
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	for _, tt := range []struct{ template, a, b, want string }{
		{"{/a}", "acme", "", "acme"},
		{"{/a}", "Acme.2_x:y@z+w=v-u", "", "Acme.2_x:y@z+w=v-u"},
		{"c-{/a}", "a/b c@d~e\x00\n", "", "c-a~2Fb~20c@d~7Ee~00~0A"},
		{"c-{/a}", "é😀\u0080", "", "c-~C3~A9~F0~9F~98~80~C2~80"},
		{"c-{/a}", "-x", "", "c--x"},
		{"c-{/a}", "~2F", "", "c-~7E2F"},
		{"{/a}", "-x", "", "x~~-x"},
		{"{/a}", "/x", "", "x~~~2Fx"},
		{"{/a}", "~", "", "x~~~7E"},
		{"{/a}", "x~~-x", "", "x~7E~7E-x"},
		{"{/a}", "é", "", "x~~~C3~A9"},
		{"{/a}", id, "", "x~~" + id},
		{"{/a}", strings.ToUpper(id), "", "x~~" + strings.ToUpper(id)},
		{"{/a}", "x" + id, "", "x" + id},
		{"{/a}", id[:35] + "g", "", id[:35] + "g"},
		{id[:8] + "{/a}", id[8:], "", "x~~" + id},
		{"c-{/a}", id, "", "c-" + id},
		{"{/a}-{/b}", "x-y", "z-w", "x~2Dy-z-w"},
		{"{/a}-{/b}", "x", "y-z-w", "x-y-z-w"},
		{"{/a}xy{/b}", "xyx", "xy", "x~~~78y~78xyxy"},
		{"{/a}:{/b}.u", "a:b.u", "c:d.u", "a~3Ab.u:c:d.u.u"},
		{"{/a}", strings.Repeat("x", 200), "", strings.Repeat("x", 200)},
		{"{/a}", "-" + strings.Repeat("x", 196), "", "x~~-" + strings.Repeat("x", 196)},
		{"{/a}", "-" + strings.Repeat("x", 197), "", ""},
		{"c{/a}", strings.Repeat("x", 200), "", ""},
		{"{/a}", strings.Repeat("é", 32), "", "x~~" + strings.Repeat("~C3~A9", 32)},
		{"{/a}", strings.Repeat("é", 33), "", ""}, // 198 characters, and three of the mark
	} {
		m := parse(t, mapping(`"log":`+quote(t, tt.template)))
		line := m.Map([]byte(`{"a":` + quote(t, tt.a) + `,"b":` + quote(t, tt.b) + `}`))
		if tt.want == "" {
			if line.Code != "invalid_log_name" || line.Log != "" {
				t.Errorf("%s with %.30q: %+v, want it too long", tt.template, tt.a, line)
			}
			continue
		}
		if line.Log != tt.want {
			t.Errorf("%s with %q, %q: the log %q, want %q (%s)", tt.template, tt.a, tt.b, line.Log, tt.want, line.Detail)
		}
		if err := eventlog.CheckName("the name", line.Log); err != nil {
			t.Error(err)
		}
	}
}

// nameAlphabets are what random values are made of: few characters, so that values meet in every way that they can.
var nameAlphabets = []string{"ab", "a-", "-~", "x~-", "x~2F/", "~27E", "x~:-:", "é\u0000/ ", "a~DdF", "x2D"}

// TestNamesAreInjective: whatever the template, different values give different names, which are names that a log can have.
func TestNamesAreInjective(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, template := range []string{
		"{/a}", "c-{/a}", "{/a}-{/b}", "{/a}x{/b}", "{/a}2{/b}x", "{/a}:{/b}", "{/a}D-x{/b}", "a{/a}aa{/b}a", "x{/a}x{/b}",
	} {
		m := parse(t, mapping(`"log":"`+template+`"`))
		pair := strings.Contains(template, "/b")
		of := map[string]string{}
		marked := 0
		for i := range 10_000 {
			a, b := randomText(random, nameAlphabets[i%len(nameAlphabets)]), "y"
			if pair {
				b = randomText(random, nameAlphabets[i%len(nameAlphabets)])
			}
			values := `"a":` + quote(t, a) + `,"b":` + quote(t, b)
			name := m.Map([]byte(`{` + values + `}`)).Log
			if err := eventlog.CheckName("the name", name); err != nil {
				t.Fatalf("%s with %s: %v", template, values, err)
			}
			if other, ok := of[name]; ok && other != values {
				t.Fatalf("%s: both %s and %s are in %q", template, values, other, name)
			}
			of[name] = values
			if strings.Contains(name, "x~~") {
				marked++
			}
		}
		if len(of) < 1000 || marked == 0 && strings.HasPrefix(template, "{") {
			t.Errorf("%s: only %d names, %d of them marked", template, len(of), marked)
		}
	}
}

func randomText(random *rand.Rand, alphabet string) string {
	letters := []rune(alphabet)
	var text strings.Builder
	for range 1 + random.IntN(6) {
		text.WriteRune(letters[random.IntN(len(letters))])
	}
	return text.String()
}

// FuzzNames: a name can be read back to the value that it was made of.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"acme", "-a", "~", "x~~", "é/", "01890a5d-ac96-774b-bcce-b302099a8057", "0\x00"} {
		f.Add(seed)
	}
	m, err := source.Parse([]byte(mapping(`"log":"{/a}"`)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.ToValidUTF8(value, "")
		line := m.Map([]byte(`{"a":` + quote(t, value) + `}`))
		if line.Code == "no_log" && value == "" || line.Code == "invalid_log_name" && len(value) > 65 {
			return
		}
		if err := eventlog.CheckName("the name", line.Log); err != nil {
			t.Fatal(err)
		}
		if got, err := unescapeName(line.Log); err != nil || got != value {
			t.Fatalf("%q became %q, which reads as %q, %v", value, line.Log, got, err)
		}
	})
}

// unescapeName reads a name as docs/sources.md explains it.
func unescapeName(name string) (string, error) {
	name = strings.TrimPrefix(name, "x~~")
	var out []byte
	for i := 0; i < len(name); i++ {
		if name[i] != '~' {
			out = append(out, name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", fmt.Errorf("%q ends in an escape", name)
		}
		b, err := strconv.ParseUint(name[i+1:i+3], 16, 8)
		if err != nil {
			return "", err
		}
		out = append(out, byte(b))
		i += 2
	}
	return string(out), nil
}
