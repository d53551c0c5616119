package main_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

// TestModules: a module is uploaded by its file, shown, and deployed by its SHA-256; a ready view by its name and version.
func TestModules(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", `{"model":"gpt-4","tokens_in":150}`)
	code := append([]byte(views.MonthlyTotals()), 0, 2, 1, 'x') // which no server has ready
	digest := fmt.Sprintf("%x", sha256.Sum256(code))
	file := filepath.Join(o.dir, "view.wasm")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	o.fails(words("module_not_found", digest), "module", "show", file)
	o.fails(words("there is no module", "gone.wasm"), "module", "put", "gone.wasm")
	o.fails(words("module_not_found", "tally module put"), "view", "deploy", "acme", "totals", "--module", digest)
	if put := o.succeeds(nil, "module", "put", file); put != digest+"\n" {
		t.Errorf("module put printed %q, not the SHA-256 alone", put)
	}
	o.succeeds(words(digest, fmt.Sprintf(`"bytes": %d`, len(code))), "module", "put", file, "--output", "json")
	o.succeeds(words(digest), "module", "show", file)
	o.succeeds(words(digest), "module", "show", digest)
	for _, named := range []string{digest, file} {
		o.succeeds(words("totals version 1 is live on acme, with 1 events folded"),
			"view", "deploy", "acme", "totals", "--module", named)
	}
	o.succeeds(words(digest[:12]), "view", "list", "acme")

	o.succeeds(words("meter@1", "monthly_totals@1", "quota@1", "rate_check@1", "cost_by_team@1", "50,000,000"), "view", "ready")
	listed := o.succeeds(nil, "view", "ready", "--output", "csv")
	newest := views.BuiltIn()[1].Versions[0].SHA256
	if !strings.HasPrefix(listed, "ready,release,module,gas,description\r\n") ||
		!strings.Contains(listed, "\nmeter@1,,"+newest+",50000000,") {
		t.Errorf("view ready in CSV:\n%s", listed)
	}
	o.succeeds(words(`"versions"`, newest), "view", "ready", "--output", "json")
	o.succeeds(words(`"$schema"`, `"group_by"`), "view", "ready", "meter")
	o.fails(words("no ready view metre", "tally view ready"), "view", "ready", "metre")
	o.fails(words("ready_view_not_found", "cost_by_team, meter"), "view", "deploy", "acme", "usage", "--ready", "metre")
	o.fails(words("either --module or --ready"), "view", "deploy", "acme", "usage", "--ready", "meter", "--module", file)
	o.succeeds(words("usage version 1 is live"), "view", "deploy", "acme", "usage", "--ready", "meter@1",
		"--config", `{"value": "/tokens_in", "aggregations": ["sum"]}`)
	o.succeeds(words("usage version 1 is live"), "view", "deploy", "acme", "usage", "--ready", "meter@"+newest[:8],
		"--config", `{"value":"/tokens_in","aggregations":["sum"]}`)
	o.succeeds(words("meter@1"), "view", "list", "acme")
	o.succeeds(words(`"sum":"150"`), "query", "acme", "usage")
	o.succeeds(words("everywhere version 1 on ac*"),
		"view", "pattern", "deploy", "everywhere", "--logs", "ac*", "--ready", "monthly_totals")
	o.succeeds(words("monthly_totals@1"), "view", "pattern", "list")
	if csv := o.succeeds(nil, "module", "list", "--output", "csv"); !strings.HasPrefix(csv, "module,ready,bytes,deployed,created_at\r\n") ||
		strings.Count(csv, "monthly_totals@1") != 1 {
		t.Errorf("modules are listed as\n%s", csv)
	}
}
