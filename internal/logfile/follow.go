package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// rotatedQuiet is how long a rotated file stays open without growing: its writers may go on for a while.
	rotatedQuiet = 10 * time.Minute
	// mostRotated bounds the rotated files that stay open.
	mostRotated = 8
	// clockSlack is how much earlier than it was a file's time of change may be.
	clockSlack = 2 * time.Second
	// clockTick is longer than what file systems tell times apart by.
	clockTick = 100 * time.Millisecond
	// settling is how long a file beside the path may be unreadable, since it is being compressed.
	settling = time.Minute
)

// Follower reads a file that grows and is rotated: renamed and made anew, or copied and truncated. It looks at the file system when it is
// asked for records, and takes the rotated files beside the path as part of it. It is not safe for concurrent use.
type Follower struct {
	path    string
	options Options
	notice  func(text string)
	marks   []Mark
	old     []*followed // rotated files, the oldest first
	current *followed   // nil while there is none, or no line in it
	at      string      // the inode at the path
	caught  time.Time   // all that was written before has been read
	// around is when the folder of the path last changed; the zero time asks for another look. seen are the files beside the path that need
	// no other one.
	around time.Time
	seen   map[string]sight
}

// sight is what tells whether a file has changed since it was looked at.
type sight struct {
	inode   string
	size    int64
	changed time.Time
}

// followed is an input of a Follower.
type followed struct {
	*Input
	active time.Time // when it last grew
}

