//go:build unix

package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The folders where distributions install server binaries, each version beside the others.
var distributionFolders = []struct{ name, pattern string }{
	{"Debian or Ubuntu package", "/usr/lib/postgresql/*/bin"},
	{"Red Hat package", "/usr/pgsql-*/bin"},
	{"Homebrew", "/opt/homebrew/opt/postgresql@*/bin"},
	{"Homebrew", "/usr/local/opt/postgresql@*/bin"},
	{"Homebrew", "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin"},
	{"Postgres.app", "/Applications/Postgres.app/Contents/Versions/*/bin"},
}

// Find returns the first usable server binaries. It looks in the folder named by o.Dir or $TALLY_POSTGRES_BIN, and then in no other; else
// in PATH, the folders of Linux distributions, Homebrew and Postgres.app (newest first), and this package's own cache, which it fills by
// downloading unless o.Offline. The error names every folder that it looked in and what is wrong with it.
func Find(ctx context.Context, o FindOptions) (Binaries, error) {
	log := logger(o.Log)
	major, err := wantedMajor(o)
	if err != nil {
		return Binaries{}, err
	}
	who, err := serverAccount("")
	if err != nil {
		return Binaries{}, err
	}
	if dir, source := explicitDir(o); dir != "" {
		b, err := inspect(ctx, who, dir, source, major)
		if err != nil {
			return Binaries{}, fmt.Errorf("PostgreSQL binaries named by %s: %w", source, err)
		}
		return chosen(o, b), nil
	}

	var refused []error
	for _, c := range candidates() {
		b, err := inspect(ctx, who, c.Dir, c.Source, major)
		if err == nil {
			return chosen(o, b), nil
		}
		if ctx.Err() != nil {
			return Binaries{}, ctx.Err()
		}
		log.Debug("passed over PostgreSQL binaries", "dir", c.Dir, "source", c.Source, "reason", err)
		refused = append(refused, fmt.Errorf("%s: %w", c.Source, err))
	}
	b, err := cached(ctx, who, major, o.Offline, log)
	if err == nil {
		return chosen(o, b), nil
	}
	refused = append(refused, err)
	return Binaries{}, fmt.Errorf("no usable PostgreSQL server binaries: install PostgreSQL %s (Debian: apt-get install postgresql), "+
		"or name the folder that holds postgres and initdb in %s: %w", wantedText(major), BinEnv, errors.Join(refused...))
}

func explicitDir(o FindOptions) (dir, source string) {
	if o.Dir != "" {
		return o.Dir, "the given folder"
	}
	return os.Getenv(BinEnv), BinEnv
}

func wantedMajor(o FindOptions) (int, error) {
	major, source := o.Major, "the asked version"
	if text := os.Getenv(MajorEnv); major == 0 && text != "" {
		source = MajorEnv
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("%s is %q: give a major version, %d to %d", MajorEnv, text, OldestMajor, NewestMajor)
		}
		major = n
	}
	if major != 0 && major < OldestMajor {
		return 0, fmt.Errorf("%s is PostgreSQL %d: Tallystick needs %d or newer", source, major, OldestMajor)
	}
	return major, nil
}

func wantedText(major int) string {
	if major != 0 {
		return strconv.Itoa(major)
	}
	return fmt.Sprintf("%d to %d", OldestMajor, NewestMajor)
}

func chosen(o FindOptions, b Binaries) Binaries {
	log := logger(o.Log)
	log.Info("using PostgreSQL", "version", b.Version, "dir", b.Dir, "source", b.Source)
	if b.Major > NewestMajor {
		log.Warn("this PostgreSQL is newer than any Tallystick was tested with", "version", b.Version, "newest_tested", NewestMajor)
	}
	return b
}

// candidates returns the folders to look in, in order and without duplicates.
func candidates() []Binaries {
	var list []Binaries
	if path, err := exec.LookPath("postgres"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target // initdb and the share folder are beside the file, not beside a link to it
		}
		list = append(list, Binaries{Dir: filepath.Dir(path), Source: "PATH"})
	}
	for _, d := range distributionFolders {
		dirs, err := filepath.Glob(d.pattern)
		if err != nil {
			continue // only a malformed pattern fails
		}
		slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(numberIn(b), numberIn(a)) })
		for _, dir := range dirs {
			if !slices.ContainsFunc(list, func(b Binaries) bool { return b.Dir == dir }) {
				list = append(list, Binaries{Dir: dir, Source: d.name})
			}
		}
	}
	return list
}

var digits = regexp.MustCompile(`\d+`)

// numberIn returns the last number in a path such as /usr/lib/postgresql/15/bin; 0 if there is none.
func numberIn(path string) int {
	all := digits.FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	n, err := strconv.Atoi(all[len(all)-1])
	if err != nil {
		return 0
	}
	return n
}

// inspect runs the programs in dir as the user who will run the server, to detect here, and not at the first start, that this user cannot
// enter the folder.
func inspect(ctx context.Context, who account, dir, source string, major int) (Binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Binaries{}, err
	}
	b := Binaries{Dir: dir, Source: source}
	for _, program := range []string{"initdb", "postgres"} {
		if b.Version, err = version(ctx, who, filepath.Join(dir, program)); err != nil {
			return Binaries{}, err
		}
	}
	if b.Major, err = strconv.Atoi(digits.FindString(b.Version)); err != nil {
		return Binaries{}, fmt.Errorf("%s: version %q: %w", dir, b.Version, err)
	}
	switch {
	case b.Major < OldestMajor:
		return Binaries{}, fmt.Errorf("%s is PostgreSQL %s, too old: Tallystick needs %d or newer", dir, b.Version, OldestMajor)
	case major != 0 && b.Major != major:
		return Binaries{}, fmt.Errorf("%s is PostgreSQL %s, but %d is wanted", dir, b.Version, major)
	}
	return b, nil
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+\S*)`)

func version(ctx context.Context, who account, program string) (string, error) {
	if _, err := os.Stat(program); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.SysProcAttr, cmd.Dir, cmd.Env = who.attr(), "/", serverEnv()
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, os.ErrPermission):
		return "", fmt.Errorf("%s cannot be run by %s: %w", program, who, err)
	case err != nil:
		return "", fmt.Errorf("%s --version: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	found := versionLine.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("%s --version answered %q, which names no PostgreSQL version", program, strings.TrimSpace(string(out)))
	}
	return string(found[1]), nil
}

// serverEnv returns this process's environment without the PG* variables, which would affect the server.
func serverEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PG") || strings.HasPrefix(kv, "LC_ALL=") || strings.HasPrefix(kv, "LANG=")
	})
	return append(env, "LC_ALL=C")
}
