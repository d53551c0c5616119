// Package db is the only way to PostgreSQL: connection pools, migrations, pipelines, and errors in the domain's terms. The queries are in
// package dbsqlc, which is generated from /sql.
package db