// Follow goes on from marks of earlier runs, also in files that were rotated since. notice is called with what a person should know.
func Follow(path string, marks []Mark, o Options, notice func(text string)) (*Follower, error) {
	if o.Format == JSON {
		return nil, errors.New("a JSON document cannot be followed: only formats of lines can")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f := &Follower{path: path, options: o, notice: notice, marks: slices.Clone(marks), seen: map[string]sight{}}
	for _, m := range marks {
		// It may have been read in rotated files only, by a run that never got to the path itself.
		if (m.Name == path || f.isRotated(m.Name)) && m.At.After(f.caught) {
			f.caught = m.At
		}
	}
	if f.caught.IsZero() { // what was rotated before is not asked for
		f.caught = time.Now()
		if info, err := os.Stat(path); err == nil {
			f.caught = info.ModTime().Add(clockSlack - time.Millisecond)
		}
	}
	if _, err := f.lookAtPath(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Next returns the next record that is there, and of which file it is; io.EOF when there is none at present.
func (f *Follower) Next() (*Input, Record, error) {
	for {
		if in, record := f.nextOld(); in != nil {
			return in.Input, record, nil
		}
		asked := time.Now()
		if f.current != nil {
			record, err := f.current.Next()
			switch {
			case err == nil:
				f.current.active = time.Now()
				f.current.mark.At = f.caught
				return f.current.Input, record, nil
			case errors.Is(err, errReplaced):
				f.truncated()
				continue
			case !errors.Is(err, io.EOF):
				return nil, Record{}, fmt.Errorf("%s: %w", f.path, err)
			}
		}
		changed, err := f.lookAtPath()
		if err != nil {
			return nil, Record{}, err
		}
		if !changed {
			f.caught = asked
			return nil, Record{}, io.EOF
		}
	}
}

// nextOld returns the next record of the rotated files, or nil. It closes those that have no more.
func (f *Follower) nextOld() (*followed, Record) {
	for n := 0; n < len(f.old); {
		in := f.old[n]
		record, err := in.Next()
		if err == nil {
			in.active = time.Now()
			in.mark.At = f.caught
			return in, record
		}
		if errors.Is(err, io.EOF) && !in.finished {
			if time.Since(in.active) < rotatedQuiet && len(f.old)-n <= mostRotated {
				n++
				continue
			}
			in.Finish() // what it ends with is a record, whether it has a line end or not
			continue
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, errReplaced) { // the copy of another file may be written over it
			f.notice(fmt.Sprintf("%s: %v; what is left of it is not read", in.Name, err))
		}
		f.close(in)
		f.old = slices.Delete(f.old, n, n+1)
	}
	return nil, Record{}
}

// truncated closes the current file, which no longer holds what was read from it, and looks for the rest in a copy.
func (f *Follower) truncated() {
	mark := f.current.Mark()
	isCopy := func(m Mark) bool { return m.ID == mark.ID && m.Inode != mark.Inode && m.Records >= mark.Records }
	known := slices.ContainsFunc(f.marks, isCopy) || slices.ContainsFunc(f.old, func(in *followed) bool { return isCopy(in.Mark()) })
	f.close(f.current)
	f.current, f.at = nil, ""
	if !known && !f.catchUp(&mark) {
		f.notice(f.path + " was truncated, and there is no copy of what it held: lines that were not read yet are lost")
	}
}

// close closes an input and keeps its mark, unless there is one further on in a copy of it.
func (f *Follower) close(in *followed) {
	mark := in.Mark()
	in.Close()
	f.marks = slices.DeleteFunc(f.marks, func(m Mark) bool { return m.ID == mark.ID && m.Records <= mark.Records })
	if !slices.ContainsFunc(f.marks, func(m Mark) bool { return m.ID == mark.ID }) {
		f.marks = append(f.marks, mark)
	}
}

// lookAtPath opens what is at the path, if that is another file than before, and the files beside it that are new. A file whose format
// cannot be told yet waits for its first line.
func (f *Follower) lookAtPath() (changed bool, err error) {
	changed = f.lookAround()
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return changed, nil // between a rename and the next file, or not there yet
	}
	if err != nil {
		return false, err
	}
	keep := false
	defer func() {
		if !keep {
			_ = file.Close() // only read
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	now := inode(info)
	if now == f.at && f.current != nil {
		return changed, nil
	}
	if f.current != nil {
		f.old = append(f.old, f.current)
		f.current = nil
		changed = true
	}
	f.at = now
	in, err := f.openToGrow(file)
	if in != nil {
		f.current = &followed{in, time.Now()}
		keep, changed = true, true
	}
	return changed, err
}

// lookAround opens the files beside the path that are new, if the folder has changed. Whatever a rotation does, it changes the folder.
func (f *Follower) lookAround() (changed bool) {
	dir, _ := filepath.Split(f.target())
	info, err := os.Stat(dir)
	if err != nil || info.ModTime().Equal(f.around) {
		return false
	}
	f.around = info.ModTime()
	if time.Since(f.around) < clockTick { // it may change again without showing
		f.around = time.Time{}
	}
	before := len(f.old)
	f.catchUp(nil)
	return len(f.old) > before
}

// target is what the path leads to, as links to the logs of containers do.
func (f *Follower) target() string {
	if target, err := filepath.EvalSymlinks(f.path); err == nil {
		return target
	}
	return f.path
}

func (f *Follower) openToGrow(file *os.File) (*Input, error) {
	head := make([]byte, headBytes)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &fs.PathError{Op: "follow", Path: f.path, Err: errors.New("it is no regular file: give it as standard input, by -")}
	}
	head = head[:n]
	if compressionOf(head) != plain {
		return nil, fmt.Errorf("%s is compressed: it cannot be followed, since no line can be added to it", f.path)
	}
	if n < headBytes && !bytes.Contains(bytes.TrimLeft(head, "\uFEFF \t\r\n\x00"), []byte{'\n'}) {
		return nil, nil // its first line is not there yet
	}
	in, err := openFile(f.path, file, f.marks, f.options)
	if err != nil {
		return nil, err
	}
	if in.mark.Format == JSON {
		return nil, fmt.Errorf("%s is a JSON document, which cannot be followed: only formats of lines can", f.path)
	}
	f.options.Format = in.mark.Format // also of the files that come after it, whatever they begin with
	return in, nil
}

// catchUp opens what was written while nobody looked: the files beside the path that begin with its name and have changed since all was
// read. If lost is not nil, it also finds the file that has what is before that mark, and reports whether there is one.
func (f *Follower) catchUp(lost *Mark) (found bool) {
	marks := f.allMarks()
	for _, path := range f.rotated() {
		info, err := os.Stat(path)
		if err != nil { // renamed or compressed in this moment
			f.around = time.Time{}
			continue
		}
		now := sight{inode(info), info.Size(), info.ModTime()}
		recent := info.ModTime().After(f.caught.Add(-clockSlack)) && f.seen[path] != now
		isOpen := slices.ContainsFunc(f.old, func(in *followed) bool { return in.mark.Inode == now.inode })
		if !info.Mode().IsRegular() || isOpen || f.at == now.inode || !recent && (lost == nil || found) {
			continue
		}
		in, err := Open(path, marks, f.options)
		if err != nil {
			if f.around = (time.Time{}); recent && time.Since(now.changed) > settling {
				f.seen[path] = now
				f.notice(fmt.Sprintf("%v; it is not read", err))
			}
			continue
		}
		resumes := lost != nil && in.mark.ID == lost.ID
		if found = found || resumes; !recent && !resumes {
			in.Close()
			continue
		}
		f.seen[path] = now
		if in.compressed != plain || in.mark.Format == JSON {
			in.Finish()
		}
		f.old = append(f.old, &followed{in, time.Now()})
	}
	return found
}

// allMarks are those of what was read before, and of what is being read.
func (f *Follower) allMarks() []Mark {
	marks := slices.Clone(f.marks)
	for _, in := range f.inputs() {
		marks = append(marks, in.Mark())
	}
	return marks
}

func (f *Follower) inputs() []*followed {
	if f.current == nil {
		return f.old
	}
	return append(slices.Clone(f.old), f.current)
}

// rotated returns the files beside the path that rotation may have made of it, the oldest first.
func (f *Follower) rotated() []string {
	dir, name := filepath.Split(f.target())
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.notice(fmt.Sprintf("rotated files cannot be looked for: %v", err))
		return nil
	}
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

// Close closes the files.
func (f *Follower) Close() {
	for _, in := range f.inputs() {
		in.Close()
	}
}
