package logfile

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFollowFilledWhileNobodyLooked: a file that was empty when it was seen, and was filled and renamed before the next look, is read,
// though nothing in the folder changes from then on.
func TestFollowFilledWhileNobodyLooked(t *testing.T) {
	for name, empty := range map[string]func(t *testing.T, path string){
		"at first": func(t *testing.T, path string) { t.Helper(); extend(t, path, "") },
		"after others": func(t *testing.T, path string) {
			t.Helper()
			extend(t, path, `{"n":0}`+"\n")
			rename(t, path, path+".0")
			extend(t, path, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "access.log")
			empty(t, path)
			w := watch(t, path)
			w.start()
			w.catchUp()
			w.records = nil
			extend(t, path, events(1, 10))
			rename(t, path, path+".1")
			extend(t, path, events(11, 12))
			quieten(t, path)
			w.catchUp()
			w.catchUp()
			slices.SortFunc(w.records, byNumber)
			w.has("1-12")
		})
	}
}

// TestFollowRefilledWhileNobodyLooked: a file that was copied, truncated, filled anew and renamed between a read of its end and a look at
// its path is read from its new beginning, though nothing in the folder changes from then on.
func TestFollowRefilledWhileNobodyLooked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	extend(t, path, events(1, 10))
	w := watch(t, path)
	w.start()
	w.catchUp()
	if _, err := w.f.current.Next(); !errors.Is(err, io.EOF) { // as the Follower's Next does, which is held up then
		t.Fatal(err)
	}
	copyFile(t, path, path+".1")
	truncate(t, path)
	extend(t, path, events(11, 20))
	rename(t, path, path+".2")
	extend(t, path, events(21, 22))
	quieten(t, path)
	if _, err := w.f.lookAtPath(); err != nil {
		t.Fatal(err)
	}
	w.catchUp()
	slices.SortFunc(w.records, byNumber)
	w.has("1-22")
}

// TestFollowUnreadableForAWhile: what cannot be opened when it is seen is read once it can, however long that takes, and whatever its time
// of change is.
func TestFollowUnreadableForAWhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	extend(t, path, events(1, 2))
	w := watch(t, path)
	w.start()
	w.catchUp()
	w.kill()
	for id, m := range w.marks { // the last time that it ran
		m.At = time.Now().Add(-20 * time.Second)
		w.marks[id] = m
	}
	changed := time.Now().Add(-10 * time.Second)
	write(t, path+".1.gz", "\x1f\x8b, and no more than that for now")
	if err := os.Chtimes(path+".1.gz", changed, changed); err != nil {
		t.Fatal(err)
	}
	quieten(t, path)
	w.start()
	w.catchUp()
	w.catchUp()
	write(t, path+".0", events(3, 9))
	zip(t, path+".0")
	text, err := os.ReadFile(path + ".0.gz")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".0.gz"); err != nil {
		t.Fatal(err)
	}
	write(t, path+".1.gz", string(text))
	if err := os.Chtimes(path+".1.gz", changed, changed); err != nil {
		t.Fatal(err)
	}
	w.catchUp()
	w.has("1-9")
	if len(w.notices) > 0 {
		t.Errorf("it notices %q", w.notices)
	}
}

// TestFollowCopiedOverTheLastCopy: copies of one name, which a rotation writes over, change nothing in the folder.
func TestFollowCopiedOverTheLastCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	w := watch(t, path)
	w.start()
	extend(t, path, events(1, 10))
	copyFile(t, path, path+".1")
	truncate(t, path)
	w.catchUp()
	long := time.Now().Add(-time.Hour)
	for n := range 6 {
		quieten(t, path)
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
		w.catchUp()
		extend(t, path, events(10*n+11, 10*n+15))
		if n%3 == 0 {
			w.catchUp()
		} // else nobody has seen anything but the empty file
		extend(t, path, events(10*n+16, 10*n+18))
		copyFile(t, path, path+".1")
		truncate(t, path)
		if n%3 == 1 {
			w.catchUp()
		} // else nobody sees it empty
		extend(t, path, events(10*n+19, 10*n+20))
		w.catchUp()
		copyFile(t, path, path+".1")
		truncate(t, path)
		w.catchUp()
	}
	slices.SortFunc(w.records, byNumber)
	w.has("1-70")
	if len(w.notices) > 0 {
		t.Errorf("it notices %q", w.notices)
	}
}

// TestFollowCopyUnderWay: a copy that is seen before it is complete is known for what it is once its original is truncated.
func TestFollowCopyUnderWay(t *testing.T) {
	for name, begin := range map[string]func(path string, look func()){
		"empty": func(path string, look func()) { extend(t, path, ""); look() },
		"half":  func(path string, look func()) { extend(t, path, events(1, 5)); look() },
		"begun twice": func(path string, look func()) {
			extend(t, path, events(1, 5))
			look()
			truncate(t, path)
			look()
		},
	} {
		path := filepath.Join(t.TempDir(), "access.log")
		w := watch(t, path)
		w.start()
		extend(t, path, events(1, 10))
		w.catchUp()
		begin(path+".1", w.catchUp)
		extend(t, path, events(11, 12))
		there, err := os.ReadFile(path + ".1")
		if err != nil {
			t.Fatal(err)
		}
		extend(t, path+".1", events(1, 12)[len(there):])
		truncate(t, path)
		extend(t, path, events(13, 14))
		w.catchUp()
		w.has("1-14")
		if len(w.notices) > 0 {
			t.Errorf("of a copy that is %s, it notices %q", name, w.notices)
		}
	}
}

// TestFollowBeginningOfALine: what an abandoned file ends with is read in the end, though the follower was restarted after it saw that.
func TestFollowBeginningOfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	extend(t, path, events(1, 3))
	w := watch(t, path)
	w.start()
	w.catchUp()
	extend(t, path, strings.TrimSuffix(events(4, 4), "\n"))
	long := time.Now().Add(-time.Minute)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	for id, m := range w.marks {
		m.At = long.Add(-time.Second)
		w.marks[id] = m
	}
	w.f.caught = long.Add(-time.Second)
	w.catchUp()
	rename(t, path, path+".1")
	extend(t, path, events(5, 6))
	w.catchUp()
	w.kill()
	w.start()
	w.catchUp()
	for _, in := range w.f.old {
		in.active = time.Now().Add(-rotatedQuiet)
	}
	w.catchUp()
	slices.SortFunc(w.records, byNumber)
	w.has("1-6")
}

// TestFollowReplacedWhileItIsFound: a file that is written anew while it is searched for the place to go on from is not gone on with at
// that place.
func TestFollowReplacedWhileItIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	write(t, path, events(1, 10))
	in, err := Open(path, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for range 5 {
		if _, err := in.Next(); err != nil {
			t.Fatal(err)
		}
	}
	mark := in.Mark()
	write(t, path, events(11, 30))
	if err := in.begin(Options{}); err != nil {
		t.Fatal(err)
	}
	if err := in.skipTo(&mark); !errors.Is(err, errReplaced) {
		t.Errorf("it goes on behind records that it never read: %v", err)
	}
}

// quieten makes the folder of a path one that has changed since it was looked at, but not lately.
func quieten(t *testing.T, path string) {
	t.Helper()
	at := time.Now().Add(-time.Second)
	if err := os.Chtimes(filepath.Dir(path), at, at); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
}

func byNumber(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }
