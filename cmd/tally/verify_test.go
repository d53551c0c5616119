package main_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
)

// export writes a log's events into a file, as they come from the server.
func (o *operator) export(name, query string) {
	o.t.Helper()
	request, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet,
		o.server.url+"/logs/acme/events?format=ndjson&stream=true"+query, http.NoBody)
	if err != nil {
		o.t.Fatal(err)
	}
	request.Header.Set("X-Api-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		o.t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if _ = response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		o.t.Fatalf("%s: %v", response.Status, err)
	}
	write(o.t, filepath.Join(o.dir, name), string(text))
}

// TestVerify plays a dispute: keys, a checkpoint that the customer keeps, an export; then a superuser rewrites history, and each check that
// can detect it reports it.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	keygen := []string{"keygen", "--name", "billing.example.com", "--file", "signing.key"}
	verifier := strings.TrimSpace(succeeds(t, dir, keygen, "billing.example.com+"))
	if info, err := os.Stat(filepath.Join(dir, "signing.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key's file: %v, %v", info, err)
	}
	fails(t, dir, keygen, "is there already")
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	o := &operator{t, dir, serving(t, nil, append(serve(dsn), "--signing-key", filepath.Join(dir, "signing.key"))...)}
	var events []string
	for n := range 30 {
		events = append(events, `{"model":"m","tokens_in":`+strconv.Itoa(n)+`,"time":"2025-03-01T00:00:00Z"}`)
	}
	o.append("acme", events[:20]...)
	o.append("other", events...)
	o.succeeds(nil, "view", "deploy", "acme", "totals", "--ready", "monthly_totals")
	o.succeeds(nil, "checkpoint", "acme", "--file", "acme.checkpoint")
	o.succeeds(nil, "checkpoint", "other", "--file", "other.checkpoint")
	o.append("acme", events[20:]...)
	o.export("acme.ndjson", "")
	o.export("part.ndjson", "&from=21")
	o.export("late.ndjson", "&from=25")
	write(t, filepath.Join(dir, "verifier.txt"), verifier+"\n")

	noted := []string{"--checkpoint", "acme.checkpoint", "--verifier-key", verifier}
	o.succeeds(words("acme: 30 events", "1 to 30", "the chain is whole", "signed at 20", "totals version 1: 30 events"),
		append([]string{"verify", "acme"}, noted...)...)
	offline := func(file string) []string { return append([]string{"verify", "--export", file}, noted...) }
	succeeds(t, dir, offline("acme.ndjson"), "30 events", "signed at 20")
	succeeds(t, dir, offline("part.ndjson"), "10 events", "21 to 30", "signed at 20")
	byFile := []string{
		"verify", "--export", "acme.ndjson", "--checkpoint", "acme.checkpoint", "--verifier-key", "verifier.txt", "--output", "json",
	}
	succeeds(t, dir, byFile, `"ok": true`)
	succeeds(t, dir, []string{"verify", "--export", "acme.ndjson"}, "the chain is whole", "which log this is was not checked")
	succeeds(t, dir, []string{"verify", "--export", "part.ndjson"}, "the hash before event 21 is not known")
	// The environment's verifier key has a name of its own: TALLY_KEY is for the key that a server asks for.
	in := func(variable string) func(*exec.Cmd) {
		return func(cmd *exec.Cmd) { cmd.Dir, cmd.Env = dir, append(cmd.Env, variable) }
	}
	p := start(t, in("TALLY_VERIFIER_KEY="+verifier), "verify", "--export", "acme.ndjson", "--checkpoint", "acme.checkpoint")
	if p.wait() != 0 {
		t.Errorf("with TALLY_VERIFIER_KEY: %s", p.output)
	}
	if p := start(t, in("TALLY_KEY=an access key"), "verify", "--export", "acme.ndjson"); p.wait() != 0 {
		t.Errorf("with TALLY_KEY: %s", p.output)
	}
	refuses(t, in("TALLY_KEY="+verifier),
		[]string{"verify", "--export", "acme.ndjson", "--checkpoint", "acme.checkpoint"}, "--verifier-key is missing")
	// What proves nothing is not accepted as a proof.
	fails(t, dir, offline("late.ndjson"), "noted_outside")
	other := []string{"verify", "--export", "acme.ndjson", "--checkpoint", "other.checkpoint", "--verifier-key", verifier}
	fails(t, dir, other, "event_changed")
	o.fails(words("the checkpoint is of log"), "verify", "acme", "--checkpoint", "other.checkpoint", "--verifier-key", verifier)
	o.fails(words("--verifier-key is missing"), "verify", "acme", "--checkpoint", "acme.checkpoint")
	stranger := succeeds(t, dir, []string{"keygen", "--name", "billing.example.com", "--file", "stranger.key"})
	o.fails(words("not signed by billing.example.com with this key"),
		"verify", "acme", "--checkpoint", "acme.checkpoint", "--verifier-key", strings.TrimSpace(stranger))
	fails(t, dir, []string{"verify", "--export", "signing.key"}, "no export in NDJSON")

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, change := range []string{ // cut off, and the head set back, consistently
		`DELETE FROM events e USING logs l WHERE l.log_id = e.log_id AND l.name = 'acme' AND e.sequence > 19`,
		`UPDATE log_heads h SET sequence = 19, hash = e.hash, recorded_at = e.recorded_at
		FROM events e JOIN logs l ON l.log_id = e.log_id AND l.name = 'acme'
		WHERE h.log_id = e.log_id AND e.sequence = 19`,
	} {
		if _, err := conn.Exec(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	o.succeeds(words("the chain is whole"), "verify", "acme", "--views", "none")
	o.changed("log_truncated", append([]string{"verify", "acme", "--views", "none"}, noted...)...)
	o.export("cut.ndjson", "")
	succeeds(t, dir, []string{"verify", "--export", "cut.ndjson"}, "19 events")
	fails(t, dir, offline("cut.ndjson"), "log_truncated")
	o.changed("is not what the events give", "verify", "acme")
	const changeEvent = `UPDATE events e SET data = '{}' FROM logs l WHERE l.log_id = e.log_id AND l.name = 'acme' AND e.sequence = 7`
	if _, err := conn.Exec(t.Context(), changeEvent); err != nil {
		t.Fatal(err)
	}
	o.changed("event_changed: event 7 is not what was recorded", "verify", "acme", "--views", "none")
	o.changed(`"ok": false`, "verify", "acme", "--views", "none", "--output", "json")
}
