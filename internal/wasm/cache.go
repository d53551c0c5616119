package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cacheDir is the folder in which compiled modules are kept. Each has a folder of its own, named by the hash of its metered
// bytes, and in it
//
//	module.wasm       the metered bytes
//	wazero-…/<name>   the machine code, as the runtime wrote it
//	code.sha256       the hash of the machine code, and its path
//
// A folder is made under a temporary name and renamed once it is complete. Whoever can write to the cache can run code as
// this process; the hashes only protect against broken disks and killed processes.
type cacheDir string

const (
	sourceName   = "module.wasm"
	manifestName = "code.sha256"
	unfinished   = "unfinished-" // prefix of the names of incomplete folders
	// leftBehind is the age from which on an incomplete folder is taken to be abandoned.
	leftBehind = time.Hour
	// unusedFor is how long a module stays in the cache after it was last loaded.
	unusedFor = 90 * 24 * time.Hour
)

func (d cacheDir) folder(sum [sha256.Size]byte) string {
	return filepath.Join(string(d), hex.EncodeToString(sum[:]))
}

// CheckCacheDir returns why a folder cannot keep compiled modules; nil when it can. It makes the folder.
func CheckCacheDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return err
	}
	return os.Remove(work)
}

// open makes the folder, and removes abandoned and unused modules from it.
func (d cacheDir) open() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("make the folder for compiled modules: %w", err)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return fmt.Errorf("read the folder of compiled modules: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() {
			continue
		}
		age := time.Since(info.ModTime())
		complete := len(entry.Name()) == hex.EncodedLen(sha256.Size)
		if complete && age > unusedFor || strings.HasPrefix(entry.Name(), unfinished) && age > leftBehind {
			_ = os.RemoveAll(filepath.Join(string(d), entry.Name())) // the next start tries again
		}
	}
	return nil
}

// has reports whether the cache has the machine code of a module, undamaged, and marks it as used.
func (d cacheDir) has(sum [sha256.Size]byte) bool {
	folder := d.folder(sum)
	manifest, err := os.ReadFile(filepath.Join(folder, manifestName)) //nolint:gosec // in our own cache
	if err != nil {
		return false
	}
	want, name, ok := strings.Cut(strings.TrimSpace(string(manifest)), "  ")
	if !ok || !filepath.IsLocal(name) {
		return false
	}
	code, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // in our own cache
	if err != nil {
		return false
	}
	found := sha256.Sum256(code)
	if hex.EncodeToString(found[:]) != want {
		return false
	}
	now := time.Now()
	_ = os.Chtimes(folder, now, now) // if this fails, the folder is at worst removed too early
	return true
}

// add compiles a metered module and stores its code. A *RefusedError is the module's fault.
func (d cacheDir) add(ctx context.Context, metered []byte, sum [sha256.Size]byte) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil { // somebody may have removed it
		return fmt.Errorf("make the folder for compiled modules: %w", err)
	}
	work, err := os.MkdirTemp(string(d), unfinished)
	if err != nil {
		return fmt.Errorf("make a folder for a compiled module: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // open removes what is left
	code, _ := takeData(metered)
	if err := compileOutside(ctx, code, work, limitsFor(metered)); err != nil {
		return err
	}
	if err := complete(work, metered); err != nil {
		return fmt.Errorf("keep a compiled module in %s: %w", string(d), err)
	}
	folder := d.folder(sum)
	if err := os.RemoveAll(folder); err != nil { // has found it damaged
		return fmt.Errorf("remove a broken compiled module: %w", err)
	}
	// Another process may have added the same code meanwhile.
	if err := os.Rename(work, folder); err != nil && !d.has(sum) {
		return fmt.Errorf("keep a compiled module: %w", err)
	}
	d.bound(MaxCacheBytes)
	return nil
}

// complete adds the metered bytes and the manifest to a folder with machine code.
func complete(folder string, metered []byte) error {
	found, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil || len(found) != 1 {
		return errors.Join(fmt.Errorf("the compiler left %d files, not one", len(found)), err)
	}
	code, err := os.ReadFile(found[0])
	if err != nil {
		return fmt.Errorf("read machine code: %w", err)
	}
	name, err := filepath.Rel(folder, found[0])
	if err != nil {
		return fmt.Errorf("name machine code: %w", err)
	}
	sum := sha256.Sum256(code)
	manifest := hex.EncodeToString(sum[:]) + "  " + name + "\n"
	if err := os.WriteFile(filepath.Join(folder, sourceName), metered, 0o600); err != nil {
		return fmt.Errorf("write the metered module: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, manifestName), []byte(manifest), 0o600); err != nil { //nolint:gosec // in our own cache
		return fmt.Errorf("write the hash of machine code: %w", err)
	}
	return nil
}

// remove deletes a module from the cache.
func (d cacheDir) remove(sum [sha256.Size]byte) error {
	if err := os.RemoveAll(d.folder(sum)); err != nil {
		return fmt.Errorf("remove a compiled module: %w", err)
	}
	return nil
}

// source is an open file with a module's metered bytes.
type source struct {
	file *os.File
	sum  [sha256.Size]byte
}

// source opens the file with a module's metered bytes, and writes it first if it is missing or damaged.
func (d cacheDir) source(metered []byte, sum [sha256.Size]byte) (*source, error) {
	path := filepath.Join(d.folder(sum), sourceName)
	for range 2 {
		file, err := os.Open(path) //nolint:gosec // in our own cache
		if err == nil {
			s := &source{file: file, sum: sum}
			if _, err = s.read(); err == nil {
				return s, nil
			}
			_ = file.Close()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open a metered module: %w", err)
		}
		if err := os.WriteFile(path, metered, 0o600); err != nil {
			return nil, fmt.Errorf("write a metered module: %w", err)
		}
	}
	return nil, fmt.Errorf("read a metered module from %s: it is not what was written; check the disk", path)
}

// read returns the bytes, or an error if the file has changed.
func (s *source) read() ([]byte, error) {
	info, err := s.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read a metered module: %w", err)
	}
	if info.Size() > maxMeteredBytes {
		return nil, fmt.Errorf("read a metered module: it has %d bytes", info.Size())
	}
	metered := make([]byte, info.Size())
	if _, err := s.file.ReadAt(metered, 0); err != nil {
		return nil, fmt.Errorf("read a metered module: %w", err)
	}
	if sha256.Sum256(metered) != s.sum {
		return nil, fmt.Errorf("read a metered module from %s: it was changed; check the disk", s.file.Name())
	}
	return metered, nil
}

func (s *source) close() { _ = s.file.Close() }

// maxMeteredBytes bounds a metered module: metering makes a module several times as long at most.
const maxMeteredBytes = 16 * MaxModuleBytes
