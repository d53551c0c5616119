package main_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestVersion: a release knows what it was built from, and all that print the version agree.
func TestVersion(t *testing.T) {
	const version, commit, date = "v9.8.7", "0123456789abcdef0123456789abcdef01234567", "2026-01-02T03:04:05Z"
	released := filepath.Join(t.TempDir(), "tally")
	build := exec.CommandContext(t.Context(), "../../tools/build-release.sh", released)
	build.Env = append(build.Environ(), "VERSION="+version, "COMMIT="+commit, "DATE="+date)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ask := func(program string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), program, args...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return string(out)
	}
	platform := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	want := "tally version " + version + "\ncommit " + commit + " of " + date + "\n" + platform + "\n"
	if got := ask(released, "version"); got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
	if got := ask(released, "--version"); got != "tally version "+version+"\n" {
		t.Errorf("--version prints %q", got)
	}
	for _, program := range []string{released, tally} {
		var b struct{ Version, Commit, Date, Go, Platform string }
		if err := json.Unmarshal([]byte(ask(program, "version", "--output", "json")), &b); err != nil {
			t.Fatal(err)
		}
		if ask(program, "--version") != "tally version "+b.Version+"\n" || b.Go+" "+b.Platform != platform {
			t.Errorf("as JSON: %+v", b)
		}
		if program == released && (b.Version != version || b.Commit != commit || b.Date != date) {
			t.Errorf("as JSON: %+v", b)
		}
	}
	fails(t, t.TempDir(), []string{"version", "--output", "xml"}, "table, json, csv")
}

// TestHealth: the health check follows the server and its database, by the server's own settings, over TLS too.
func TestHealth(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir)
	for _, tls := range [][]string{nil, {"--tls-cert", cert, "--tls-key", key}} {
		p := serving(t, nil, serve(testdb.New(t).DSN(), append(tls, "--allow-unsafe-database")...)...)
		scheme, address, _ := strings.Cut(p.url, "://")
		if (scheme == "https") != (tls != nil) {
			t.Errorf("it serves on %s", p.url)
		}
		_, port, _ := strings.Cut(address, ":")
		for _, listen := range []string{address, "0.0.0.0:" + port, ":" + port} {
			change := setting("TALLY_LISTEN="+listen, "TALLY_TLS_CERT=")
			if tls != nil {
				change = setting("TALLY_LISTEN="+listen, "TALLY_TLS_CERT="+cert)
			}
			h := start(t, change, "health")
			if status := h.wait(); status != 0 || !strings.HasPrefix(h.output.String(), "ok\n") {
				t.Errorf("at %s, status %d: %s", listen, status, h.output)
			}
		}
		if tls != nil {
			refuses(t, nil, []string{"health", "--listen", address}, "400") // it speaks TLS there
			o := []string{"query", "acme", "totals", "--url", p.url, "--ca-file", cert}
			refuses(t, nil, o, "log_not_found")
		}
	}
	refuses(t, nil, []string{"health", "--listen", "127.0.0.1:1"}, "/readyz", "refused")
	refuses(t, nil, []string{"health", "--live", "--listen", "127.0.0.1:1"}, "/healthz")
	refuses(t, nil, []string{"health", "--listen", "here"}, "host:port")
	refuses(t, nil, []string{"query", "acme", "totals", "--ca-file", key}, "--ca-file", "no certificate")
}
