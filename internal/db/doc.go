// Package db is the one way to PostgreSQL: connection pools, migrations, pipelines, and errors in the domain's terms.
// The queries themselves are in package dbsqlc, generated from /sql.
package db
