package logfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// rotatedQuiet is how long a rotated file stays open without growing: its writers may go on for a while.
	rotatedQuiet = 10 * time.Minute
	// mostRotated bounds the rotated files that stay open.
	mostRotated = 8
)

// Follower reads a file that grows and is rotated: renamed and made anew, or copied and truncated. It looks at the file system when it is
// asked for records, and takes the rotated files beside the path as part of it. It is not safe for concurrent use.
type Follower struct {
	path    string
	options Options
	notice  func(text string)
	marks   []Mark
	old     []*followed // rotated files, the oldest first
	current *followed   // nil while there is none, or no line in it by which its format is known
	waiting bool        // for the rest of that line
	caught  time.Time   // all that was written before has been read
	// around is when the folder of the path last changed; the zero time asks for another look. seen are the files beside the path that need
	// no other one, by inode.
	around time.Time
	seen   map[string]sight
	blind  bool // the folder could not be read
}

// followed is an input of a Follower.
type followed struct {
	*Input
	active time.Time // when it last grew
	looked sight     // of the file at the path
	unread bool      // no record of it had been read by then
}

// Begin is the mark of a file of which nothing has been read. What is in the file by now, and what comes later, is asked for; what was
// rotated before is not. A run that is killed before it has got anywhere is gone on from by it: so it is saved before the first record is
// read.
func Begin(path string) (Mark, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Mark{}, err
	}
	at := time.Now()
	if info, err := os.Stat(path); err == nil {
		at = info.ModTime().Add(clockSlack - time.Millisecond)
	}
	return Mark{ID: rand.Text(), Name: path, At: at}, nil
}

// Follow goes on from marks of earlier runs, also in files that were rotated since; where there is none, from where Begin would. notice is
// called with what a person should know.
func Follow(path string, marks []Mark, o Options, notice func(text string)) (*Follower, error) {
	if o.Format == JSON {
		return nil, errors.New("a JSON document cannot be followed: only formats of lines can")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f := &Follower{path: path, options: o, notice: notice, marks: slices.Clone(marks), seen: map[string]sight{}}
	if f.caught = f.caughtBy(marks); f.caught.IsZero() {
		begin, err := Begin(path)
		if err != nil {
			return nil, err
		}
		f.caught = begin.At
	}
	if _, err := f.look(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// caughtBy is when all that was written to the path before had been read, by what marks say, or the zero time. A file may have been read
// under the names of rotated ones only, by a run that never got to the path itself. Where nothing was read, the first run's beginning
// counts.
func (f *Follower) caughtBy(marks []Mark) time.Time {
	var caught, begun time.Time
	for _, m := range marks {
		switch {
		case m.Name != f.path && !f.isRotated(m.Name):
		case m.Records > 0:
			if m.At.After(caught) {
				caught = m.At
			}
		case begun.IsZero() || m.At.Before(begun):
			begun = m.At
		}
	}
	if caught.IsZero() {
		return begun
	}
	return caught
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
		changed, err := f.look()
		if err != nil {
			return nil, Record{}, err
		}
		if !changed {
			if f.hasReadAll() {
				f.caught = asked
			}
			return nil, Record{}, io.EOF
		}
	}
}

// hasReadAll reports whether nothing is left but what comes from now on: no beginning of a line, and nothing beside the path that could not
// be looked at, or may have been missed since the folder changed in that moment. Files that changed earlier are not looked for again.
func (f *Follower) hasReadAll() bool {
	begun := func(in *followed) bool { return in.growing != nil && in.growing.offset > in.place().Offset }
	return !f.around.IsZero() && !f.waiting && !slices.ContainsFunc(f.inputs(), begun)
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
			if info, err := in.file.Stat(); err == nil { // before the last read: what is written after it shows
				f.seen[inode(info)] = sightOf(info)
			}
			in.Finish() // what it ends with is a record, whether it has a line end or not
			continue
		}
		switch {
		case errors.Is(err, errReplaced): // it was truncated before it was renamed, or the copy of another file is written over it
			delete(f.seen, in.mark.Inode)
			f.around = time.Time{}
		case !errors.Is(err, io.EOF):
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
	f.current = nil
	if known {
		return
	}
	if _, found := f.catchUp(&mark); !found {
		f.notice(f.path + " was truncated, and there is no copy of what it held: lines that were not read yet are lost")
	}
}

// close closes an input and keeps its mark, unless there is one further on in a copy of it.
func (f *Follower) close(in *followed) {
	mark := in.Mark()
	in.Close()
	if mark.Records == 0 {
		return
	}
	f.marks = slices.DeleteFunc(f.marks, func(m Mark) bool { return m.ID == mark.ID && m.Records <= mark.Records })
	if !slices.ContainsFunc(f.marks, func(m Mark) bool { return m.ID == mark.ID }) {
		f.marks = append(f.marks, mark)
	}
}

// look opens what is at the path, if that is another file than before, and then the files beside it that are new: one that has left the
// path since the last look is beside it by then.
func (f *Follower) look() (changed bool, err error) {
	if changed, err = f.lookAtPath(); err != nil {
		return false, err
	}
	return f.lookAround() || changed, nil
}

// lookAtPath opens what is at the path, if that is another file than before. A file whose format cannot be told yet waits for its first
// line.
func (f *Follower) lookAtPath() (changed bool, err error) {
	f.waiting = false
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // between a rename and the next file, or not there yet
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
	if f.current != nil && f.current.mark.Inode == inode(info) {
		f.lookAgain(sightOf(info))
		return false, nil
	}
	if f.current != nil {
		f.old = append(f.old, f.current)
		f.current = nil
		changed = true
	}
	in, err := f.openToGrow(file)
	if errors.Is(err, errReplaced) {
		return true, nil // in this moment
	}
	if in != nil {
		f.current = &followed{in, time.Now(), sightOf(info), true}
		keep, changed = true, true
	}
	return changed, err
}

// lookAgain looks at the current file, of which nothing may have been read yet. Then nothing shows whether it was copied and truncated
// since it was looked at, and the copy may be written over an older one, which does not change the folder.
func (f *Follower) lookAgain(now sight) {
	if f.current.unread && (now != f.current.looked || time.Since(now.changed) < clockTick) {
		f.around = time.Time{}
	}
	f.current.looked, f.current.unread = now, f.current.place().Records == 0
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
	isLine := n == headBytes || bytes.Contains(bytes.TrimLeft(head, "\uFEFF \t\r\n\x00"), []byte{'\n'})
	if f.options.Format == "" && !isLine {
		f.waiting = n > 0
		return nil, nil
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

// Close closes the files.
func (f *Follower) Close() {
	for _, in := range f.inputs() {
		in.Close()
	}
}
