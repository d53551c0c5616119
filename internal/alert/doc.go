// Package alert watches answers of views for thresholds, and records and announces each crossing once.
//
// An append to a log that an alert covers puts down, in its own transaction, that the log is pending (pending.go). After the commit the
// server asks the alert's view (evaluate.go), compares the value with how the alert stood (step.go), and records what has changed in one
// transaction together with what is to be announced (record.go). Whatever is pending on a server that has gone, others take over; what is
// due without an event, and logs that an alert has just come to cover, are found by index (rounds.go).
package alert
