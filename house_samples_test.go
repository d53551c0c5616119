package tallystick_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Why samples are not run. What is not run is checked as far as can be.
const (
	shown     = "no code: what a program prints, a layout, or an abbreviated answer"
	elsewhere = "settings of another program, which make test-gateways runs with settings of its own"
	commands  = "internal/cli TestCommandsInDocs" // and TestCallsInDocs: they name databases, machines and keys of the reader's own
)

// accounts says what runs each block of code in the docs: a test, as its package's folder and its name; a script; or why nothing does. The
// first line that fits a block counts.
var accounts = []struct{ page, kind, by string }{
	{`README\.md`, `console`, "cmd/tally TestReadme"},
	{`README\.md`, `sh docker`, "deploy/dev-image/check.sh"},
	{`docs/tutorials/sql-for-finance\.md`, `text events|json config|sql query|text result`, "internal/db TestFinanceTutorial"},
	{`docs/tutorials/.*`, `sh|text|\w+ file=\S+`, "cmd/tally TestTutorials"},
	{`docs/meter\.md`, `json config|json events|text ask`, "views TestMeterDocs"},
	{`docs/quota\.md`, `json config|json events|text append|text ask`, "views TestQuotaDocs"},
	{`docs/sql\.md`, `sql admin|sql query|text events|text result|json config`, "internal/db TestSQLDocs"},
	{`docs/sources\.md`, `mapping|record|event .*|reject .*|skipped`, "internal/source TestDocumentedExamples"},
	{`docs/alerts\.md`, `json alert|json answer|text reads`, "internal/alert TestAlertsDocs"},
	{`docs/webhooks\.md`, `go|python`, "internal/webhook TestReceiversInDocs"},
	{`docs/webhooks\.md`, `ts`, "openapi/clients/typescript/test/webhooks.test.ts"},
	{`docs/evidence\.md`, `python|ndjson`, "internal/event TestEvidencePage"},
	{`docs/gateways/.*`, `json mapping`, "internal/source TestGatewayPages"},
	{`README\.md|docs/.*`, `sh`, commands},
	{`docs/gateways/.*`, `yaml|nginx|caddy|ini|json|go`, elsewhere},
	{`docs/operations\.md`, `yaml|sql`, "settings and statements for a database and a Prometheus of the reader's own"},
	{`docs/recovery\.md`, `ini`, "settings of a database of the reader's own"},
	{`docs/security\.md`, `js`, "openapi/clients/typescript/test/security.test.ts"},
	{`docs/embed\.md`, `html|js|css`, "internal/dashboard/app/e2e/embed.test.ts"},
	{`docs/api\.md`, `java`, "tools/generators/check.sh"},
	{`docs/.*`, `json|text`, shown},
	{`docs/cli-reference\.md`, ``, "cmd/tally TestExamples"},
}

// block is the beginning and the body of one.
var block = regexp.MustCompile("(?ms)^ *```([^\n]*)\n(.*?)^ *```$")

var fence = regexp.MustCompile("(?m)^ *```")

// TestEverySampleIsAccountedFor: each block of code of the docs is run by a test that exists, or there is a reason why it is not. JSON is
// JSON, unless it is abbreviated.
func TestEverySampleIsAccountedFor(t *testing.T) {
	used := map[int]bool{}
	for page, text := range files(t, ".", ".md") {
		if page != "README.md" && !strings.HasPrefix(page, "docs"+string(filepath.Separator)) {
			continue
		}
		found := block.FindAllStringSubmatch(text, -1)
		if len(fence.FindAllString(text, -1)) != 2*len(found) {
			t.Errorf("%s has a block that does not end", page)
		}
		for _, match := range found {
			kind, body := match[1], match[2]
			i := account(page, kind)
			if i < 0 {
				t.Errorf("%s has a block %q, which nothing runs: have a test run it, or say why not, in house_samples_test.go", page, kind)
				continue
			}
			used[i] = true
			if kind == "json" && !strings.Contains(body, "…") {
				for line := json.NewDecoder(strings.NewReader(body)); line.More(); {
					var value any
					if err := line.Decode(&value); err != nil {
						t.Errorf("%s has JSON that is none: %v: %s", page, err, body)
						break
					}
				}
			}
		}
	}
	for i, a := range accounts {
		if !used[i] {
			t.Errorf("no block of %s is %s: remove the line", a.page, a.kind)
		}
		checkAccount(t, a.by)
	}
}

func account(page, kind string) int {
	for i, a := range accounts {
		if regexp.MustCompile("^(?:"+a.page+")$").MatchString(filepath.ToSlash(page)) &&
			regexp.MustCompile("^(?:"+a.kind+")$").MatchString(kind) {
			return i
		}
	}
	return -1
}

// checkAccount fails the test if what runs a block is not there.
func checkAccount(t *testing.T, by string) {
	t.Helper()
	folder, name, isTest := strings.Cut(by, " Test")
	if !isTest {
		if _, err := os.Stat(by); strings.HasSuffix(by, ".sh") && err != nil {
			t.Error(err)
		}
		return
	}
	for _, text := range files(t, folder, "_test.go") {
		if strings.Contains(text, "\nfunc Test"+name+"(t *testing.T)") {
			return
		}
	}
	t.Errorf("%s has no test Test%s, which is to run samples of the docs", folder, name)
}
