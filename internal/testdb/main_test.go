package testdb_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
)

// serverName is the name of this program when it acts as a program that starts servers.
const serverName = "server"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == serverName {
		os.Exit(testdb.Serve(testdb.StartLocal))
	}
	testdb.Main(m)
}
