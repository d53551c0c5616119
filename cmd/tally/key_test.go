package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/testdb"
)

const allScopes = "append,read,query,deploy,admin,operator"

var keyText = regexp.MustCompile(access.KeyPattern)

// without takes variables away from a command.
func without(names ...string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		var kept []string
		for _, variable := range cmd.Env {
			name, _, _ := strings.Cut(variable, "=")
			if !strings.Contains(strings.Join(names, " "), name) {
				kept = append(kept, variable)
			}
		}
		cmd.Env = kept
	}
}

// with runs a command that asks by a key, and returns its status, and what it printed on each output.
func with(t *testing.T, key string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tally, args...)
	cmd.Env = []string{"TALLY_KEY=" + key}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its state says all
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// makeKey runs tally key create, which prints the key alone, and returns it.
func makeKey(t *testing.T, by string, args ...string) string {
	t.Helper()
	status, stdout, stderr := with(t, by, append([]string{"key", "create"}, args...)...)
	if status != 0 || !strings.Contains(stderr, "not shown again") || keyText.MatchString(stderr) {
		t.Fatalf("tally key create %q ended with %d, and says:\n%s", args, status, stderr)
	}
	if !keyText.MatchString(stdout) || len(strings.TrimSpace(stdout)) != len(access.GenerateKey()) {
		t.Fatalf("tally key create %q does not print a key alone: %q", args, stdout)
	}
	return strings.TrimSpace(stdout)
}

// idOf is the id of a key.
func idOf(key string) string { return key[len("tally_"):][:16] }

