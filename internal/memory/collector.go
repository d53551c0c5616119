package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	// A collection begins when the heap has grown by mostPercent of the live data, or by garbage bytes if that is less, but by leastPercent
	// at least. The live data of most servers is small (ten thousand logs of three views took 80 MB at Go's default), so collecting as
	// often as Go does by default costs more time than it saves memory. Deliveries have some 100 MB live for a moment; then that much
	// garbage would be most of what the process holds. What is beyond garbage is there for long, such as ten thousand watchers, and a
	// collection of it disturbs appends: it may have mostPercent again.
	leastPercent, mostPercent = 100, 400
	garbage                   = 160 << 20
	// percentStep is how far off the percentage has to be before it is changed: each change stops the process for a moment.
	percentStep = 20
	liveMetric  = "/gc/heap/live:bytes"
)

var pacing sync.Once

// PaceCollector has Go's collector pace itself by how much is live, for as long as the process runs.
func PaceCollector() {
	pacing.Do(func() {
		p := &pace{percent: mostPercent}
		debug.SetGCPercent(mostPercent)
		p.arm()
	})
}

// pace sets the collector's percentage after each collection.
type pace struct {
	percent int
	sample  [1]metrics.Sample
}

// mark is garbage as soon as it is made: its cleanup tells of the next collection.
type mark struct{ _ [16]byte }

func (p *pace) arm() { runtime.AddCleanup(new(mark), (*pace).collected, p) }

func (p *pace) collected() {
	p.sample[0].Name = liveMetric
	metrics.Read(p.sample[:])
	live := int64(p.sample[0].Value.Uint64()) //nolint:gosec // a heap's size
	if percent := percentFor(live); percent > p.percent+percentStep || percent < p.percent-percentStep {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	p.arm()
}

func percentFor(live int64) int {
	allowed := int64(garbage) + mostPercent/100*max(live-garbage, 0)
	return int(min(max(allowed*100/max(live, 1), leastPercent), mostPercent))
}
