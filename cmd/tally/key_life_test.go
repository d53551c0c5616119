package main_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	client "github.com/tallystick/tallystick/openapi/clients/go"
)

// by runs a command about the operator's server with a key.
func (o *operator) by(key string, args ...string) (status int, stdout, stderr string) {
	o.t.Helper()
	return with(o.t, key, o.args(args)...)
}

// make makes a key by the operator's.
func (o *operator) make(args ...string) string {
	o.t.Helper()
	return makeKey(o.t, key, o.args(args)...)
}

// TestKeyLife: a key is made, used for what it is for, rotated and revoked by commands, and all of it is recorded.
func TestKeyLife(t *testing.T) {
	o, _ := operate(t)
	o.append("customer-1", `{"n":1}`)
	o.append("other", `{"n":1}`)
	reader := o.make("--name", "reports", "--scopes", "read,query", "--logs", "customer-*",
		"--expires-in", "90d", "--limit", "streams=5")
	if status, stdout, stderr := o.by(reader, "events", "list", "customer-1"); status != 0 || !strings.Contains(stdout, `{"n":1}`) {
		t.Errorf("reading by the key: %d: %s%s", status, stdout, stderr)
	}
	if status, _, stderr := o.by(reader, "events", "list", "other"); status != 5 || !strings.Contains(stderr, "log_not_found") {
		t.Errorf("a log outside the pattern: %d: %s", status, stderr)
	}
	if status, _, stderr := o.by("", "events", "list", "customer-1"); status != 4 || !strings.Contains(stderr, "set TALLY_KEY") {
		t.Errorf("without a key: %d: %s", status, stderr)
	}
	if status, _, stderr := o.by(reader, "key", "list"); status != 4 || !strings.Contains(stderr, "missing_scope") {
		t.Errorf("keys by a key without admin: %d: %s", status, stderr)
	}
	o.succeeds(words(idOf(reader), "reports", "read,query", "customer-*", "until "), "key", "list")
	shown := described[client.Key](t, o.prints("key", "show", "reports", "--output", "json"))
	left := time.Until(*shown.ExpiresAt)
	if shown.KeyID != idOf(reader) || shown.Limits["streams"] != 5 || !strings.Contains(shown.CreatedBy, "(ada)") ||
		left < 89*24*time.Hour || left > 91*24*time.Hour {
		t.Errorf("the key is described as %+v", shown)
	}
	o.succeeds(words("scopes", "read,query", "customer-*"), "key", "show", idOf(reader))

	// The former secret is good as long as --keep says.
	status, rotated, stderr := o.by(key, "key", "rotate", "reports", "--keep", "1d")
	rotated = strings.TrimSpace(rotated)
	if status != 0 || keyText.FindString(rotated) != rotated || idOf(rotated) != idOf(reader) || rotated == reader ||
		!strings.Contains(stderr, "the secret from before is good until") {
		t.Fatalf("tally key rotate: %d: %q, %s", status, rotated, stderr)
	}
	o.server.becomes(http.StatusOK, rotated, "/logs/customer-1")
	if status, answer := o.server.get(reader, "/logs/customer-1"); status != http.StatusOK {
		t.Errorf("the former secret: %d: %s", status, answer)
	}
	again := described[client.CreatedKey](t, o.prints("key", "rotate", "reports", "--keep", "0", "--output", "json"))
	o.server.becomes(http.StatusUnauthorized, rotated, "/logs/customer-1")
	o.server.becomes(http.StatusUnauthorized, reader, "/logs/customer-1")
	o.server.becomes(http.StatusOK, again.Secret, "/logs/customer-1")

	// A token of the key ends with it.
	status, token, stderr := o.by(again.Secret,
		"token", "create", "--scopes", "query,read", "--log", "customer-1", "--subject", "customer 1")
	token = strings.TrimSpace(token)
	if status != 0 || !strings.HasPrefix(token, "eyJ") || !strings.Contains(stderr, "customer-1") {
		t.Fatalf("tally token create: %d: %q, %s", status, token, stderr)
	}
	if status, stdout, stderr := o.by(token, "events", "list", "customer-1"); status != 0 || !strings.Contains(stdout, `{"n":1}`) {
		t.Errorf("reading by the token: %d: %s%s", status, stdout, stderr)
	}
	tail := start(t, setting("TALLY_KEY="+again.Secret), "events", "tail", "customer-1", "--from", "1", "--url", o.server.url)
	tail.says(`{"n":1}`)
	o.succeeds(words("is revoked"), "key", "revoke", "--yes", "reports")
	if status := tail.wait(); status != 4 || !strings.Contains(tail.output.String(), "unauthorized") {
		t.Errorf("a tail of a key that was revoked ended with %d:\n%s", status, tail.output)
	}
	o.server.becomes(http.StatusUnauthorized, again.Secret, "/logs/customer-1")
	o.server.becomes(http.StatusUnauthorized, token, "/logs/customer-1")
	o.succeeds(words("revoked"), "key", "show", idOf(reader))
	o.fails(words("no key", "reports", "tally key list"), "key", "revoke", "--yes", "reports")
	o.succeeds(words("is revoked"), "key", "revoke", "--yes", idOf(reader)) // the same again

	record := o.prints("audit-log", "--all")
	last := 0
	for _, action := range []string{"key.revoke", "token.create", "key.rotate", "key.create"} { // the newest first
		at := strings.Index(record, action)
		if at < last {
			t.Errorf("%s is missing in the record, or in another order:\n%s", action, record)
		}
		last = at
	}
	entries := described[[]client.AuditLogEntry](t, o.prints("audit-log", "--limit", "2", "--output", "json"))
	if len(entries) != 2 {
		t.Fatalf("--limit 2 gives %d entries", len(entries))
	}
	older := o.prints("audit-log", "--limit", "1", "--output", "json", "--before", fmt.Sprint(entries[0].EntryID))
	if before := described[[]client.AuditLogEntry](t, older); len(before) != 1 || before[0].EntryID != entries[1].EntryID {
		t.Errorf("--before %d gives %+v", entries[0].EntryID, before)
	}
	if keyText.MatchString(o.prints("key", "list", "--output", "json")) || keyText.MatchString(record) {
		t.Error("a list shows a secret")
	}
}