// get asks a server by a key, "" for none, and returns the status and the answer.
func (p *process) get(key, path string) (status int, answer string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// becomes waits until a server answers a key with a status.
func (p *process) becomes(status int, key, path string) {
	p.t.Helper()
	t, ok := p.t.(*testing.T)
	if !ok {
		p.t.Fatal("not a test")
	}
	waitFor(t, func() bool {
		got, _ := p.get(key, path)
		return got == status
	})
}

// TestFirstKey: a server of an empty database refuses every call and says what to do; that makes a key which the running server takes.
func TestFirstKey(t *testing.T) {
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	p := serving(t, without("TALLY_BOOTSTRAP_KEY"), serve(dsn)...)
	p.says("There is no key yet, so every request is refused",
		"tally key create --database-url", "TALLY_BOOTSTRAP_KEY", "tally key generate")
	for _, path := range []string{"/logs", "/keys", "/tenants", "/audit-log", "/views"} {
		for _, key := range []string{"", access.GenerateKey(), "tally_"} {
			if status, answer := p.get(key, path); status != http.StatusUnauthorized || !strings.Contains(answer, "unauthorized") {
				t.Errorf("GET %s with the key %q: %d: %s", path, key, status, answer)
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, answer := p.get("", path); status != http.StatusOK {
			t.Errorf("GET %s: %d: %s", path, status, answer)
		}
	}
	first := makeKey(t, "", "--database-url", dsn, "--name", "admin", "--scopes", allScopes)
	p.becomes(http.StatusOK, first, "/logs")
	if status, stdout, stderr := with(t, first, "audit-log", "--url", p.url); status != 0 ||
		!strings.Contains(stdout, "key.create") || !strings.Contains(stdout, "admin") || !strings.Contains(stdout, "login ") {
		t.Errorf("the audit log: %d: %s%s", status, stdout, stderr)
	}
	// All keys are lost: the database has a list of them, and ends them.
	args := []string{"--database-url", dsn}
	limited := []string{"key", "create", "--name", "limited", "--scopes", "read", "--limit", "views=1"}
	refuses(t, nil, append(limited, args...), "it is a limit of tenants")
	if status, stdout, stderr := with(t, "", append([]string{"key", "list"}, args...)...); status != 0 ||
		!strings.Contains(stdout, idOf(first)) || !strings.Contains(stdout, "active") || strings.Contains(stdout, first) {
		t.Errorf("key list --database-url: %d: %s%s", status, stdout, stderr)
	}
	other := makeKey(t, "", append(args, "--name", "found", "--scopes", "admin")...)
	p.becomes(http.StatusOK, other, "/keys")
	if status, stdout, stderr := with(t, "", append([]string{"key", "revoke", "--yes", "admin"}, args...)...); status != 0 ||
		!strings.Contains(stdout, "is revoked") {
		t.Errorf("key revoke --database-url: %d: %s%s", status, stdout, stderr)
	}
	p.becomes(http.StatusUnauthorized, first, "/logs")
	refuses(t, nil, append([]string{"key", "create", "--name", "found", "--scopes", "admin"}, args...), "another key has that name")
	refuses(t, nil, append([]string{"key", "list", "--tenant", "none"}, args...), "no tenant none")
	refuses(t, nil, append([]string{"key", "list", "--url", p.url}, args...), "--url", "--database-url", "one of them")

	empty := testdb.New(t, testdb.WithFsync(), testdb.Empty()).DSN()
	refuses(t, nil, []string{"key", "create", "--database-url", empty, "--name", "a", "--scopes", "admin"}, "tally migrate")
}

// TestBootstrapKey: the key in a server's environment is made once, with all scopes, and stays revoked once it is.
func TestBootstrapKey(t *testing.T) {
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	for _, bad := range []string{"not-a-key", key[:len(key)-1] + "?"} {
		p := start(t, func(cmd *exec.Cmd) {
			without("TALLY_BOOTSTRAP_KEY")(cmd)
			setting("TALLY_BOOTSTRAP_KEY=" + bad)(cmd)
		}, serve(dsn)...)
		status, said := p.wait(), p.output.String()
		if status != 1 || !strings.Contains(said, "tally key generate") || strings.Contains(said, bad) {
			t.Errorf("with %q in the environment: %d: %s", bad, status, said)
		}
	}
	status, generated, _ := with(t, "", "key", "generate")
	generated = strings.TrimSpace(generated)
	if status != 0 || keyText.FindString(generated) != generated {
		t.Fatalf("tally key generate: %d: %q", status, generated)
	}
	bootstrap := func(cmd *exec.Cmd) {
		without("TALLY_BOOTSTRAP_KEY")(cmd)
		setting("TALLY_BOOTSTRAP_KEY=" + generated)(cmd)
	}
	p := serving(t, bootstrap, serve(dsn)...)
	for _, path := range []string{"/logs", "/keys", "/tenants"} {
		if status, answer := p.get(generated, path); status != http.StatusOK {
			t.Errorf("GET %s with the bootstrap key: %d: %s", path, status, answer)
		}
	}
	if strings.Contains(p.output.String(), "no key yet") {
		t.Errorf("it says that there is no key:\n%s", p.output)
	}
	p.signal(syscall.SIGTERM)
	p.wait()
	p = serving(t, bootstrap, serve(dsn)...)
	if status, answer := p.get(generated, "/keys"); status != http.StatusOK || strings.Count(answer, `"key_id"`) != 1 {
		t.Errorf("after another start: %d: %s", status, answer)
	}
	admin := makeKey(t, generated, "--url", p.url, "--name", "admin", "--scopes", "admin,operator")
	if status, _, stderr := with(t, admin, "key", "revoke", "--yes", idOf(generated), "--url", p.url); status != 0 {
		t.Fatalf("revoking the bootstrap key: %s", stderr)
	}
	p.becomes(http.StatusUnauthorized, generated, "/logs")
	p.signal(syscall.SIGTERM)
	p.wait()
	p = serving(t, bootstrap, serve(dsn)...)
	if status, answer := p.get(generated, "/logs"); status != http.StatusUnauthorized {
		t.Errorf("a revoked bootstrap key after another start: %d: %s", status, answer)
	}
}

// TestDevKeys: tally dev asks for keys only with --keys; then it may listen anywhere.
func TestDevKeys(t *testing.T) {
	dir := folder(t)
	p := dev(t, dir)
	if status, answer := p.get("", "/logs"); status != http.StatusOK {
		t.Errorf("without --keys and without a key: %d: %s", status, answer)
	}
	if status, answer := p.get(access.GenerateKey(), "/logs"); status != http.StatusUnauthorized {
		t.Errorf("without --keys and with a key that there is not: %d: %s", status, answer)
	}
	p.signal(syscall.SIGTERM)
	p.wait()
	p = serving(t, nil, "dev", "--data-dir", dir, "--keys", "--listen", "0.0.0.0:0")
	p.url = "http://127.0.0.1" + p.url[strings.LastIndex(p.url, ":"):]
	if status, answer := p.get("", "/logs"); status != http.StatusUnauthorized {
		t.Errorf("with --keys and without a key: %d: %s", status, answer)
	}
	p.says(`curl -H "Authorization: Bearer $TALLY_KEY" -X POST`)
	if status, answer := p.get(key, "/logs"); status != http.StatusOK {
		t.Errorf("with --keys and the bootstrap key: %d: %s", status, answer)
	}
}

// TestServeAnywhere: a server with keys listens on any address, and is asked by any name.
func TestServeAnywhere(t *testing.T) {
	p := serving(t, nil, "serve", "--listen", "0.0.0.0:0", "--database-url", testdb.New(t, testdb.WithFsync()).DSN())
	p.url = "http://127.0.0.1" + p.url[strings.LastIndex(p.url, ":"):]
	if answer := p.curl("$URL/logs", "--header", "Host: metering.example.com"); !strings.Contains(answer, `"logs":[]`) {
		t.Errorf("by another name: %s", answer)
	}
	if status, answer := p.get("", "/logs"); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d: %s", status, answer)
	}
}

// described decodes what a command printed as JSON.
func described[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}
