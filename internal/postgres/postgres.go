// Package postgres runs a PostgreSQL server as a child of this process, for development and for tests.
//
// Find looks for server binaries, and downloads them if the machine has none. Start creates the data folder if necessary and runs the
// server on a Unix socket that only its own user can reach, and on a TCP port, with a password, where Options.Listen asks for one. The
// server is meant not to outlive the process: Stop ends it; on Linux the kernel ends it when the process is killed, elsewhere the next
// Start on the same folder does. The package is not for production: the server trusts every connection to its socket.
//
// PostgreSQL refuses to run as root. For root, the server runs as the owner of the data folder, else as the user postgres, else as nobody.
package postgres

import (
	"log/slog"
	"time"
)

const (
	// OldestMajor and NewestMajor are the bounds of the PostgreSQL versions that Tallystick is tested with. Older ones are refused; newer
	// ones run with a warning.
	OldestMajor = 15
	NewestMajor = 18

	// BinEnv names the folder of the server binaries if FindOptions.Dir is empty.
	BinEnv = "TALLY_POSTGRES_BIN"
	// MajorEnv selects a major version (15 to 18) if FindOptions.Major is 0.
	MajorEnv = "TALLY_POSTGRES_MAJOR"

	// Superuser is the role that owns the databases of a new data folder.
	Superuser = "postgres"
)

const (
	// stopPatience is how long a fast shutdown (disconnect clients, write a checkpoint) may take before an immediate one follows. That
	// loses nothing, but the next start has to replay the write-ahead log.
	stopPatience = 30 * time.Second
	// quitPatience is how long an immediate shutdown may take; the postmaster itself kills its children after 5 seconds.
	quitPatience = 15 * time.Second
	// pollInterval is how often a starting or stopping server is checked.
	pollInterval = 10 * time.Millisecond
	// logBytes is the size at which the server's log is moved to postgres.log.1: together they take at most twice as much.
	logBytes = 16 << 20
	// logCheck is how often the log's size is checked.
	logCheck = time.Minute
	// logTail is how many bytes of the log an error quotes.
	logTail = 2 << 10
)

// Binaries is a folder of PostgreSQL server programs that have been found to run.
type Binaries struct {
	Dir     string // holds postgres and initdb
	Version string // as the server reports it: "15.18", "18.3", "19beta1"
	Major   int    // 15
	Source  string // how the folder was found, for people
}

// FindOptions selects server binaries. The zero value looks everywhere and downloads if necessary.
type FindOptions struct {
	Dir     string       // the only folder to look in; if empty, $TALLY_POSTGRES_BIN
	Major   int          // the only major version to accept; if 0, $TALLY_POSTGRES_MAJOR, else any from OldestMajor up
	Offline bool         // never download
	Log     *slog.Logger // logs what is chosen and what is not; nil: slog.Default()
}

// Options configures a server. Only DataDir is required.
type Options struct {
	DataDir  string            // created if missing; holds the database, its log, its lock and, if the path is short enough, its socket
	Binaries Binaries          // if zero, Start calls Find for the version that created DataDir
	Database string            // created if missing; DSN names it; if empty, "postgres"
	Listen   string            // host:port where Superuser may connect with Password; if empty, there is only the socket
	Password string            // must not be empty where Listen is not
	NoFSync  bool              // for throwaway data only: faster, but a power cut corrupts the database
	Settings map[string]string // server settings that override the package's own
	Log      *slog.Logger      // nil: slog.Default()
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}