// TestKeyRefusals: mistakes in commands about keys are named, and secrets are not repeated.
func TestKeyRefusals(t *testing.T) {
	o, _ := operate(t)
	create := func(more ...string) []string {
		return append([]string{"key", "create", "--name", "a", "--scopes", "read"}, more...)
	}
	for word, args := range map[string][]string{
		"--name is missing":          {"key", "create", "--scopes", "read"},
		"--scopes is missing":        {"key", "create", "--name", "a"},
		"there is no scope":          {"key", "create", "--name", "a", "--scopes", "write"},
		"no duration such as 90d":    create("--expires-in", "soon"),
		"one of them":                create("--expires-in", "1d", "--expires-at", "2099-01"),
		"is no time":                 create("--expires-at", "later"),
		"invalid_expiry":             create("--expires-at", "2020-01-01"),
		"invalid_pattern":            create("--logs", "a b"),
		"tenant_not_found":           create("--tenant", "none"),
		"invalid_limits":             create("--limit", "logs=1"),
		"KEY is missing":             {"key", "rotate"},
		"no key with the id":         {"key", "rotate", "none"},
		"give its id":                {"key", "revoke", "--yes", key},
		"is no duration":             {"key", "rotate", idOf(key), "--keep", "-1h"},
		"--log is missing":           {"token", "create", "--scopes", "read"},
		"a token is for query":       {"token", "create", "--log", "a"},
		"log_not_found":              {"token", "create", "--log", "a", "--scopes", "read"},
		"there is nothing to change": {"tenant", "update", "a"},
		"--limit -1 is no number":    {"audit-log", "--limit", "-1"},
	} {
		o.fails([]string{word}, args...)
	}
	if output := o.fails(words("give its id"), "key", "show", key); strings.Contains(output, key[30:]) {
		t.Errorf("the secret is repeated:\n%s", output)
	}
	o.fails(words("former_valid_seconds"), "key", "rotate", idOf(key), "--keep", "8d")
}

