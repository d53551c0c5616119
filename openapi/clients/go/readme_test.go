package tally_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// readmeProgram has room for the blocks of README.md, each a function's body.
const readmeProgram = `package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

var _ = errors.Join

func main() {
	client, err := tally.New(tally.Options{})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	event := map[string]any{"type": "api.call", "tokens": 12}
	for _, block := range blocks {
		if err := block(context.Background(), client, event); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
}

var blocks = []func(ctx context.Context, client *tally.Client, event any) error{
`

// TestReadme compiles the blocks of README.md after the first one, which check-readme.sh runs, and runs them one after the other.
func TestReadme(t *testing.T) {
	c := server(t).Client
	log := "readme-" + time.Now().Format("150405.000000000")
	if _, err := c.EnsureLog(t.Context(), log, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeployView(t.Context(), log, "tokens", tally.Deployment{
		Ready: "meter", Config: map[string]any{"value": "/tokens", "aggregations": []string{"sum"}},
	}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	program := readmeProgram
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	for _, block := range blocks {
		program += "func(ctx context.Context, client *tally.Client, event any) (err error) {\n" +
			strings.ReplaceAll(block[1], `"acme"`, fmt.Sprintf("%q", log)) + "return err\n},\n"
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	module := "module example.com/readme\n\ngo 1.25\n\nrequire github.com/tallystick/tallystick/openapi/clients/go v0.1.0\n\n" +
		"replace github.com/tallystick/tallystick/openapi/clients/go => " + here + "\n"
	for name, content := range map[string]string{"main.go": program + "}\n", "go.mod": module} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "go", "run", ".")
	run.Dir = dir
	run.Env = append(os.Environ(), "TALLY_URL="+c.URL(), "GOWORK=off", "GOFLAGS=-mod=mod")
	said, err := run.CombinedOutput()
	want := regexp.MustCompile(`^event 1: {"tokens":12,"type":"api.call"}\nanswer after event 1: {.*"sum":"12"}]}\nthe log is at 1\n` +
		`402 credits false\n429 credits true\nthe receiver needs whsec_…\n$`)
	if err != nil || !want.Match(said) || len(blocks) != 5 {
		t.Errorf("%d blocks: %v, said\n%s\nnot %s\n%s", len(blocks), err, said, want, program)
	}
}
