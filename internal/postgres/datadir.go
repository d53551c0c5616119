//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// The contents of a data folder.
const (
	clusterName = "pgdata"       // PostgreSQL's own data directory
	socketName  = "run"          // the socket's folder
	accessName  = "pg_hba.conf"  // who may connect over TCP, where it does so
	logName     = "postgres.log" // the server's log; postgres.log.1 is the previous one
	lockName    = "tally.lock"   // locked while a process manages a server here; holds its process ID
)

// longestPort stands for every port in a socket's name.
const longestPort = "65535"

// maxSocketPath is the longest socket path that every system accepts: 104 bytes with the terminating zero on macOS and the BSDs, 108 on
// Linux.
const maxSocketPath = 103

// ErrInUse is wrapped by the error of Start if another process runs a server on the same data folder.
var ErrInUse = errors.New("the data folder is in use")

// DataMajor returns the PostgreSQL major version of a data folder; 0 if the folder holds no database yet.
func DataMajor(dataDir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dataDir, clusterName, "PG_VERSION")) //nolint:gosec // the user's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s: PG_VERSION: %w", dataDir, err)
	}
	return major, nil
}

// lock locks the data folder for this process. The lock ends with the process, however that ends, or with unlock.
func lock(dataDir string) (*os.File, error) {
	path := filepath.Join(dataDir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path) //nolint:gosec // only to name the holder
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, fmt.Errorf("%w: process %s runs a server on %s: use that one, stop it, or choose another data folder",
			ErrInUse, strings.TrimSpace(string(holder)), dataDir)
	}
	if err := errors.Join(f.Truncate(0), writeAll(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		return nil, errors.Join(err, unlock(f))
	}
	return f, nil
}

// unlock unlocks a data folder. Closing the file would not be enough: the lock belongs to the open file description, of which a child that
// another goroutine has just forked holds a copy until it executes its program.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func writeAll(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return err
}

// makeCluster runs initdb in a folder beside the final one and renames it, so that a cluster is either complete or absent.
func makeCluster(ctx context.Context, who account, b Binaries, dataDir string, noFSync bool) error {
	cluster := filepath.Join(dataDir, clusterName)
	fresh := cluster + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := who.own(fresh); err != nil {
		return err
	}
	args := []string{
		"--pgdata", fresh, "--username", Superuser, "--auth", "trust", "--data-checksums",
		"--encoding", "UTF8", "--locale", "C", // the one locale that every machine has; it sorts by code point
	}
	if noFSync {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(b.Dir, "initdb"), args...) //nolint:gosec // found by Find
	cmd.SysProcAttr, cmd.Dir, cmd.Env = who.attr(), fresh, serverEnv()
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(fresh)
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.Rename(fresh, cluster)
}

// socketFolder creates the folder for the server's socket: in the data folder, or, if the path would be too long, a new private one in the
// system's temporary folder, which Stop removes.
func socketFolder(who account, dataDir string) (dir string, temporary bool, err error) {
	dir = filepath.Join(dataDir, socketName)
	if fitsSocket(dir) {
		return dir, false, who.own(dir)
	}
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		if dir, err = os.MkdirTemp(parent, "tally-"); err != nil {
			continue
		}
		if err = who.own(dir); err == nil && fitsSocket(dir) {
			return dir, true, nil
		}
		_ = os.Remove(dir)
	}
	return "", false, fmt.Errorf("no folder short enough for a Unix socket (%d bytes with its name): set TMPDIR to a shorter path: %w",
		maxSocketPath, err)
}

func fitsSocket(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL."+longestPort)) <= maxSocketPath
}
