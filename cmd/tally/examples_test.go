package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/cli"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/views"
)

// prepare are commands that make what the examples of others take for granted.
var prepare = map[string]string{
	"website": "tally log ensure website",
	"log":     "tally log ensure acme && tally batch acme history.ndjson",
	"view": "tally view deploy acme monthly-totals --ready monthly_totals --gas 1000000 && " +
		"tally view deploy acme monthly-totals --ready monthly_totals --gas 2000000 && " +
		"tally view deploy acme monthly-totals --ready monthly_totals --gas 3000000",
	"pattern": "tally log ensure customer-1 && tally view pattern deploy usage --logs 'customer-*' --ready meter --config @meter.json",
	"acme":    "tally log ensure acme",
	"webhook": "tally webhook create https://billing.example.com/hooks; " +
		"WEBHOOK=$(tally webhook list --output csv | tail -n 1 | cut -d , -f 1)",
	"delivery": "DELIVERY=$(tally webhook test $WEBHOOK --output csv | tail -n 1 | tr -d '\r')",
	"alert":    "tally alert put tokens alert.json",
	"watched":  "tally log ensure customer-acme && tally view deploy customer-acme quota --ready quota --config @quota.json",
	"quota": "tally view deploy acme quota --ready quota --config " +
		`'{"credits":{"type":"chat","value":"/cost","scope":"/model"},"limits":[{"name":"tokens","window":"month","limit":5}]}'`,
	"welcome": "tally quota grant acme 25.00 --name welcome",
	"source": "for n in 1 2 3; do tally source put litellm --ready litellm --set log=acme-$n; done; " +
		"tally ingest --state s1 --source litellm rejects.ndjson || [ $? = 3 ]",
	"module":      "tally module put view.wasm",
	"key":         "tally key create --name gateway-1 --scopes append",
	"tenant":      "tally tenant create acme || tally tenant show acme",
	"no tenant":   "if tally tenant show acme; then tally tenant update acme --name was-$RANDOM$RANDOM; fi",
	"other names": "if tally tenant show acme-europe; then tally tenant update acme-europe --name was-$RANDOM$RANDOM; fi",
	"analyst":     "tally analyst create --database-url \"$DSN\" --tenant acme --name acme_ann || true",
	"no analyst":  "tally analyst revoke --database-url \"$DSN\" --tenant acme --name acme_ann --yes || true",
	"evidence": "rm -f acme-2025-03.checkpoint acme.ndjson.zst && tally checkpoint acme --file acme-2025-03.checkpoint && " +
		"tally events export acme --file acme.ndjson.zst",
	"no files": "rm -rf monthly-totals views acme* signing.key build goldens",
	"project":  "rm -rf goldens build && cp -r testdata goldens && mkdir build && cp view.wasm build/",
	"profiles": "tally login --profile staging && tally login --profile production",
}

