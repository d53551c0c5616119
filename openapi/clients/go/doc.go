// Package tally is the Go client of Tallystick, a usage-metering engine. A Client has a method for each operation of the HTTP API, named as
// the operation's id.
package tally
