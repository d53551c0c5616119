package tallystick_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// unlinked are packages that the binary must not link, with all below them, and why.
var unlinked = map[string]string{
	"github.com/lib/pq":                          "a second PostgreSQL driver: pgx is ours, whose errors and settings internal/db knows",
	"github.com/jackc/pgx/v4":                    "a second version of the driver: what one of them sets, the other does not have",
	"github.com/go-sql-driver":                   "another database's driver: there is one store",
	"modernc.org":                                "another database's driver, that of goose's tests: there is one store",
	"github.com/fergusstrange/embedded-postgres": "brings lib/pq, and cannot run as root: internal/postgres downloads by itself",
	"github.com/testcontainers":                  "for tests, in a module of its own",
	"github.com/docker":                          "comes with testcontainers, and some forty modules with it",
	"github.com/moby":                            "comes with testcontainers, and some forty modules with it",
	"go.uber.org/goleak":                         "for tests",
	"testing":                                    "for tests: its flags would be the command's",
	modulePath + "internal/testdb":               "for tests: its databases trust everybody",
	modulePath + "internal/testrig":              "for tests: it tampers with what it looks at",
	"github.com/prometheus/prometheus":           "for tests, in a module of its own",
	"plugin":                                     "views are the way to add code, in their sandbox",
}

// within tells whether an import path is the given one or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func TestBinaryLinksNothingItMustNot(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/tally")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := strings.Fields(string(out))
	if len(linked) < 100 {
		t.Fatalf("go list found %d packages in the binary; there are more", len(linked))
	}
	for _, path := range linked {
		for root, why := range unlinked {
			if within(path, root) {
				t.Errorf("the binary links %s: %s", path, why)
			}
		}
	}
}

// unrequired are modules that go.mod must not require, even for tests: whoever depends on this module would inherit them.
var unrequired = []string{
	"github.com/testcontainers", "github.com/docker", "github.com/moby", "github.com/fergusstrange", "github.com/lib/pq",
	"github.com/prometheus/prometheus",
}

// TestNothingServesTheDefaultMux: net/http/pprof and expvar, which comes with Prometheus's client, add themselves to it. Whoever reached it
// could read the server's memory, and its command line with its passwords.
func TestNothingServesTheDefaultMux(t *testing.T) {
	served := regexp.MustCompile(`(?:^|[^.\w])http\.(DefaultServeMux|Handle|HandleFunc|ListenAndServe|ListenAndServeTLS|Serve|ServeTLS)\b`)
	for path, text := range files(t, ".", ".go") {
		if found := served.FindString(text); found != "" && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %s: serve a handler of your own", path, found)
		}
	}
}

func TestModuleRequiresNothingItMustNot(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		path, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "require "), " ")
		for _, root := range unrequired {
			if within(path, root) {
				t.Errorf("go.mod requires %s: what needs it belongs into a module of its own, as internal/testdb/container is", path)
			}
		}
	}
}

// TestClientDependsOnNothing: whoever calls a server from Go takes the client's module alone, not what a server is made of.
func TestClientDependsOnNothing(t *testing.T) {
	const client = "openapi/clients/go"
	text, err := os.ReadFile(client + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "require") || strings.Contains(string(text), "replace") {
		t.Errorf("%s/go.mod requires another module: the client is to depend on the standard library alone", client)
	}
	for path, source := range files(t, client, ".go") {
		if strings.Contains(source, modulePath+"internal/") {
			t.Errorf("%s imports a package of the server's", path)
		}
	}
}
