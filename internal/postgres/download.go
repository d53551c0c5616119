//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// downloads are the releases to download, by major version.
var downloads = map[int]string{
	15: "15.13.0",
	16: "16.9.0",
	17: "17.5.0",
	18: "18.3.0",
}

// rootCache holds root's downloads, where the server's user can read them; root's own folder is usually closed to others.
const rootCache = "/var/cache/tally"

const (
	// workPrefix is the prefix of the folders that downloads are unpacked in.
	workPrefix = ".download-"
	// abandonedAfter is the age from which such a folder no longer belongs to a running download.
	abandonedAfter = time.Hour
)

// cached returns the downloaded binaries of a major version (0: the newest), and downloads them first if necessary.
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
	tree := filepath.Join(cache, "postgres", release)
	b, err := inspect(ctx, who, filepath.Join(tree, "bin"), "download cache", major)
	if err == nil {
		return b, nil
	}
	if offline {
		return Binaries{}, fmt.Errorf("download cache: %w (downloading is turned off)", err)
	}
	log.Info("downloading PostgreSQL, 15 to 35 MB", "version", release, "to", tree)
	if err := download(ctx, mavenCentral, release, tree); err != nil {
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

// download fetches a release and unpacks it beside tree, then renames it, so that tree is either complete or absent. Two processes may
// download at once: one wins, and the other uses its result.
func download(ctx context.Context, repository, release, tree string) error {
	if err := os.MkdirAll(filepath.Dir(tree), 0o755); err != nil { //nolint:gosec // read by the user the server runs as
		return err
	}
	removeAbandoned(filepath.Dir(tree))
	work, err := os.MkdirTemp(filepath.Dir(tree), workPrefix)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	jar, unpacked := filepath.Join(work, "archive.jar"), filepath.Join(work, "tree")
	if err := fetchJar(ctx, repository, release, jar); err != nil {
		return err
	}
	if err := unpackJar(ctx, jar, unpacked); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return moveIntoPlace(unpacked, tree)
}

// removeAbandoned removes what killed downloads left behind. It ignores errors.
func removeAbandoned(dir string) {
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

// moveIntoPlace renames an unpacked tree into place, replacing a broken one.
func moveIntoPlace(unpacked, tree string) error {
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
