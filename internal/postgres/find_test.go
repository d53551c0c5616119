//go:build unix

package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// openDir returns a temporary folder that the server's user can enter, unlike t.TempDir's.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// withoutForks writes a program while no other goroutine forks: a child would hold the file open for writing until it executes its own
// program, and the kernel does not execute a file that is open for writing ("text file busy").
func withoutForks(write func() error) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return write()
}

// pretend writes programs to dir/bin that report the given version, and returns that folder.
func pretend(t *testing.T, dir, version string, programs ...string) string {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range programs {
		script := "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n"
		if err := withoutForks(func() error { return os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755) }); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

func TestFindExplicitFolder(t *testing.T) {
	for _, c := range []struct {
		name, version string
		programs      []string
		major         int
		want          string // the version found, or part of the error
	}{
		{"debian's words", "15.18 (Debian 15.18-0+deb12u1)", []string{"postgres", "initdb"}, 0, "15.18"},
		{"a beta", "19beta1", []string{"postgres", "initdb"}, 0, "19beta1"},
		{"the wanted major", "16.4", []string{"postgres", "initdb"}, 16, "16.4"},
		{"another major", "16.4", []string{"postgres", "initdb"}, 17, "is PostgreSQL 16.4, but 17 is wanted"},
		{"too old", "14.9", []string{"postgres", "initdb"}, 0, "is PostgreSQL 14.9, too old: Tallystick needs 15 or newer"},
		{"a client only", "15.18", []string{"psql"}, 0, "initdb: no such file"},
		{"no version", "devel", []string{"postgres", "initdb"}, 0, "names no PostgreSQL version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(MajorEnv, "")
			bin := pretend(t, openDir(t), c.version, c.programs...)
			for _, o := range []FindOptions{{Dir: bin, Major: c.major}, {Major: c.major}} {
				t.Setenv(BinEnv, bin)
				b, err := Find(t.Context(), o)
				switch {
				case err == nil && b.Version != c.want:
					t.Errorf("found version %q, want %q", b.Version, c.want)
				case err == nil && b.Dir != bin:
					t.Errorf("found %q, want %q", b.Dir, bin)
				case err != nil && !strings.Contains(err.Error(), c.want):
					t.Errorf("error %q, want %q in it", err, c.want)
				}
			}
		})
	}
}

func TestFindFollowsLinksInPath(t *testing.T) {
	t.Setenv(BinEnv, "")
	t.Setenv(MajorEnv, "")
	dir := openDir(t)
	bin := pretend(t, dir, "17.1", "postgres", "initdb")
	links := filepath.Join(dir, "links")
	if err := errors.Join(
		os.Mkdir(links, 0o755), os.Symlink(filepath.Join(bin, "postgres"), filepath.Join(links, "postgres")),
	); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", links+":"+os.Getenv("PATH"))
	b, err := Find(t.Context(), FindOptions{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	if b.Dir != bin || b.Version != "17.1" || b.Source != "PATH" {
		t.Fatalf("found %+v, want version 17.1 in %s from PATH", b, bin)
	}
}

func TestFindPassesOverOldProgramsInPath(t *testing.T) {
	t.Setenv(BinEnv, "")
	t.Setenv(MajorEnv, "")
	t.Setenv("PATH", pretend(t, openDir(t), "12.3", "postgres", "initdb")+":"+os.Getenv("PATH"))
	b, err := Find(t.Context(), FindOptions{Offline: true})
	if err == nil && b.Major < OldestMajor {
		t.Fatalf("found %+v, which is too old", b)
	}
	if err != nil && !strings.Contains(err.Error(), "12.3, too old") {
		t.Fatalf("error %q, want it to say that 12.3 is too old", err)
	}
}

func TestFindSaysWhatItTriedAndWhatToDo(t *testing.T) {
	t.Setenv(BinEnv, "")
	t.Setenv(MajorEnv, "99")
	_, err := Find(t.Context(), FindOptions{})
	if err == nil {
		t.Fatal("found PostgreSQL 99")
	}
	for _, want := range []string{"install PostgreSQL 99", BinEnv, "PostgreSQL 99 cannot be downloaded: 15 to 18 can"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q in it", err, want)
		}
	}
	for text, want := range map[string]string{"new": `TALLY_POSTGRES_MAJOR is "new": give a major version`, "9": "needs 15 or newer"} {
		t.Setenv(MajorEnv, text)
		if _, err := Find(t.Context(), FindOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%s: error %v, want %q in it", MajorEnv, text, err, want)
		}
	}
}

func TestFindStopsWithItsContext(t *testing.T) {
	t.Setenv(BinEnv, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, FindOptions{Offline: true}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
}

func TestMoveIntoPlaceKeepsAWholeTreeAndReplacesABrokenOne(t *testing.T) {
	dir := openDir(t)
	tree := filepath.Join(dir, "18.0")
	fresh := func(mark string) string {
		unpacked := filepath.Join(dir, "unpacked-"+mark)
		pretend(t, unpacked, mark, "postgres", "initdb")
		return unpacked
	}
	mark := func() string {
		t.Helper()
		v, err := version(t.Context(), account{}, filepath.Join(tree, "bin", "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if err := moveIntoPlace(fresh("18.1"), tree); err != nil {
		t.Fatal(err)
	}
	if got := mark(); got != "18.1" {
		t.Fatalf("the tree is %s, want 18.1", got)
	}
	if err := moveIntoPlace(fresh("18.2"), tree); err != nil {
		t.Fatal(err)
	}
	if got := mark(); got != "18.1" {
		t.Fatalf("a whole tree was replaced by %s", got)
	}
	if err := os.Remove(filepath.Join(tree, "bin", "postgres")); err != nil {
		t.Fatal(err)
	}
	if err := moveIntoPlace(fresh("18.3"), tree); err != nil {
		t.Fatal(err)
	}
	if got := mark(); got != "18.3" {
		t.Fatalf("a broken tree became %s, want 18.3", got)
	}
}

func TestOnlyAbandonedDownloadsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	old, going, tree := filepath.Join(dir, workPrefix+"old"), filepath.Join(dir, workPrefix+"new"), filepath.Join(dir, "18.0")
	for _, d := range []string{old, going, tree} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-2 * abandonedAfter)
	if err := errors.Join(os.Chtimes(old, before, before), os.Chtimes(tree, before, before)); err != nil {
		t.Fatal(err)
	}
	removeAbandoned(dir)
	for d, want := range map[string]bool{old: false, going: true, tree: true} {
		if _, err := os.Stat(d); (err == nil) != want {
			t.Errorf("%s: %v, want it kept: %t", d, err, want)
		}
	}
}
