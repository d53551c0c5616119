// Package postgres runs a PostgreSQL server as a child of this process, for development and for tests.
//
// Find looks for server binaries, downloading them when the machine has none; Start makes a data folder when there is none
// and runs the server on a Unix socket that only its own user can enter, with no TCP port. The server never outlives the process
// by intent: Stop ends it, on Linux the kernel ends it when the process is killed, and elsewhere the next Start on the same folder
// does. A production database is somebody else's job: the server here trusts every connection its socket folder lets through.
//
// As root, for whom PostgreSQL refuses to run, the server runs as the data folder's owner, else as the user postgres, else as nobody.
package postgres

import (
	"log/slog"
	"time"
)

const (
	// OldestMajor and NewestMajor bound the PostgreSQL versions that Tallystick is tested with. Older ones are refused; newer
	// ones run with a warning.
	OldestMajor = 15
	NewestMajor = 18

	// BinEnv names the folder of the server binaries where FindOptions.Dir is empty.
	BinEnv = "TALLY_POSTGRES_BIN"
	// MajorEnv asks for a major version (15 to 18) where FindOptions.Major is 0.
	MajorEnv = "TALLY_POSTGRES_MAJOR"

	// Superuser is the role that owns a new data folder's databases.
	Superuser = "postgres"
)

const (
	// stopPatience is how long a fast shutdown (disconnect clients, write a checkpoint) may take before an immediate one is asked
	// for, which loses nothing but makes the next start replay the write-ahead log.
	stopPatience = 30 * time.Second
	// quitPatience is how long an immediate shutdown may take; the postmaster itself kills its children after 5 seconds.
	quitPatience = 15 * time.Second
	// pollInterval is how often a starting or stopping server is looked at.
	pollInterval = 10 * time.Millisecond
	// logBytes is the size at which the server's log is moved to postgres.log.1 and begun anew: together at most twice this.
	logBytes = 16 << 20
	// logCheck is how often the log's size is looked at.
	logCheck = time.Minute
	// logTail is how much of the log an error shows.
	logTail = 2 << 10
)

// Binaries is a folder of PostgreSQL server programs that ran when it was found.
type Binaries struct {
	Dir     string // holds postgres and initdb
	Version string // as the server says it: "15.18", "18.3", "19beta1"
	Major   int    // 15
	Source  string // how the folder was found, for people to read
}

// FindOptions says where to look for server binaries. The zero value looks everywhere and downloads when it must.
type FindOptions struct {
	Dir     string       // the only folder to look in; when empty, $TALLY_POSTGRES_BIN
	Major   int          // accept only this major version; when 0, $TALLY_POSTGRES_MAJOR, else any from OldestMajor up
	Offline bool         // never download
	Log     *slog.Logger // told what was chosen and what was passed over; nil: slog.Default()
}

// Options says how to run a server. Only DataDir is required.
type Options struct {
	DataDir  string            // made when missing; holds the database, its log, its lock and, where short enough, its socket
	Binaries Binaries          // when zero, Start calls Find, asking for the version that made DataDir
	Database string            // made when missing, and the one DSN names; when empty, "postgres"
	NoFSync  bool              // for throwaway test data only: faster, and a power cut corrupts the database
	Settings map[string]string // server settings that override the package's own
	Log      *slog.Logger      // nil: slog.Default()
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}
