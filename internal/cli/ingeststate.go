package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/tallystick/tallystick/internal/logfile"
)

// mostMarks bounds the files that a state remembers for each destination: those that were read last.
const mostMarks = 500

// ingestState is a file that says how far files have been sent. Several commands may use it at once: each replaces its own marks, under a
// lock. What it says is durable at its destination, so whatever becomes of the file, nothing is lost; without it, lines are sent again.
type ingestState struct {
	path string
	to   string               // the destination
	now  map[string]savedMark // this command's own
	// last is when the file was written; dirty says that it lacks something since.
	last  time.Time
	dirty bool
}

type savedMark struct {
	To    string    `json:"to"`
	Saved time.Time `json:"saved"`
	logfile.Mark
}

type stateFile struct {
	Version int         `json:"version"`
	Files   []savedMark `json:"files"`
}

const stateVersion = 1

// defaultState is where the state is kept: with the user's other state.
func defaultState() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tallystick", "ingest.json")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "tallystick-ingest.json"
	}
	return filepath.Join(home, ".local", "state", "tallystick", "ingest.json")
}

// openState reads the marks of a destination.
func openState(path, to string) (*ingestState, []logfile.Mark, error) {
	s := &ingestState{path: path, to: to, now: map[string]savedMark{}}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the folder of --state: %w", err)
	}
	file, err := s.read()
	if err != nil {
		return nil, nil, err
	}
	var marks []logfile.Mark
	for _, m := range file.Files {
		if m.To == to {
			marks = append(marks, m.Mark)
		}
	}
	return s, marks, nil
}

func (s *ingestState) read() (stateFile, error) {
	var file stateFile
	text, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file, nil
	case err != nil:
		return file, err
	}
	if err := json.Unmarshal(text, &file); err != nil || file.Version != stateVersion {
		return file, fmt.Errorf("%s does not say how far files were read: remove it, or name another by --state; "+
			"lines that are sent again are not stored again", s.path)
	}
	return file, nil
}

// begin saves the beginnings of files that have no mark yet, and returns all marks: whatever becomes of this run, the next one asks for
// what was written since.
func (s *ingestState) begin(begun, marks []logfile.Mark) ([]logfile.Mark, error) {
	for _, b := range begun {
		if slices.ContainsFunc(marks, func(m logfile.Mark) bool { return m.Name == b.Name }) {
			continue
		}
		marks = append(marks, b)
		s.now[b.ID] = savedMark{s.to, time.Now().UTC(), b}
		s.dirty = true
	}
	return marks, s.save()
}

// set notes a mark. It reaches the file by saveNowAndThen or save.
func (s *ingestState) set(m logfile.Mark) error {
	s.now[m.ID] = savedMark{s.to, time.Now().UTC(), m}
	s.dirty = true
	return s.saveNowAndThen()
}

func (s *ingestState) saveNowAndThen() error {
	if time.Since(s.last) < saveEvery {
		return nil
	}
	return s.save()
}

// save writes the marks. After a crash the file is the old one or the new one.
func (s *ingestState) save() error {
	if !s.dirty {
		return nil
	}
	lock, err := os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // which unlocks it
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	file, err := s.read()
	if err != nil {
		return err
	}
	file.Version = stateVersion
	file.Files = slices.DeleteFunc(file.Files, func(m savedMark) bool { _, ours := s.now[m.ID]; return ours })
	for _, m := range s.now {
		file.Files = append(file.Files, m)
	}
	slices.SortFunc(file.Files, func(a, b savedMark) int { return b.Saved.Compare(a.Saved) })
	kept := map[string]int{}
	file.Files = slices.DeleteFunc(file.Files, func(m savedMark) bool { kept[m.To]++; return kept[m.To] > mostMarks })
	text, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return err
	}
	if err := writeDurably(s.path, append(text, '\n')); err != nil {
		return fmt.Errorf("saving how far files were sent: %w", err)
	}
	s.last, s.dirty = time.Now(), false
	return nil
}
