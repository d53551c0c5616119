package bench

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
)

// runTally builds the command and runs its bench, which must not take longer than patience. It returns what was printed.
func runTally(t *testing.T, patience time.Duration, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tally")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/tallystick/tallystick/cmd/tally")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building tally: %v\n%s", err, output)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"bench"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it stops what it started
	cmd.WaitDelay = time.Minute
	var progress strings.Builder
	cmd.Stderr = &progress
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("tally bench %v: %v\n%s", args, err, &progress)
	}
	return string(output)
}

func readReport(t *testing.T, file string) *Report {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report Report
	if err := json.Unmarshal(content, &report); err != nil {
		t.Fatalf("the report is not JSON: %v\n%s", err, content)
	}
	return &report
}

// TestQuick runs everything that a full run does, in small.
func TestQuick(t *testing.T) {
	// The server's user must be able to enter the folder, which it could not within t.TempDir as root.
	folder, err := os.MkdirTemp("", "tally-bench-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	table := runTally(t, 15*time.Minute, "--quick", "--report", file, "--data-dir", folder)
	report := readReport(t, file)

	for i, name := range RowNames() {
		if i >= len(report.Rows) || report.Rows[i].Name != name {
			t.Fatalf("row %d is not %q in %+v", i, name, report.Rows)
		}
		row := &report.Rows[i]
		if _, err := exec.LookPath("wrk"); name == "second-client" && err != nil {
			continue // not measured where there is no wrk
		}
		low, high := plausible(row.Unit)
		if name == "reset" { // a difference of two measurements, of which either may have been disturbed
			low = -high
		}
		if row.Value < low || row.Value > high {
			t.Errorf("%s is %g %s, which cannot be: it is from %g to %g anywhere", name, row.Value, row.Unit, low, high)
		}
		if row.Met != nil {
			t.Errorf("%s has a verdict in a quick run", name)
		}
		if !strings.Contains(table, "\n"+name+" ") || row.Figures == "" {
			t.Errorf("the table lacks %s, or what it was made of (%q):\n%s", name, row.Figures, table)
		}
	}
	checkFigures(t, report.Measured)
	if m := report.Machine; m.Cores < 1 || !m.OwnServer || m.PostgreSQL == "" {
		t.Errorf("the report does not say what it was measured on: %+v", m)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("the run left %v behind (%v)", left, err)
	}
}

// mostRatio bounds a ratio in a run so short that a single moment makes it: a stalled disk, or a lane that is held up before a log leaves
// it, on either side.
const mostRatio = 100_000

// plausible bounds a row's value on any machine.
func plausible(unit string) (low, high float64) {
	switch unit {
	case "×":
		return 1.0 / mostRatio, mostRatio
	case "MB":
		return leastGrowth, 2000
	case "ms":
		return 0.01, 5000
	case "µs":
		return 0.05, 5000
	case "s":
		return 0.0001, 60
	case "/s":
		return 1, 10_000_000
	default:
		return 0.005, 500
	}
}

func checkFigures(t *testing.T, measured []Figure) {
	t.Helper()
	var want []string
	for _, phase := range phases() {
		for _, m := range phase.measurements {
			want = append(want, m.names...)
		}
	}
	want = slices.DeleteFunc(want, func(name string) bool { return strings.HasPrefix(name, "kafka/") }) // a run of their own
	for _, f := range measured {
		want = slices.DeleteFunc(want, func(name string) bool { return name == f.Name })
		if f.PerSecond < 0.01 || f.PerSecond > 100_000_000 || f.P50 < 0 || f.P99 < f.P50 || f.Longest < f.P99 {
			t.Errorf("%s has implausible figures: %+v", f.Name, f)
		}
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		want = slices.DeleteFunc(want, func(name string) bool { return name == wrkOne })
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v", want)
	}
}

// TestOtherServer measures on a server that is there already, and leaves nothing on it.
func TestOtherServer(t *testing.T) {
	database := testdb.New(t, testdb.WithFsync(), testdb.Empty())
	file := filepath.Join(t.TempDir(), "report.json")
	runTally(t, 15*time.Minute, "--quick", "--rows", "latency", "--duration", "100ms", "--database-url", database.DSN(), "--report", file)
	report := readReport(t, file)
	if len(report.Rows) != 1 || report.Rows[0].Value <= 0 || report.Machine.OwnServer {
		t.Errorf("the report does not hold the one row, or not the other server: %+v", report)
	}
	conn, err := pgx.Connect(t.Context(), database.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing is lost
	var left int
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'tally\\_bench\\_%'").Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d databases were left behind (%v)", left, err)
	}
}

// TestUnsafeServer: figures of a server that does not wait for the disk must not come to be.
func TestUnsafeServer(t *testing.T) {
	database := testdb.New(t, testdb.WithFsync(), testdb.Empty())
	unsafe := database.DSN() + "&options=-csynchronous_commit%3Doff"
	_, err := Run(t.Context(), Config{Program: "none", Duration: time.Second, Rounds: 1, DatabaseURL: unsafe, Progress: t.Output()})
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit is off") {
		t.Errorf("the server was not refused for that: %v", err)
	}
}
