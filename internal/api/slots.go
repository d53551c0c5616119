package api

import (
	"sync"

	"github.com/tallystick/tallystick/internal/uuid"
)

// slots bound how many of something costly go on at a time. One tenant has at most all but one of them, so that it never keeps all others
// out.
type slots struct {
	most int

	mu    sync.Mutex
	taken int
	of    map[uuid.UUID]int
}

func newSlots(most int) *slots { return &slots{most: most, of: map[uuid.UUID]int{}} }

// take takes a slot for the tenant. It returns false where there is none. give may be called twice.
func (s *slots) take(tenant uuid.UUID) (give func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.most || s.of[tenant] >= s.share() {
		return nil, false
	}
	s.taken++
	s.of[tenant]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.of[tenant]--; s.of[tenant] == 0 {
			delete(s.of, tenant)
		}
	}), true
}

// share is how many of the slots one tenant may have.
func (s *slots) share() int { return max(1, s.most-1) }

// inUse returns how many slots are taken, and how many there are.
func (s *slots) inUse() (taken, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken, s.most
}