// TestTenants: tenants are made, filled, renamed, suspended and resumed by commands, and know nothing of each other.
func TestTenants(t *testing.T) {
	o, _ := operate(t)
	o.append("shared", `{"of":"default"}`)
	o.succeeds(words("acme", "active"), "tenant", "create", "acme")
	o.fails(words("name_taken"), "tenant", "create", "acme")
	admin := o.make("--tenant", "acme", "--name", "admin", "--scopes", "append,read,query,deploy,admin")
	gateway := makeKey(t, admin, o.args([]string{"--name", "gateway", "--scopes", "append"})...)
	if status, _, stderr := o.by(admin, "key", "create", "--name", "root", "--scopes", "operator"); status != 4 ||
		!strings.Contains(stderr, "outside_pattern") {
		t.Errorf("an admin makes an operator: %d: %s", status, stderr)
	}
	post := func(key, path, body string) error {
		_, err := o.server.postBy(t.Context(), key, path, body, "")
		return err
	}
	if err := post(gateway, "/logs", `{"name":"shared"}`); err != nil {
		t.Fatal(err)
	}
	if err := post(gateway, "/logs/shared/append", `{"of":"acme"}`); err != nil {
		t.Fatal(err)
	}
	// A name is of its tenant's; an operator acts in either.
	if status, stdout, _ := o.by(admin, "events", "list", "shared"); status != 0 || !strings.Contains(stdout, `"of":"acme"`) {
		t.Errorf("the tenant's log: %d: %s", status, stdout)
	}
	if own := o.prints("events", "list", "shared"); !strings.Contains(own, `"of":"default"`) {
		t.Errorf("the default tenant's log: %s", own)
	}
	if theirs := o.prints("events", "list", "shared", "--tenant", "acme"); !strings.Contains(theirs, `"of":"acme"`) {
		t.Errorf("an operator in the tenant: %s", theirs)
	}
	o.succeeds(words("gateway", "admin"), "key", "list", "--tenant", "acme")
	if own := o.prints("key", "list"); strings.Contains(own, "gateway") {
		t.Errorf("the default tenant lists keys of another:\n%s", own)
	}
	status, _, stderr := o.by(admin, "events", "list", "shared", "--tenant", "default")
	if status != 4 || !strings.Contains(stderr, "missing_scope") {
		t.Errorf("--tenant by a key that is no operator's: %d: %s", status, stderr)
	}
	if status, _, stderr := o.by(admin, "tenant", "list"); status != 4 || !strings.Contains(stderr, "missing_scope") {
		t.Errorf("tenants by a key that is no operator's: %d: %s", status, stderr)
	}

	o.succeeds(words("acme", "suspended"), "tenant", "suspend", "--yes", "acme")
	waitFor(t, func() bool {
		err := post(gateway, "/logs/shared/append", `{}`)
		return err != nil && strings.Contains(err.Error(), "tenant_suspended")
	})
	if status, stdout, _ := o.by(admin, "events", "list", "shared"); status != 0 || !strings.Contains(stdout, "acme") {
		t.Errorf("reading while suspended: %d: %s", status, stdout)
	}
	if _, err := o.server.post(t.Context(), "/logs/shared/append", `{}`, ""); err != nil {
		t.Errorf("another tenant while this is suspended: %v", err)
	}
	o.succeeds(words("acme", "active"), "tenant", "resume", "acme")
	waitFor(t, func() bool { return post(gateway, "/logs/shared/append", `{}`) == nil })

	o.succeeds(words("streams=3"), "tenant", "update", "acme", "--limit", "streams=3,logs=0")
	own := described[client.Tenant](t, o.prints("tenant", "show", "acme", "--output", "json")).Limits
	if own["streams"] != 3 || len(own) != 2 {
		t.Errorf("the limits are %v", own)
	}
	o.succeeds(words("acme"), "tenant", "update", "acme", "--default-limits")
	if own := described[client.Tenant](t, o.prints("tenant", "show", "acme", "--output", "json")).Limits; len(own) != 0 {
		t.Errorf("the limits that were taken back are %v", own)
	}
	o.fails(words("there is no such limit"), "tenant", "update", "acme", "--limit", "speed=1")
	o.succeeds(words("acme-europe"), "tenant", "update", "acme", "--name", "acme-europe")
	o.fails(words("tenant_not_found"), "tenant", "show", "acme")
	o.succeeds(words("default", "acme-europe"), "tenant", "list")
	listed := described[[]client.Tenant](t, o.prints("tenant", "list", "--all", "--output", "json"))
	if len(listed) != 2 || listed[0].Name != "acme-europe" {
		t.Errorf("the list is %+v", listed)
	}
	o.succeeds(words("tenant.create", "tenant.suspend", "tenant.resume", "tenant.rename", "tenant.limit", "ada", "key.create"),
		"audit-log", "--tenant", "acme-europe")
}

