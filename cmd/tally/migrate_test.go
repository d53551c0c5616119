package main_test

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestMigrateAndServeApart: one login owns the database and migrates it, another serves and can change nothing.
func TestMigrateAndServeApart(t *testing.T) {
	testdb.New(t, testdb.WithFsync()) // with it the roles are there
	d := testdb.New(t, testdb.WithFsync(), testdb.Empty())
	login := "tally_test_serves_" + strings.ToLower(rand.Text())
	d.Exec(t, "CREATE ROLE "+login+" LOGIN PASSWORD 'only-for-tests' IN ROLE tally_server") // goes with the tests' cluster
	u, err := url.Parse(d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if query := u.Query(); query.Has("user") {
		query.Set("user", login)
		u.RawQuery = query.Encode()
	}
	if u.User != nil {
		u.User = url.UserPassword(login, "only-for-tests")
	}
	refuses(t, nil, []string{"migrate"}, "--database-url is missing")
	refuses(t, nil, serve(u.String()), login, "run tally migrate as the login that owns the database")
	succeeds(t, "", []string{"migrate", "--database-url", d.DSN()}, "newest schema")
	p := serving(t, nil, serve(u.String())...)
	appendSome(t, p, "acme", 3)
	if n := d.Exec(t, "SELECT FROM events"); n != 3 {
		t.Errorf("%d events were stored, want 3", n)
	}
}
