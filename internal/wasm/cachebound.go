package wasm

import (
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// MaxCacheBytes bounds the folder of compiled modules, whatever is uploaded: those that were not loaded for the longest time go first.
	// They are compiled again when they are needed.
	MaxCacheBytes = 2 << 30
	// justLoaded is how long a module stays after it was looked for, since whoever did is about to read it.
	justLoaded = time.Minute
)

// cached is a module's folder.
type cached struct {
	path  string
	bytes int64
	used  time.Time
}

// bound removes what the folder has too much. What cannot be removed or measured is left for the next time.
func (d cacheDir) bound(most int64) {
	folders := d.modules()
	slices.SortFunc(folders, func(a, b cached) int { return a.used.Compare(b.used) })
	var all int64
	for _, f := range folders {
		all += f.bytes
	}
	for _, f := range folders {
		if all <= most || time.Since(f.used) < justLoaded {
			return
		}
		if os.RemoveAll(f.path) == nil {
			all -= f.bytes
		}
	}
}

// modules returns the complete folders.
func (d cacheDir) modules() (folders []cached) {
	entries, _ := os.ReadDir(string(d)) // those that could be read
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || len(entry.Name()) != hex.EncodedLen(len(source{}.sum)) {
			continue
		}
		f := cached{path: filepath.Join(string(d), entry.Name()), used: info.ModTime()}
		_ = filepath.WalkDir(f.path, func(_ string, file fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // another process has removed it
			}
			if info, err := file.Info(); err == nil && info.Mode().IsRegular() {
				f.bytes += info.Size()
			}
			return nil
		})
		folders = append(folders, f)
	}
	return folders
}
