// Package gateways runs real gateways and collectors before a real server and a real PostgreSQL, takes the server away from them in every
// way that a server goes away, and holds what was counted against the calls that were made. `make test-gateways` installs the programs
// and runs it. It is a module of its own, as the programs in otelcol/ and benthos/ are, so that the server does not inherit theirs.
package gateways
