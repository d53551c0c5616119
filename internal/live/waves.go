package live

import "time"

// A change of a log wakes waveWatchers of those who watch it at once, and the others in waves of as many, wavePause apart. Thousands that
// wake together would keep whatever else the server does waiting until the last of them has sent; so they take a part of one core.
const (
	waveWatchers = 16
	wavePause    = time.Millisecond
)

// wave is a part of a topic's watchers, who are woken together.
type wave struct {
	watchers int
	moved    chan struct{} // closed to wake them
	woken    uint64        // the version of the state that they were woken for last
}

// waves are all watchers of a topic. Its mu guards them.
type waves struct {
	all    []*wave
	last   int // the wave that was woken last
	waking bool
}

// enter returns a wave that has room for one more watcher, who is counted.
func (s *waves) enter(version uint64) *wave {
	for _, w := range s.all {
		if w.watchers < waveWatchers {
			w.watchers++
			return w
		}
	}
	w := &wave{watchers: 1, moved: make(chan struct{}), woken: version}
	s.all = append(s.all, w)
	return w
}

// wake wakes a wave for a version of the state. It reports whether wakeOthers must be started for the others.
func (s *waves) wake(version uint64) (others bool) {
	if s.waking {
		return false
	}
	s.waking = s.wakeOne(version) && s.isBehind(version)
	return s.waking
}

// wakeOne wakes the next wave, in turn, that was not woken for the version. It returns false if all were.
func (s *waves) wakeOne(version uint64) bool {
	for i := range s.all {
		at := (s.last + 1 + i) % len(s.all)
		if w := s.all[at]; w.woken != version {
			w.woken, s.last = version, at
			close(w.moved)
			w.moved = make(chan struct{})
			return true
		}
	}
	return false
}

func (s *waves) isBehind(version uint64) bool {
	for _, w := range s.all {
		if w.woken != version {
			return true
		}
	}
	return false
}

func (t *topic) enter() *wave {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waves.enter(t.state.Version)
}

func (t *topic) leave(w *wave) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.watchers--
}

// wakeOthers wakes wave after wave until all were woken for the present state.
func (t *topic) wakeOthers() {
	pause := time.NewTicker(wavePause)
	defer pause.Stop()
	for more := true; more; {
		<-pause.C
		t.mu.Lock()
		more = t.waves.wakeOne(t.state.Version)
		t.waves.waking = more
		t.mu.Unlock()
	}
}
