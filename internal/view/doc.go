// Package view runs views over logs: it deploys their versions, builds them from history, folds batches of events
// over their state, keeps that state in memory beside the database, and answers queries.
//
// The append transaction itself belongs to package ingest: it folds a batch of events over a Snapshot and writes what changed.
package view
