package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
)

// TestMigrateByALoginThatMayMakeRoles starts from a cluster in which roles of our names do not exist.
func TestMigrateByALoginThatMayMakeRoles(t *testing.T) {
	login := newLogin(t, "CREATEROLE")
	hideRoles(t)
	var owner string
	var migrations sync.WaitGroup
	for range 4 { // databases of one cluster, at once; one creates the roles
		d := testdb.New(t, testdb.Empty())
		d.Exec(t, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", d.Name(), login))
		dsn := as(t, d.DSN(), login)
		owner = dsn
		migrations.Go(func() {
			if err := db.Migrate(t.Context(), dsn); err != nil {
				t.Error(err)
			}
		})
	}
	migrations.Wait()
	server := opened(t, owner)
	if err := server.CheckRole(t.Context()); err != nil {
		t.Error(err)
	}
	var user, session string
	err := server.Read.QueryRow(t.Context(), "SELECT current_user, session_user").Scan(&user, &session)
	if err != nil || user != db.ServerRole || session != login {
		t.Errorf("a server acts as %s and is logged in as %s, %v", user, session, err)
	}
}

// hideRoles renames our roles until the databases that are created later are dropped.
func hideRoles(t *testing.T) {
	t.Helper()
	admin := testdb.New(t)
	run := func(statement string) { // even after the test has ended
		conn, err := pgx.Connect(context.Background(), admin.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, role := range []string{"tally_server", "tally_analyst", "tally_tenant_analyst"} {
		run(fmt.Sprintf("ALTER ROLE %s RENAME TO %s_hidden", role, role))
		t.Cleanup(func() {
			run("DROP ROLE IF EXISTS " + role)
			run(fmt.Sprintf("ALTER ROLE %s_hidden RENAME TO %s", role, role))
		})
	}
}

// TestMigrateTellsWhatAnAdministratorMustDo: the message contains the statements, and they are enough.
func TestMigrateTellsWhatAnAdministratorMustDo(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		t.Run(fmt.Sprintf("roles hidden %t", hidden), func(t *testing.T) {
			login := newLogin(t, "")
			if hidden {
				hideRoles(t)
			}
			d := testdb.New(t, testdb.Empty())
			d.Exec(t, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", d.Name(), login))
			owner := as(t, d.DSN(), login)
			var demanded []string // by each migration that makes roles
			for err := db.Migrate(t.Context(), owner); err != nil; err = db.Migrate(t.Context(), owner) {
				var failed *pgconn.PgError
				if !errors.As(err, &failed) {
					t.Fatalf("migrated with %v", err)
				}
				_, rest, found := strings.Cut(failed.Message, "run: ")
				statements, _, ended := strings.Cut(rest, " then migrate again")
				if !found || !ended || len(demanded) == 2 {
					t.Fatalf("the message is %q", failed.Message)
				}
				demanded = append(demanded, statements)
				for statement := range strings.SplitSeq(strings.TrimSuffix(statements, ";"), ";") {
					d.Exec(t, statement)
				}
			}
			all := strings.Join(demanded, " ")
			if !strings.Contains(all, "GRANT tally_server TO "+login) || strings.Contains(all, "CREATE ROLE") != hidden ||
				strings.Contains(all, "CREATE ROLE tally_tenant_analyst") != hidden {
				t.Errorf("the messages are %q", demanded)
			}
		})
	}
}

// TestMigrateWithoutRights: for a login that only acts as tally_server, there is nothing to do, or the error says who must migrate.
func TestMigrateWithoutRights(t *testing.T) {
	login, stranger := newLogin(t, "IN ROLE tally_server"), newLogin(t, "")
	d, _ := owned(t)
	server := as(t, d.DSN(), login)
	if err := db.Migrate(t.Context(), server); err != nil {
		t.Errorf("a database that is up to date: %v", err)
	}
	if err := opened(t, server).CheckRole(t.Context()); err != nil {
		t.Errorf("the login of a server: %v", err)
	}
	err := opened(t, as(t, d.DSN(), stranger)).CheckRole(t.Context())
	if err == nil || !strings.Contains(err.Error(), "GRANT tally_server TO") {
		t.Errorf("the login of a stranger: %v", err)
	}
	d.Exec(t, "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	if err := db.Migrate(t.Context(), server); err == nil || !strings.Contains(err.Error(), "run tally migrate") {
		t.Errorf("a database that is behind: %v", err)
	}
}
