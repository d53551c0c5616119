package db_test

import (
	"context"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
)

// password is the password of every test login; local servers do not ask for it.
const password = "only-for-tests"

var loginNumber atomic.Int64

// newLogin creates a login in the tests' cluster. It is dropped after the databases that the test creates later. Options are CREATE ROLE's.
func newLogin(t *testing.T, options string) string {
	t.Helper()
	admin := testdb.New(t) // not an empty one, so that the roles exist
	name := fmt.Sprintf("tally_test_login_%d", loginNumber.Add(1))
	admin.Exec(t, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' %s", name, password, options))
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), admin.DSN())
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
		if _, err := conn.Exec(context.Background(), "DROP ROLE "+name); err != nil {
			t.Errorf("dropping the login %s: %v", name, err)
		}
	})
	return name
}

// as returns the URL for another login.
func as(t *testing.T, dsn, login string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	if query.Has("user") {
		query.Set("user", login)
		u.RawQuery = query.Encode()
	}
	if u.User != nil {
		u.User = url.UserPassword(login, password)
	}
	return u.String()
}

// owned creates a database that a login without other rights owns and has migrated.
func owned(t *testing.T) (d *testdb.Database, owner string) {
	t.Helper()
	login := newLogin(t, "")
	d = testdb.New(t, testdb.Empty())
	d.Exec(t, "GRANT tally_server TO "+login)
	d.Exec(t, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", d.Name(), login))
	owner = as(t, d.DSN(), login)
	if err := db.Migrate(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	return d, owner
}

// opened opens the database at a URL as a server does.
func opened(t *testing.T, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: dsn, ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
