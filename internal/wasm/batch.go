package wasm

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

const (
	// MaxBatchEvents is the most events of a batch: among so many, the cost of the call is a few nanoseconds for each.
	MaxBatchEvents = 256
	// batchBytes is what tally_alloc is asked for when the guest has no tally_event_room: enough for about a hundred events.
	batchBytes = 32 << 10
	// largeMemoryBatchEvents bounds a batch in memory so large that gas has a rate above 1 for a single event. A larger batch would
	// exceed what maxCostAlone allows.
	largeMemoryBatchEvents = 64
	// leastBatchGas is the smallest budget for one event with which events are folded in batches. A batch may use half of that budget,
	// and what a batch saves an event is at most a quarter of leastBatchGas (docs/abi.md): so an event that fits in a batch also fits
	// alone.
	leastBatchGas = 4_000_000
)

// Batches reports whether the view takes events in batches. A view with a small budget does not: see leastBatchGas.
func (s *Session) Batches() bool {
	return s.in != nil && s.in.foldBatch != nil && s.foldGas >= leastBatchGas
}

// FoldBatch folds as many of the first events as fit into one call, sets Ignored of each, and returns their number. Together
// they may use half the gas of one event, and write as much as one. folded is 0 if not even two fit or the view takes no
// batches.
//
// A *ViewError does not decide the outcome of any event: the caller discards what the batch wrote, and folds its events one by
// one in a new session. So the outcome of an event never depends on the batch that it arrived in.
func (s *Session) FoldBatch(events []Event) (folded int, err error) {
	if !s.Batches() || len(events) < 2 {
		return 0, nil
	}
	in, err := s.begin(budgetBatch, s.foldGas/2)
	if err != nil {
		return 0, err
	}
	defer s.finish(in, &err)
	s.again = false
	batch, err := in.writeBatch(events[:min(len(events), s.maxBatch(in))])
	if err != nil || batch.n < 2 {
		return 0, err
	}
	in.stack[0], in.stack[1] = uint64(batch.ptr), uint64(batch.n)
	if err := in.call(phaseFold, in.foldBatch); err != nil {
		return 0, err
	}
	switch result := api.DecodeI32(in.stack[0]); {
	case result < 0:
		return 0, in.refusal("tally_fold_batch", int64(result))
	case result > 0:
		return 0, trapf("tally_fold_batch returned %d; it must return 0 or a negative number", result)
	}
	alone := in.maxCostAlone()
	if alone > in.granted {
		s.module.batchLimit.Store(int32(max(batch.n/4, 2)))
		return 0, limitf("one event of a batch may have taken %d units, which alone it would not have had", alone)
	}
	if fewer := s.module.batchLimit.Load(); fewer > 0 && alone < in.granted/4 {
		s.module.batchLimit.Store(min(2*fewer, largeMemoryBatchEvents))
	}
	if err := in.readResults(events); err != nil {
		return 0, err
	}
	s.folded += batch.n
	return batch.n, nil
}

// maxBatch returns how many events the next batch may have. In large memory that is a number that is likely to pass maxCostAlone.
func (s *Session) maxBatch(in *instance) int {
	if in.model.Rate(in.pages()) <= noRate {
		return MaxBatchEvents
	}
	if most := s.module.batchLimit.Load(); most > 0 {
		return int(most)
	}
	return largeMemoryBatchEvents
}

func (in *instance) pages() int { return int(in.memory.Size() >> 16) }

// maxCostAlone returns an upper bound of what any event of the last batch would cost alone: the cost of the whole batch as if one event had
// caused it. A batch pays a rate of 1 where an event alone pays more, in large memory. Without this bound an event could pass
// in a batch and fail alone.
func (in *instance) maxCostAlone() int64 {
	if in.rate == nil || in.maxRateSet != noRate {
		return 0 // the batch was charged like an event
	}
	used := in.granted - int64(in.gas.Get()) - int64(in.reserve.Get())
	return min(used, in.first) + max(used-in.first, 0)*in.model.Rate(in.pages()) + in.owed
}

// batch is n events in guest memory, with the list of their addresses at ptr.
type batch struct {
	ptr uint32
	n   int
}

// writeBatch lays out as many of the events as fit: the list of pointers, then each event in the layout of tally_fold.
func (in *instance) writeBatch(events []Event) (batch, error) {
	ptr, room, err := in.roomForBatch()
	if err != nil {
		return batch{}, err
	}
	in.eventPtrs = in.eventPtrs[:0]
	at := aligned(len(events) * pointerSize)
	for i := range events {
		end, fits := layOut(room, at, ptr, &events[i])
		if !fits {
			break
		}
		binary.LittleEndian.PutUint32(room[i*pointerSize:], ptr+uint32(at))
		in.eventPtrs = append(in.eventPtrs, ptr+uint32(at))
		at = aligned(end)
	}
	return batch{ptr, len(in.eventPtrs)}, nil
}

func aligned(n int) int { return (n + alignment - 1) &^ (alignment - 1) }

// roomForBatch returns the guest's event room if it has one, otherwise memory from tally_alloc.
func (in *instance) roomForBatch() (ptr uint32, b []byte, err error) {
	if in.eventRoom.size == 0 {
		return in.room(batchBytes)
	}
	b, _ = in.memory.Read(in.eventRoom.ptr, in.eventRoom.size) // memory never shrinks
	return in.eventRoom.ptr, b, nil
}

// readResults sets Ignored of each event of a batch by the result that the guest stored.
func (in *instance) readResults(events []Event) error {
	for i, ptr := range in.eventPtrs {
		switch result, _ := in.memory.ReadUint32Le(ptr + resultAt); result {
		case 0, 1:
			events[i].Ignored = result == 1
		default:
			return trapf("tally_fold_batch said %d of event %d; it must say 0 or 1", int32(result), events[i].Sequence)
		}
	}
	return nil
}
