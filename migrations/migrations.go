// Package migrations holds the database schema as numbered goose migrations, embedded in the binary.
//
// A migration that has landed is never edited, only followed by another.
package migrations

import "embed"

// FS holds the migration files.
//
//go:embed *.sql
var FS embed.FS
