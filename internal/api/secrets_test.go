package api_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
)

// secrets match keys, tokens, and headers that hold them.
var secrets = regexp.MustCompile(access.KeyPattern + `|eyJ[\w-]+\.[\w-]+|(?i:\b(?:bearer|basic)\s+[\w+/=.-]{16,})`)

// noSecrets is where the servers of all tests of this package write their logs: it fails the test of one that writes a secret.
type noSecrets struct {
	t  testing.TB
	to io.Writer
}

func (n *noSecrets) Write(line []byte) (int, error) {
	if found := secrets.Find(line); found != nil {
		n.t.Errorf("a server's log has a secret in it, %.12s…: %s", found, secrets.ReplaceAll(line, []byte("[secret]")))
	}
	return n.to.Write(line)
}

// TestSecretsAreFound: what looks for secrets finds them.
func TestSecretsAreFound(t *testing.T) {
	for _, text := range []string{
		access.GenerateKey(), "x" + access.GenerateKey() + "y", "eyJhbGciOiJFZERTQSJ9.e30.c2ln", "Authorization:[Bearer 0123456789abcdef0]",
		`Basic dXNlcjpwYXNzd29yZA==`,
	} {
		if !secrets.MatchString("before " + text + " after") {
			t.Errorf("%s is not found", text)
		}
	}
	for _, text := range []string{
		"Authorization: Bearer, as X-Api-Key, or as the password of Basic; a key", "key_id=0123456789abcdef", `Bearer realm="tallystick"`,
	} {
		if secrets.MatchString(text) {
			t.Errorf("%s is taken for a secret", text)
		}
	}
}

// wire passes on what a server and PostgreSQL send each other, and keeps it.
type wire struct {
	mu   sync.Mutex
	sent bytes.Buffer
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.Write(p)
}

// tap returns a database URL that leads through the wire.
func (w *wire) tap(t *testing.T, dsn string) string {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconnAddress(config.Host, config.Port)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var pipes sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		pipes.Wait()
	})
	pipes.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(io.MultiWriter(to, w), from)
				_ = to.Close()
			}
			pipes.Go(func() { pass(server, client) })
			pipes.Go(func() { pass(client, server) })
		}
	})
	through := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: listener.Addr().String(), Path: config.Database,
		RawQuery: "sslmode=disable",
	}
	return through.String()
}

func pgconnAddress(host string, port uint16) (network, address string) {
	if strings.HasPrefix(host, "/") {
		return "unix", host + "/.s.PGSQL." + strconv.Itoa(int(port))
	}
	return "tcp", net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// TestSecretsStayInside: no secret of a key, and no token, is sent to PostgreSQL, which logs statements and their parameters where it is
// told to; none is stored, logged or in a problem.
func TestSecretsStayInside(t *testing.T) {
	database, tapped, logged := testdb.New(t), &wire{}, &wire{}
	d := &frontDoor{operator: access.GenerateKey()}
	d.service = startOn(t, database, func(c *server.Config) {
		c.DatabaseURL = tapped.tap(t, c.DatabaseURL)
		c.Keys, c.BootstrapKey = true, d.operator
		c.Log = slog.New(slog.NewTextHandler(io.MultiWriter(logged, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.RequestLog = c.Log
	})
	known := []string{d.operator}
	add := func(credential string) string {
		known = append(known, credential)
		return credential
	}
	d.want(http.StatusCreated, d.as(d.operator, "POST", "/tenants", `{"name":"acme"}`))
	_, owner := d.keyIn("acme", "owner", "*", allScopes[:5]...)
	add(owner)
	d.want(http.StatusCreated, d.as(owner, "POST", "/logs", `{"name":"in-1"}`))
	id, brief := d.keyIn("acme", "brief", "*", "read", "query")
	add(brief)
	token := add(d.token(brief, "read query", "in-1", 600, `,"subject":"c"`))
	rotated := decode[struct{ Key string }](t, d.want(http.StatusOK, d.as(owner, "POST", "/keys/"+id+"/rotate", "{}"))).Key
	add(rotated)
	credentials := []string{
		owner, brief, token, rotated, add(access.GenerateKey()), add(withSecret(id)), owner[:len(owner)-1], token + "x",
		"eyJhbGciOiJub25lIn0.e30.",
	}
	tried := []string{"GET /logs/in-1", "POST /logs/in-1/append", "GET /logs/in-1/events", "GET /keys", "GET /nothing", "GET /audit-log"}
	for round := range 2 {
		for _, credential := range credentials {
			for _, header := range []string{"Authorization: Bearer " + credential, "X-Api-Key: " + credential, basic("u", credential)} {
				for _, name := range tried {
					method, path, _ := strings.Cut(name, " ")
					r := d.call(method, path, "{}", header)
					if found := secrets.Find(r.body); found != nil {
						t.Errorf("%s answers with a secret: %s", name, r.body)
					}
				}
			}
		}
		d.want(http.StatusOK, d.as(owner, "DELETE", "/keys/"+id, ""))
		if round == 0 { // failures are logged: what is looked up then, and with what
			if _, err := d.db.Exec(t.Context(), "ALTER TABLE access_keys RENAME TO away"); err != nil {
				t.Fatal(err)
			}
			for _, credential := range credentials {
				if r := d.as(credential, "GET", "/logs/in-1", ""); secrets.Match(r.body) {
					t.Errorf("a failure answers with a secret: %s", r.body)
				}
			}
			if _, err := d.db.Exec(t.Context(), "ALTER TABLE away RENAME TO access_keys"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for where, w := range map[string]*wire{"the connection to PostgreSQL": tapped, "the log": logged} {
		w.mu.Lock()
		text := w.sent.Bytes()
		if len(text) < 1000 {
			t.Errorf("%s has %d bytes: nothing was looked at", where, len(text))
		}
		if found := secrets.Find(text); found != nil {
			t.Errorf("a secret is in %s: %.20s…", where, found)
		}
		for i, credential := range known {
			secret := credential[len(credential)-49 : len(credential)-6] // of a key; of a token, most of its signature
			for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
				if bytes.Contains(text, []byte(form)) {
					t.Errorf("the secret of credential %d is in %s", i, where)
				}
			}
		}
		w.mu.Unlock()
	}
	dump := ""
	for _, table := range []string{"access_keys", "access_log", "tenants", "access_version", "logs", "view_actions"} {
		var text string
		if err := d.db.QueryRow(t.Context(), "SELECT coalesce(string_agg(x::text, ' '), '') FROM "+table+" x").Scan(&text); err != nil {
			t.Fatal(err)
		}
		dump += text
	}
	if found := secrets.FindString(dump); found != "" || !strings.Contains(dump, "key.rotate") {
		t.Errorf("a secret is stored, or nothing is: %.20s…", found)
	}
}