// takesForGranted says by command what its examples need.
var takesForGranted = map[string][]string{
	"tally append": {"log"}, "tally batch": {"log"}, "tally query": {"log", "view"}, "tally watch": {"log", "view"},
	"tally module put": {"log"}, "tally module show": {"module"}, "tally view ready": {"log"},
	"tally events": {"log", "no files"}, "tally events export": {"log", "no files"}, "tally events list": {"log"},
	"tally events explain": {"log", "view"},
	"tally events show":    {"log"}, "tally events tail": {"log"}, "tally log show": {"log"}, "tally ingest": {"log", "website"},
	"tally source delete": {"source"}, "tally source replay": {"source"}, "tally source show": {"source"},
	"tally source test": {"source"}, "tally source versions": {"source"}, "tally view": {"log", "no files"},
	"tally view audit": {"log", "view"}, "tally view deploy": {"log"}, "tally view preview": {"log"}, "tally module list": {"module"},
	"tally view pattern deploy": {"log"}, "tally view list": {"log", "view"},
	"tally view new": {"no files"}, "tally view pattern": {"pattern"}, "tally view pattern retire": {"pattern"},
	"tally view pattern show": {"pattern"}, "tally view retire": {"log", "view"}, "tally view rollback": {"log", "view"},
	"tally view show": {"log", "view"}, "tally view test": {"project"}, "tally view versions": {"log", "view"},
	"tally audit-log": {"tenant"}, "tally checkpoint": {"log", "no files"}, "tally keygen": {"no files"},
	"tally verify": {"log", "view", "evidence"}, "tally key list": {"tenant"}, "tally key rotate": {"key"},
	"tally key revoke": {"key"}, "tally key show": {"key"}, "tally tenant": {"no tenant"}, "tally tenant create": {"no tenant"},
	"tally tenant resume": {"tenant"}, "tally tenant show": {"tenant"}, "tally tenant suspend": {"tenant"},
	"tally tenant update": {"tenant", "other names"}, "tally token": {"log"}, "tally token create": {"log", "view"},
	"tally profile use": {"profiles"}, "tally profile remove": {"profiles"}, "tally analyst create": {"tenant", "no analyst"},
	"tally analyst revoke": {"tenant", "analyst"}, "tally": {"no files"},
	"tally quota": {"acme"}, "tally quota grant": {"acme", "quota"}, "tally quota revoke": {"acme", "quota", "welcome"},
	"tally quota balance": {"acme", "quota", "welcome"}, "tally quota limits": {"acme", "quota"},
	"tally quota grants": {"acme", "quota", "welcome"}, "tally quota reservations": {"acme", "quota", "welcome"},
	"tally quota history": {"acme", "quota", "welcome"}, "tally webhook show": {"webhook"}, "tally webhook update": {"webhook"},
	"tally webhook delete": {"webhook"}, "tally webhook rotate": {"webhook"}, "tally webhook test": {"webhook"},
	"tally webhook deliveries": {"webhook"}, "tally alert": {"watched"}, "tally alert show": {"alert"},
	"tally alert crossings": {"watched", "alert"}, "tally alert test": {"watched", "alert"}, "tally alert delete": {"alert"},
	"tally webhook delivery": {"webhook", "delivery"}, "tally webhook replay": {"webhook"},
}

// notRun are commands whose examples no test runs, and why.
var notRun = map[string]string{
	"tally":             "it begins with a server; its commands are run one by one",
	"tally serve":       "TestServe and all tests with a server",
	"tally dev":         "TestDev",
	"tally demo":        "make demo, in CI",
	"tally bench":       "TestQuickBench",
	"tally view resume": "it needs a view that halts twice: TestViewLife",
}

// goOn are commands that end when they are interrupted.
var goOn = []string{"tally events tail", "tally watch", "--follow"}

// TestExamples: every command's help has examples, and they are run as they stand, each command's in a tenant of its own.
func TestExamples(t *testing.T) {
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	dir := folder(t)
	signing := filepath.Join(dir, "server.key")
	verifier := succeeds(t, dir, []string{"keygen", "--name", "billing.example.com", "--file", signing})
	p := serving(t, nil, append(serve(dsn), "--signing-key", signing)...)
	write(t, filepath.Join(dir, "verifier.txt"), verifier)
	playground(t, dir)
	tenant, unknown := 0, map[string]bool{}
	for path := range takesForGranted {
		unknown[path] = true
	}
	cli.Walk(cli.New(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		delete(unknown, path)
		if cmd.IsAdditionalHelpTopicCommand() || cmd.Name() == "help" || cmd.Parent() != nil && cmd.Parent().Name() == "completion" ||
			cmd.Name() == "completion" {
			return // cobra's own
		}
		if cmd.Example == "" || cmd.Short == "" {
			t.Errorf("the help of %s has no example, or does not say what it is for", path)
		}
		if strings.HasSuffix(cmd.Short, ".") || strings.Contains(cmd.Example, "\t") || !strings.HasPrefix(cmd.Example, "  ") {
			t.Errorf("the help of %s: a full stop, a tab, or no two spaces before an example", path)
		}
		if notRun[path] != "" {
			return
		}
		tenant++
		example := []byte(script(path, cmd.Example, strings.TrimPrefix(p.url, "http://")))
		shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", string(example))
		shell.Dir = dir
		shell.Env = []string{
			"PATH=" + dir + "/bin:" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "USER=ada", "TALLY_URL=" + p.url, "TALLY_KEY=" + key,
			fmt.Sprintf("TALLY_TENANT=examples-%d", tenant), "DSN=" + dsn, "TALLY_LISTEN=" + strings.TrimPrefix(p.url, "http://"),
		}
		if said, err := shell.CombinedOutput(); err != nil {
			t.Errorf("the examples of %s: %v\n%s\n%s", path, err, example, said)
		}
	})
	for path := range unknown {
		t.Errorf("there is no command %s", path)
	}
}

