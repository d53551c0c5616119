package live

import (
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// woken counts the channels that are closed, and returns them anew.
func (s *waves) woken(waiting []<-chan struct{}) (n int, now []<-chan struct{}) {
	for i, moved := range waiting {
		select {
		case <-moved:
			n++
			waiting[i] = s.all[i].moved
		default:
		}
	}
	return n, waiting
}

func TestWavesTakeTurns(t *testing.T) {
	var s waves
	const count = 5
	for i := range count * waveWatchers {
		if w := s.enter(0); w != s.all[i/waveWatchers] {
			t.Fatalf("watcher %d is not in wave %d", i, i/waveWatchers)
		}
	}
	waiting := make([]<-chan struct{}, count)
	for i, w := range s.all {
		waiting[i] = w.moved
	}
	var n int
	if !s.wake(1) {
		t.Error("nobody wakes the other waves")
	}
	if n, waiting = s.woken(waiting); n != 1 {
		t.Errorf("a change woke %d waves at once", n)
	}
	// The state changes before each wave: the first ones must not keep the others waiting.
	for step := range uint64(count - 1) {
		if version := 2 + step; s.wake(version) || !s.wakeOne(version) {
			t.Fatal("there is none who wakes the others, or two do")
		}
	}
	if n, waiting = s.woken(waiting); n != count-1 {
		t.Errorf("%d waves were woken in as many steps, not %d", n, count-1)
	}
	for s.wakeOne(count) {
		n, waiting = s.woken(waiting)
		if n != 1 {
			t.Errorf("one step woke %d waves", n)
		}
	}
	if s.isBehind(count) {
		t.Error("waves were left out")
	}
}

// TestEverybodyIsWoken has watchers come and go while the state changes without a rest: each that stays learns of the last one.
func TestEverybodyIsWoken(t *testing.T) {
	const watchers, changes = 10 * waveWatchers, 300
	top := newTopic(uuid.New(), nil)
	hub := &Hub{topics: map[uuid.UUID]*topic{top.log: top}}
	var all sync.WaitGroup
	for i := range watchers {
		top.watchers, hub.watchers = top.watchers+1, hub.watchers+1
		watch := &Watch{hub: hub, log: top.log, topic: top, wave: top.enter()}
		all.Go(func() {
			defer watch.Close()
			for known := int64(0); known < changes; {
				state, moved := watch.State()
				if known = state.Sequence; known == changes || i%3 == 0 && known > changes/2 {
					return
				}
				<-moved
			}
		})
	}
	pause := time.NewTicker(wavePause)
	defer pause.Stop()
	for sequence := range int64(changes) {
		top.observe(top.version(), State{Sequence: sequence + 1, Hash: event.Hash{byte(sequence)}})
		if sequence%10 == 0 {
			<-pause.C
		}
	}
	all.Wait()
	top.mu.Lock()
	defer top.mu.Unlock()
	if len(hub.topics) > 0 || len(top.waves.all) > 0 {
		t.Error("all have left, but the topic is still there")
	}
}
