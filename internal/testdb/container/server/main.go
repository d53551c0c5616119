// Command server starts a PostgreSQL server in a container for the tests of one process: TALLY_TEST_POSTGRES names it. It writes the
// server's URL, and once its standard input ends, the container is removed.
package main

import (
	"os"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testdb/container"
)

func main() { os.Exit(testdb.Serve(container.Start)) }
