package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// program is the built tally command.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tally-conformance-test-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "tally")
	build := exec.Command("go", "build", "-o", program, "./cmd/tally")
	build.Dir, build.Stdout, build.Stderr = root, os.Stderr, os.Stderr
	status := 1
	if build.Run() == nil {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// begin starts a server and the reference that asks it.
func begin(t *testing.T, only string, h habits) (*Stand, *reference) {
	t.Helper()
	stand, err := Start(t.Context(), Options{Root: root, Program: program, UserAgent: referenceAgent, Only: regexp.MustCompile(only)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stand.Close(); err != nil {
			t.Error(err)
		}
	})
	env := map[string]string{}
	for _, setting := range stand.Environment() {
		name, value, _ := strings.Cut(setting, "=")
		env[name] = value
	}
	return stand, &reference{env: env, stand: stand, habits: h}
}

// perform performs all chosen cases and returns those that went wrong, and those that take more than operations.
func (r *reference) perform(t *testing.T) (failed map[string]error, layered []string) {
	t.Helper()
	failed = map[string]error{}
	report, err := os.Create(r.stand.reportFile())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = report.Close() }()
	for _, c := range r.stand.chosen() {
		switch err := r.performCase(t.Context(), &c); {
		case errors.Is(err, errOfLayer):
			layered = append(layered, c.Name)
			continue
		case err != nil:
			failed[c.Name] = err
		}
		if _, err := report.WriteString(c.Name + "\n"); err != nil { // failed ones too: the judge is to see what they left
			t.Fatal(err)
		}
	}
	return failed, layered
}

// TestCasesAreRight: a client that has nothing but the document passes all cases that take no more than operations, and the judge finds
// nothing in what it did.
func TestCasesAreRight(t *testing.T) {
	stand, r := begin(t, "", habits{})
	failed, layered := r.perform(t)
	for name, err := range failed {
		t.Errorf("%s: %v", name, err)
	}
	if t.Failed() {
		return
	}
	found, err := stand.Judge(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range found {
		if slices.ContainsFunc(layered, func(name string) bool { return strings.HasPrefix(finding, "case "+name+" is not") }) ||
			strings.HasPrefix(finding, "operation tail-events") || strings.HasPrefix(finding, "operation watch-view") {
			continue
		}
		t.Error(finding)
	}
	if len(layered) > len(stand.cases)/3 {
		t.Errorf("%d of %d cases take more than operations", len(layered), len(stand.cases))
	}
}

// TestJudgeFinds: what an SDK must not do is found.
func TestJudgeFinds(t *testing.T) {
	stand, r := begin(t, "", habits{})
	for i, c := range []struct {
		name, only string
		habits     habits
		words      string
	}{
		{"other keys", "^lossy-appends$", habits{newKeys: true}, "case lossy-appends: log "},
		{"Retry-After", "^busy-appends$|^append-expected-sequence$", habits{hasty: true}, "though Retry-After asked for 1s"},
		{"what is not safe", "^lossy-create", habits{repeatsAll: true}, "(create-log) was sent again after its answer was lost"},
		{"rounded numbers", "^append-exact-numbers$", habits{roundsNumbers: true}, "has as event 1"},
		{"no User-Agent", "^logs-create-and-get$", habits{silent: true}, `it should begin with "tally-reference/1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			stand.record, stand.run, stand.options.Only = recorder{}, fmt.Sprintf("habit%d", i), regexp.MustCompile(c.only)
			r.habits = c.habits
			r.perform(t)
			found, err := stand.Judge(context.WithoutCancel(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(found, func(finding string) bool { return strings.Contains(finding, c.words) }) {
				t.Errorf("the judge does not find %q but %q", c.words, found)
			}
		})
	}
}
