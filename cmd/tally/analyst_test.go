package main_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestAnalysts: a login is made, listed and revoked; its password is shown when it is made and never again.
func TestAnalysts(t *testing.T) {
	dsn := testdb.New(t).DSN()
	name := fmt.Sprintf("analyst_of_tests_%d", os.Getpid())
	analyst := func(args ...string) (int, string, string) {
		return with(t, "", append([]string{"analyst", args[0], "--database-url", dsn}, args[1:]...)...)
	}
	status, stdout, stderr := analyst("create", "--name", name, "--actor", "ann")
	password := regexp.MustCompile(`password: ([A-Z0-9]{26})\n`).FindStringSubmatch(stdout)
	if status != 0 || password == nil || !strings.Contains(stdout, name) || stderr != "" {
		t.Fatalf("create: %d: %s%s", status, stdout, stderr)
	}
	status, stdout, stderr = analyst("list")
	if status != 0 || !strings.Contains(stdout, name) || !strings.Contains(stdout, "default") || strings.Contains(stdout, password[1]) {
		t.Errorf("list: %d: %s%s", status, stdout, stderr)
	}
	refuses(t, nil, []string{"analyst", "create", "--database-url", dsn, "--name", name}, "already", "revoke it first")
	refuses(t, nil, []string{"analyst", "create", "--database-url", dsn, "--name", "Ann"}, "lower-case letters")
	refuses(t, nil, []string{"analyst", "create", "--database-url", dsn, "--name", "ann", "--tenant", "none"}, "no such tenant")
	refuses(t, nil, []string{"analyst", "list"}, "--database-url is missing")
	status, stdout, stderr = analyst("revoke", "--yes", "--name", name, "--actor", "ann")
	if status != 0 || !strings.Contains(stdout, "is gone") {
		t.Errorf("revoke: %d: %s%s", status, stdout, stderr)
	}
	refuses(t, nil, []string{"analyst", "revoke", "--yes", "--database-url", dsn, "--name", name}, "has no analyst")
	status, stdout, stderr = analyst("list", "--output", "json")
	if status != 0 || strings.TrimSpace(stdout) != "[]" {
		t.Errorf("list: %d: %s%s", status, stdout, stderr)
	}
}
