package testcontainers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/testcontainers"
)

func TestMain(m *testing.M) { testcontainers.Main(m) }

// TestNew: databases are migrated, apart from each other, and on the server that was asked for.
func TestNew(t *testing.T) {
	databases := map[string]*testcontainers.Database{
		"off":   testcontainers.New(t),
		"on":    testcontainers.New(t, testcontainers.WithFsync()),
		"empty": testcontainers.New(t, testcontainers.Empty()),
	}
	for name, d := range databases {
		conn, err := pgx.Connect(t.Context(), d.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context()) //nolint:errcheck // it only read
		var fsync, database string
		var migrated bool
		row := conn.QueryRow(t.Context(), "SELECT current_setting('fsync'), current_database(), to_regclass('log_heads') IS NOT NULL")
		if err := row.Scan(&fsync, &database, &migrated); err != nil {
			t.Fatal(err)
		}
		if name == "empty" && migrated || name != "empty" && (!migrated || fsync != name && os.Getenv("TALLY_TEST_FSYNC") != "on") {
			t.Errorf("the database for %q has fsync %s, and the schema: %t", name, fsync, migrated)
		}
		if database != d.Name() {
			t.Errorf("connected to %s, want %s", database, d.Name())
		}
	}
}

// TestServerSaysWhatIsMissing: without a container engine, the error names what is missing.
func TestServerSaysWhatIsMissing(t *testing.T) {
	program := filepath.Join(t.TempDir(), "server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./server").CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+filepath.Join(t.TempDir(), "none.sock"), "TESTCONTAINERS_RYUK_DISABLED=false")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "a Docker engine must run") {
		t.Fatalf("%v: %s; want an error that says that there is no engine", err, out)
	}
}
