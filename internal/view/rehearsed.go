package view

import (
	"crypto/sha256"
	"sync"
)

// rehearsed remembers which views passed their rehearsal on synthetic events, and on none: that does not depend on the log, and the
// same few views are deployed on many logs.
type rehearsed struct {
	mu     sync.Mutex
	passed map[rehearsal]bool
}

// rehearsal is what the outcome of a rehearsal depends on, besides a log's events.
type rehearsal struct {
	module, config [sha256.Size]byte
	foldGas        int64
}

// maxRehearsed bounds the memory of rehearsals to about a megabyte; past it they are forgotten.
const maxRehearsed = 10_000

func (v *Views) rehearsal(d *Deployment) rehearsal {
	return rehearsal{module: d.module.SHA256, config: sha256.Sum256(d.Config), foldGas: v.foldGas(d)}
}

func (r *rehearsed) has(what rehearsal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.passed[what]
}

func (r *rehearsed) add(what rehearsal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.passed == nil || len(r.passed) >= maxRehearsed {
		r.passed = map[rehearsal]bool{}
	}
	r.passed[what] = true
}