// script is the examples of a command, ready to run: on this test's server and database, and those that go on interrupted after a while.
func script(path, example, address string) string {
	lines := []string{"TALLY_TENANT= tally tenant create $TALLY_TENANT >/dev/null"}
	if strings.Contains(path, "tenant") || strings.Contains(path, "analyst") || strings.Contains(path, "token") {
		lines = append(lines, "unset TALLY_TENANT") // they act on tenants, or by a key of the tenant's own
	}
	for _, need := range takesForGranted[path] {
		lines = append(lines, "{ "+prepare[need]+"; } >/dev/null 2>&1")
	}
	example = strings.ReplaceAll(example, "\\\n", "")
	for _, line := range strings.Split(example, "\n") {
		line = strings.TrimSpace(line)
		for from, to := range map[string]string{
			"postgres://tally_owner@db.internal/tally": `"$DSN"`, "postgres://tally@db.internal/tally": `"$DSN"`,
			"127.0.0.1:8080": address, "https://tally.example.com": "http://" + address, "/run/secrets/": "", "/var/log/nginx/": "",
			"4fJ0aZq7TnYkP2Lw": "$(tally key create --name another --scopes read --database-url \"$DSN\" | cut -c7-22)",
		} {
			line = strings.ReplaceAll(line, from, to)
		}
		switch {
		case strings.Contains(line, "…"):
			continue // left to the reader
		case slices.ContainsFunc(goOn, func(word string) bool { return strings.Contains(line, word) }):
			line = strings.Replace(line, "tally events tail", interrupted+"tally events tail", 1)
			line = strings.Replace(line, "tally watch", interrupted+"tally watch", 1)
			if strings.Contains(line, "--follow") {
				line = interrupted + line
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// interrupted has a command end by Ctrl-C after three seconds. In the foreground, timeout sends one signal; else it sends a second one to
// the whole group, by which a command that is just ending is killed.
const interrupted = "timeout --foreground --preserve-status -s INT 3 "

// playground writes the files and programs that examples name.
func playground(t *testing.T, dir string) {
	t.Helper()
	var history, packed bytes.Buffer
	for n := range 1200 {
		fmt.Fprintf(&history, `{"id":"history-%d","type":"api.call","model":"gpt-4","time":"2025-03-0%dT10:00:00Z"}`+"\n", n, n/200+1)
	}
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`{"id":"packed","log":"acme","type":"api.call"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"history.ndjson": history.String(), "usage.ndjson": `{"id":"usage-1"}` + "\n", "usage.json": `[{"id":"usage-2"}]`,
		"usage.ndjson.gz": packed.String(), "access.log": `1.2.3.4 - - [01/Mar/2025:10:05:30 +0000] "GET / HTTP/1.1" 200 5` + "\n",
		"jobs.csv":     "job_id,finished,seconds,team\nj1,2025-03-01T10:05:30Z,31,red\n",
		"payload.json": `{"id":"p","startTime":1740823530,"response_cost":0.5}`, "rejects.ndjson": `{"none":"of it"}` + "\n",
		"mapping.json": `{"log":"acme","id":"{/id}","keep":true}`, "prices.json": `{"prices":{"*":{"tokens_in":"0.5","tokens_out":"1"}}}`,
		"quota.json": `{"limits":[{"name":"calls","window":"year","limit":2}]}`,
		"alert.json": `{"logs":"customer-*","view":"quota","question":{"show":"limits"},"value":"/limits/0/used","thresholds":["1"]}`,
		"meter.json": `{"group_by":{"team":"/team"}}`, "view.wasm": string(views.MonthlyTotals()), "tally-key": key,
		"testdata/first/events.ndjson": `{"model":"a","tokens_in":1}` + "\n", "testdata/first/queries.txt": "\n",
		// Programs of others, which need not be installed.
		"bin/curl": "#!/bin/sh\ncat payload.json\n",
		"bin/jq":   "#!/bin/sh\ncase \"$1\" in -n) echo '{\"seconds\":31}';; *) cat ${3-} | tr -d '[]';; esac\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	for _, program := range []string{"curl", "jq"} {
		if err := os.Chmod(filepath.Join(dir, "bin", program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(tally, filepath.Join(dir, "bin/tally")); err != nil {
		t.Fatal(err)
	}
	succeeds(t, dir, []string{"view", "test", "--update"})
}
