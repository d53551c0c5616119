package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/tallystick/tallystick/migrations"
)

// Migrate brings the database at url to the newest schema, with the login's rights; the first login to migrate owns the schema. Servers may
// call it at the same time: a session lock lets one of them work while the others wait. If nothing is left to do, a login that only has
// ServerRole is enough; otherwise the error says which login has to migrate.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("reading the database URL: %w", err)
	}
	config.AfterConnect = commitDurably
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }() // its work is done

	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("making the migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	_, err = provider.Up(ctx)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
		return fmt.Errorf("the database's schema is older than this tally needs, and the login %s may not change it: "+
			"run tally migrate as the login that owns the database: %w",
			config.User, err)
	}
	if err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	return nil
}