// TestListsAreWhole: lists of more than one page of the API are printed whole, each entry once.
func TestListsAreWhole(t *testing.T) {
	const many = 2100
	o, dsn := operate(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	const tenant = "'00000000-0000-7000-8000-000000000001'"
	for _, statement := range []string{
		"INSERT INTO tenants (tenant_id, name) SELECT gen_random_uuid(), 'tenant-' || n FROM generate_series(1, $1) n",
		"INSERT INTO access_log (tenant_id, entry_id, actor, action, target) " +
			"SELECT " + tenant + ", 1000 + n, 'ada', 'test', n FROM generate_series(1, $1) n",
		"INSERT INTO access_keys (key_id, tenant_id, name, scopes, logs, secret_hash, token_key, created_by, changed) " +
			"SELECT lpad(n::text, 16, '0'), " + tenant + ", 'key-' || n, '{read}', '*', sha256(''), sha256(''), 'ada', 0 " +
			"FROM generate_series(1, $1) n",
	} {
		if _, err := conn.Exec(t.Context(), statement, many); err != nil {
			t.Fatal(err)
		}
	}
	count := func(least int, names []string) {
		t.Helper()
		if all := len(names); all < least || len(slices.Compact(slices.Sorted(slices.Values(names)))) != all {
			t.Errorf("%d entries, some perhaps twice; want %d at least", all, least)
		}
	}
	var tenants, keys, owned, entries []string
	for _, tenant := range described[[]client.Tenant](t, o.prints("tenant", "list", "--all", "--output", "json")) {
		tenants = append(tenants, tenant.TenantID)
	}
	for _, key := range described[[]client.Key](t, o.prints("key", "list", "--all", "--output", "json")) {
		keys = append(keys, key.KeyID)
	}
	_, fromDatabase, _ := with(t, "", "key", "list", "--all", "--output", "json", "--database-url", dsn)
	for _, key := range described[[]client.Key](t, fromDatabase) {
		owned = append(owned, key.KeyID)
	}
	for _, entry := range described[[]client.AuditLogEntry](t, o.prints("audit-log", "--output", "json", "--all")) {
		entries = append(entries, fmt.Sprint(entry.EntryID))
	}
	count(many+1, tenants)
	count(many+1, keys)
	count(many+1, owned)
	count(many+1, entries)
	if limited := described[[]client.AuditLogEntry](t, o.prints("audit-log", "--output", "json", "--limit", "1500")); len(limited) != 1500 {
		t.Errorf("--limit 1500 gives %d entries", len(limited))
	}
}
