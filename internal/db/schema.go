package db

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/migrations"
)

// newestMigration is the number of the last migration that this server knows. Its statements are written for that schema.
var newestMigration = func() int64 {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("no migrations: %v", err)) // they are part of the program
	}
	number, _, _ := strings.Cut(names[len(names)-1], "_") // Glob sorts
	newest, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("migration %s has no number: %v", names[len(names)-1], err))
	}
	return newest
}()

// checkSchema refuses a database that needs newer servers. oldest is the number of a migration, as the database returns it: servers must
// know it.
func checkSchema(oldest string) error {
	needed, err := strconv.ParseInt(oldest, 10, 64)
	if err != nil {
		return fmt.Errorf("reading which servers the database's schema needs: %w", err)
	}
	if needed > newestMigration {
		return &UntrustedError{fmt.Sprintf("the database's schema is newer than this tally, which would do wrong with it: "+
			"it knows migrations up to %d, and the schema needs servers that know %d: "+
			"run the version of tally that migrated the database, or a later one", newestMigration, needed)}
	}
	return nil
}

// olderSchema returns an *UntrustedError if err shows that the schema is too old for this server, as after an old backup is restored.
// Otherwise it returns err.
func olderSchema(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == undefinedFunction {
		return &UntrustedError{"the database's schema is older than this tally needs: run tally migrate, or start a server anew"}
	}
	return err
}
