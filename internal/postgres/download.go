//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// downloads are the versions that can be downloaded, by major.
var downloads = map[int]embedded.PostgresVersion{
	15: embedded.V15,
	16: embedded.V16,
	17: embedded.V17,
	18: embedded.V18,
}

// rootCache keeps downloads where the user the server runs as can read them, which root's own folder usually is not.
const rootCache = "/var/cache/tally"

const (
	// workPrefix begins the name of a folder that a download is unpacked in.
	workPrefix = ".download-"
	// abandonedAfter is the age at which such a folder no longer belongs to a download that is going on.
	abandonedAfter = time.Hour
)

// cached returns the downloaded binaries of a major version (0: the newest), downloading them first when they are not there.
func cached(ctx context.Context, who account, major int, offline bool, log *slog.Logger) (Binaries, error) {
	if major == 0 {
		major = NewestMajor
	}
	release, ok := downloads[major]
	if !ok {
		return Binaries{}, fmt.Errorf("PostgreSQL %d cannot be downloaded: %d to %d can", major, OldestMajor, NewestMajor)
	}
	cache, err := cacheDir()
	if err != nil {
		return Binaries{}, err
	}
	tree := filepath.Join(cache, "postgres", string(release))
	b, err := inspect(ctx, who, filepath.Join(tree, "bin"), "download cache", major)
	if err == nil {
		return b, nil
	}
	if offline {
		return Binaries{}, fmt.Errorf("download cache: %w (downloading is turned off)", err)
	}
	log.Info("downloading PostgreSQL, about 20 MB", "version", string(release), "to", tree)
	if err := download(ctx, release, tree); err != nil {
		return Binaries{}, fmt.Errorf("download PostgreSQL %s: %w", release, err)
	}
	return inspect(ctx, who, filepath.Join(tree, "bin"), "download", major)
}

func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return rootCache, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for downloads: %w", err)
	}
	return filepath.Join(dir, "tally"), nil
}

// download fetches a release and unpacks it beside tree, then renames it into place, so that tree is whole or not there. Two
// processes may download at once: one wins, and the other uses what it finds.
//
// The library checks the archive's SHA-256. It only knows how to start a server, which fails as root; a data path that
// ends in "/." makes it stop, always at the same place, once the programs are unpacked and before it touches any data.
func download(ctx context.Context, release embedded.PostgresVersion, tree string) error {
	if err := os.MkdirAll(filepath.Dir(tree), 0o755); err != nil { //nolint:gosec // read by the user the server runs as
		return err
	}
	sweep(filepath.Dir(tree))
	work, err := os.MkdirTemp(filepath.Dir(tree), workPrefix)
	if err != nil {
		return err
	}
	unpacked := filepath.Join(work, "tree")
	config := embedded.DefaultConfig().Version(release).Port(0).Logger(io.Discard).
		CachePath(filepath.Join(work, "archive")).RuntimePath(filepath.Join(work, "run")).
		BinariesPath(unpacked).DataPath(filepath.Join(work, "run") + "/.")
	result := make(chan error, 1)
	go func() { // the library takes no context; an abandoned download cleans up after itself
		err := embedded.NewDatabase(config).Start()
		if ctx.Err() != nil {
			_ = os.RemoveAll(work)
		}
		result <- err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err = <-result:
	}
	defer func() { _ = os.RemoveAll(work) }()
	missing := slices.ContainsFunc([]string{"initdb", "postgres"}, func(program string) bool {
		_, statErr := os.Stat(filepath.Join(unpacked, "bin", program))
		return statErr != nil
	})
	if missing {
		return err
	}
	if err := os.Chmod(unpacked, 0o755); err != nil { //nolint:gosec // read by the user the server runs as
		return err
	}
	return settle(unpacked, tree)
}

// sweep removes what downloads that were killed left behind, as far as it can.
func sweep(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, workPrefix+"*"))
	if err != nil {
		return // only a malformed pattern fails
	}
	for _, work := range left {
		if info, err := os.Stat(work); err == nil && time.Since(info.ModTime()) > abandonedAfter {
			_ = os.RemoveAll(work)
		}
	}
}

// settle moves a finished tree into place, over a broken one if need be.
func settle(unpacked, tree string) error {
	err := os.Rename(unpacked, tree)
	if err == nil || !errors.Is(err, os.ErrExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(tree, "bin", "postgres")); err == nil {
		return nil // another process was first
	}
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	return os.Rename(unpacked, tree)
}
