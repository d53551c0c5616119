package api_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
)

// TestScopesAreDocumented: the table of docs/security.md has every operation of the API's description, with the scopes that it needs there.
func TestScopesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	scope := regexp.MustCompile("`([a-z]+)`")
	documented := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`]*)` \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		names := []string{}
		if !strings.HasPrefix(row[2], "none") {
			for _, name := range scope.FindAllStringSubmatch(row[2], -1) {
				names = append(names, name[1])
			}
		}
		documented[row[1]] = names
	}
	if !strings.Contains(string(text), "\n"+access.KeyPattern+"\n") {
		t.Errorf("docs/security.md does not show %s to secret scanners", access.KeyPattern)
	}

	for _, operation := range api.Operations() {
		name := operation.Method + " " + operation.Path
		needed := []string{}
		for _, schemes := range operation.Security {
			for _, scopes := range schemes {
				needed = scopes // the same in each way to send a key
			}
		}
		if got, ok := documented[name]; !ok || !slices.Equal(got, needed) {
			t.Errorf("%s needs one of %q; docs/security.md says %q", name, needed, got)
		}
		if len(needed) > 0 && !strings.HasSuffix(operation.Description, "Needs the scope "+strings.Join(needed, " or ")+".") {
			t.Errorf("%s needs one of %q, and its description does not end with that: %q", name, needed, operation.Description)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/security.md has %s, and the API has not", name)
	}
}
