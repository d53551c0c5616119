package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// clockSlack is how much earlier than it was a file's time of change may be.
	clockSlack = 2 * time.Second
	// clockTick is longer than what file systems tell times apart by.
	clockTick = 100 * time.Millisecond
	// settling is how long a file beside the path may be unreadable, since it is being compressed.
	settling = time.Minute
)

// sight is what tells whether a file has changed since it was looked at.
type sight struct {
	size    int64
	changed time.Time
}

func sightOf(info os.FileInfo) sight { return sight{info.Size(), info.ModTime()} }

// lookAround opens the files beside the path that are new, if the folder has changed, as it does by whatever a rotation does. Only copies
// that are written over older ones leave it as it was: what finds those sets around to the zero time.
func (f *Follower) lookAround() (changed bool) {
	dir, _ := filepath.Split(f.target())
	info, err := os.Stat(dir)
	if err != nil {
		f.around = time.Time{}
		return false
	}
	before := info.ModTime()
	if before.Equal(f.around) {
		return false
	}
	f.around = before
	if time.Since(before) < clockTick { // it may change again without showing
		f.around = time.Time{}
	}
	changed, _ = f.catchUp(nil)
	if info, err = os.Stat(dir); err != nil || !info.ModTime().Equal(before) { // a file that got another name meanwhile may be missed
		f.around = time.Time{}
	}
	return changed
}

// target is what the path leads to, as links to the logs of containers do.
func (f *Follower) target() string {
	if target, err := filepath.EvalSymlinks(f.path); err == nil {
		return target
	}
	return f.path
}

// catchUp opens what was written while nobody looked: the files beside the path that begin with its name and have changed since all was
// read. If lost is not nil, it also finds the file that has what is before that mark, and reports whether there is one. Where a file cannot
// be looked at in this moment, around becomes the zero time.
func (f *Follower) catchUp(lost *Mark) (opened, found bool) {
	marks := f.allMarks()
	for _, path := range f.rotated() {
		info, err := os.Stat(path)
		if err != nil {
			if _, err := os.Lstat(path); err != nil { // renamed or compressed in this moment, and no link that leads nowhere
				f.around = time.Time{}
			}
			continue
		}
		id, now := inode(info), sightOf(info)
		if n := slices.IndexFunc(f.old, func(in *followed) bool { return in.mark.Inode == id }); n >= 0 {
			if lost != nil && !found {
				var in *Input
				if in, found = f.goOnFrom(*lost, f.old[n].Input, path); in != f.old[n].Input {
					f.old[n] = rotatedInput(in)
				}
			}
			continue
		}
		recent := now.changed.After(f.caught.Add(-clockSlack)) && f.seen[id] != now
		isCurrent := f.current != nil && f.current.mark.Inode == id
		if !info.Mode().IsRegular() || isCurrent || !recent && (lost == nil || found) {
			continue
		}
		in, err := Open(path, marks, f.options)
		if err != nil {
			if f.around = (time.Time{}); recent && time.Since(now.changed) > settling {
				f.seen[id] = now
				f.notice(fmt.Sprintf("%v; it is not read", err))
			}
			continue
		}
		if in.mark.Inode != id { // it has got this name in this moment
			f.around = time.Time{}
			in.Close()
			continue
		}
		resumes := false
		if lost != nil && !found {
			in, resumes = f.goOnFrom(*lost, in, path)
			found = resumes
		}
		if !recent && !resumes {
			in.Close()
			continue
		}
		f.seen[id] = now
		f.old = append(f.old, rotatedInput(in))
		opened = true
	}
	return opened, found
}

// goOnFrom reports whether the file of an input, now at a path, has what is before a mark, and returns the input, or instead of it one that
// goes on from there if that is further on: a copy may have been opened before it was complete.
func (f *Follower) goOnFrom(lost Mark, in *Input, path string) (*Input, bool) {
	if in.mark.ID == lost.ID {
		return in, true
	}
	other, err := Open(path, []Mark{lost}, f.options)
	if err != nil {
		f.around = time.Time{}
		return in, false
	}
	same := other.mark.Inode == in.mark.Inode
	if !same { // it has got this name in this moment
		f.around = time.Time{}
	}
	has := same && other.mark.ID == lost.ID
	if !has || in.place().Records >= lost.Records {
		other.Close()
		return in, has
	}
	in.Close()
	return other, true
}

func rotatedInput(in *Input) *followed {
	if in.compressed != plain || in.mark.Format == JSON {
		in.Finish()
	}
	return &followed{Input: in, active: time.Now()}
}

// rotated returns the files beside the path that rotation may have made of it, the oldest first.
func (f *Follower) rotated() []string {
	dir, name := filepath.Split(f.target())
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.around = time.Time{}
		if !f.blind {
			f.notice(fmt.Sprintf("rotated files cannot be looked for: %v", err))
		}
	}
	f.blind = err != nil
	type candidate struct {
		path string
		at   time.Time
	}
	var candidates []candidate
	for _, entry := range entries {
		info, err := entry.Info()
		if !isRotatedName(name, entry.Name()) || err != nil {
			continue
		}
		candidates = append(candidates, candidate{filepath.Join(dir, entry.Name()), info.ModTime()})
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return a.at.Compare(b.at) })
	paths := make([]string, len(candidates))
	for i, c := range candidates {
		paths[i] = c.path
	}
	return paths
}

// isRotated reports whether rotation may have made the file at another path of the one that is followed.
func (f *Follower) isRotated(other string) bool {
	dir, name := filepath.Split(f.target())
	otherDir, otherName := filepath.Split(other)
	return dir == otherDir && isRotatedName(name, otherName)
}

func isRotatedName(name, other string) bool {
	rest, ok := strings.CutPrefix(other, name)
	if !ok { // access-20261128.log
		rest, ok = strings.CutPrefix(other, strings.TrimSuffix(name, filepath.Ext(name)))
		ok = ok && strings.HasPrefix(rest, "-") && strings.Contains(rest, filepath.Ext(name))
	}
	return ok && rest != "" && strings.ContainsAny(rest[:1], ".-_")
}
