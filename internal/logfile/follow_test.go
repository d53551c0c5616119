package logfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// watcher follows a file as a command would, and may be killed and started again at any time.
type watcher struct {
	t       *testing.T
	path    string
	marks   map[string]Mark // saved
	f       *Follower
	records []string
	ids     map[string]string // the record of each identity: as a server does, it takes each once
	notices []string
}

func watch(t *testing.T, path string) *watcher {
	w := &watcher{t: t, path: path, marks: map[string]Mark{}, ids: map[string]string{}}
	t.Cleanup(w.kill)
	return w
}

func (w *watcher) start() {
	w.t.Helper()
	var marks []Mark
	for _, m := range w.marks {
		marks = append(marks, m)
	}
	var err error
	w.f, err = Follow(w.path, marks, Options{}, func(text string) { w.notices = append(w.notices, text) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// kill ends it. What was not saved is forgotten.
func (w *watcher) kill() {
	if w.f != nil {
		w.f.Close()
		w.f = nil
	}
}

// catchUp reads all that is there, and saves how far that is after each record.
func (w *watcher) catchUp() {
	w.t.Helper()
	for w.step() {
	}
}

// readAll reads until the follower is sure that it has everything, which takes it a moment after the last change of the folder.
func (w *watcher) readAll() {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for w.catchUp(); !w.f.hasReadAll(); w.catchUp() {
		<-tick.C
	}
}

func (w *watcher) step() bool {
	w.t.Helper()
	in, record, err := w.f.Next()
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil || record.Err != nil {
		w.t.Fatal(err, record.Err)
	}
	if other := w.ids[record.ID]; other == "" {
		w.records = append(w.records, string(record.Data))
		w.ids[record.ID] = string(record.Data)
	} else if other != string(record.Data) {
		w.t.Errorf("%s has the identity of %s", record.Data, other)
	}
	mark := in.Mark()
	w.marks[mark.ID] = mark
	return true
}

// has compares what was read so far.
func (w *watcher) has(want string) {
	w.t.Helper()
	if got := numbers(w.t, w.records); got != want {
		w.t.Errorf("it has read %s, want %s", got, want)
	}
}

// TestFollow: nothing is lost and nothing comes twice, whatever is done to the file between two looks at it, with the follower alive all
// the time, and killed and started again.
func TestFollow(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarted %t", restarted), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "access.log")
			w := watch(t, path)
			look := func() {
				w.catchUp()
				if restarted {
					w.kill()
					w.start()
				}
			}
			w.start()
			w.has("")
			look()
			extend(t, path, `{"n":`)
			look()
			extend(t, path, "1}\n{\"n\":2}\n{\"n\"")
			look()
			w.has("1-2")
			extend(t, path, ":3}\n")
			look()
			w.has("1-3")

			// Renamed while its writer goes on for a while.
			rename(t, path, path+".1")
			extend(t, path+".1", events(4, 5))
			look()
			w.has("1-5")
			extend(t, path, events(6, 7))
			extend(t, path+".1", events(8, 8))
			look()
			slices.SortFunc(w.records, func(a, b string) int { return strings.Compare(a, b) })
			w.has("1-8")

			// Renamed, compressed, and another one came and went.
			extend(t, path, events(9, 9))
			rename(t, path+".1", path+".3")
			zip(t, path+".3")
			rename(t, path, path+".2")
			extend(t, path, events(10, 12))
			rename(t, path, path+".1")
			extend(t, path, events(13, 13))
			look()
			w.has("1-13")

			// Copied and truncated, with lines that nobody had read yet, and half of one.
			extend(t, path, events(14, 15)+`{"n":16`)
			look()
			extend(t, path, "}\n"+events(17, 20))
			copyFile(t, path, path+".0")
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			look()
			w.has("1-20")
			extend(t, path, events(21, 22))
			look()
			w.has("1-22")

			// Copied, truncated, and longer than before when it is looked at again; the copy is compressed.
			extend(t, path, events(23, 24))
			copyFile(t, path, path+".00")
			zip(t, path+".00")
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			extend(t, path, events(25, 50))
			look()
			w.has("1-50")

			// Twice at once.
			for n := range 2 {
				extend(t, path, events(51+10*n, 60+10*n))
				copyFile(t, path, fmt.Sprintf("%s.000%d", path, n))
				if err := os.Truncate(path, 0); err != nil {
					t.Fatal(err)
				}
			}
			extend(t, path, events(71, 71))
			look()
			w.has("1-71")

			// Removed, and made anew.
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			look()
			extend(t, path, events(72, 73))
			look()
			w.has("1-73")
			if len(w.notices) > 0 {
				t.Errorf("it notices %q", w.notices)
			}
		})
	}
}

// TestFollowWithoutCopy: what is lost with a file that was truncated is said.
func TestFollowWithoutCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, events(1, 10))
	w := watch(t, path)
	w.start()
	w.catchUp()
	write(t, path, events(11, 12))
	w.catchUp()
	w.has("1-12")
	if len(w.notices) != 1 || !strings.Contains(w.notices[0], "there is no copy") {
		t.Errorf("it notices %q", w.notices)
	}
}

// TestFollowBeginsHere: what was rotated before is not asked for.
func TestFollowBeginsHere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path+".1", events(1, 10))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path+".1", old, old); err != nil {
		t.Fatal(err)
	}
	write(t, path, events(11, 12))
	w := watch(t, path)
	for range 3 {
		w.start()
		w.catchUp()
		w.kill()
	}
	w.has("11-12")
}

// TestFollowKilledAtOnce: what was rotated since the first run began is asked for, though that run and the next one were killed before they
// had read anything; what was rotated before is not, and what has been read since counts for more.
func TestFollowKilledAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path+".0", events(1, 10))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path+".0", old, old); err != nil {
		t.Fatal(err)
	}
	w := watch(t, path)
	extend(t, path, events(11, 20))
	if err := os.Chtimes(path, old.Add(time.Minute), old.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	begin, err := Begin(path)
	if err != nil {
		t.Fatal(err)
	}
	w.marks[begin.ID] = begin
	for n := range 3 {
		w.start()
		w.kill()
		rename(t, path, fmt.Sprint(path, ".", n+1))
		extend(t, path, events(10*n+21, 10*n+30))
		at := old.Add(time.Duration(n+2) * time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if begin, err = Begin(path); err != nil { // by a run whose state was lost, say
		t.Fatal(err)
	}
	w.marks[begin.ID] = begin
	w.start()
	w.catchUp()
	w.has("11-50")
	w.kill()
	w.records, w.ids = nil, map[string]string{}
	extend(t, path, events(51, 60))
	w.start()
	w.catchUp()
	w.has("51-60")
}

func TestFollowRefusals(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "array"), "[\n{}]\n")
	write(t, filepath.Join(dir, "words"), "hello\n")
	copyFile(t, filepath.Join(dir, "words"), filepath.Join(dir, "zipped"))
	zip(t, filepath.Join(dir, "zipped"))
	for name, want := range map[string]string{
		"array": "is a JSON document", "words": "--format", "zipped.gz": "is compressed", "": "no regular file",
	} {
		f, err := Follow(filepath.Join(dir, name), nil, Options{}, func(string) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
			f.Close()
		}
	}
	if _, err := Follow(dir, nil, Options{Format: JSON}, func(string) {}); err == nil {
		t.Error("a document is followed")
	}
}

// TestFollowHammer: a writer writes and rotates as fast as it can, in both ways, while the follower reads and is killed now and then.
func TestFollowHammer(t *testing.T) {
	const lines, perFile = 40_000, 700
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	w := watch(t, path)
	w.start()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- hammer(ctx, path, lines, perFile) }()
	for n := 0; ; n++ {
		w.step()
		if n%5000 == 4999 {
			w.kill()
			w.start()
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			w.readAll()
			slices.SortFunc(w.records, byNumber)
			w.has(fmt.Sprintf("1-%d", lines))
			if len(w.notices) > 0 {
				t.Errorf("it notices %q", w.notices)
			}
			return
		default:
		}
	}
}

func hammer(ctx context.Context, path string, lines, perFile int) error {
	open := func() (*os.File, error) { return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) }
	file, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	for n := 1; n <= lines; n++ {
		if _, err := fmt.Fprintf(file, "{\"n\":%d}\n", n); err != nil {
			return err
		}
		if n%perFile != 0 {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		rotated := fmt.Sprintf("%s.%d", path, n)
		if n/perFile%2 == 0 {
			if err := os.Rename(path, rotated); err != nil {
				return err
			}
			_ = file.Close()
			if file, err = open(); err != nil {
				return err
			}
			continue
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(rotated, text, 0o600)
		}
		if err == nil {
			err = os.Truncate(path, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestFollowOnlyRotated: a run that was killed before it got to the path itself has marks of rotated files only, and the next one goes on
// from those.
func TestFollowOnlyRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	w := watch(t, path)
	w.start()
	for n := range 4 {
		extend(t, path, events(10*n+1, 10*n+10))
		rename(t, path, fmt.Sprint(path, ".", n))
	}
	extend(t, path, events(41, 50))
	for range 5 {
		w.step()
	}
	w.kill()
	long := time.Now().Add(-time.Hour) // for which it was not running
	for n := range 4 {
		if err := os.Chtimes(fmt.Sprint(path, ".", n), long, long.Add(time.Duration(n)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	for id, m := range w.marks {
		m.At = long.Add(-time.Minute)
		w.marks[id] = m
	}
	w.start()
	w.catchUp()
	w.has("1-50")
}
