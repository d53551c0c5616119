package wasm

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

const (
	// MaxBatchEvents bounds a batch: what so many share costs each of them a few nanoseconds.
	MaxBatchEvents = 256
	// batchBytes is the room that tally_alloc is asked for where a guest keeps no place for events: about a hundred of them.
	batchBytes = 32 << 10
	// largeBatchEvents bounds a batch of a guest whose memory gives gas a rate: more would use more than an event may at the rate of 1, as
	// mostAlone says.
	largeBatchEvents = 64
	// leastBatchGas is the budget of one event from which on events are folded in batches. A batch may take half of it, and the guest may
	// spare an event no more than a quarter of this (docs/abi.md): so an event that is folded in a batch has enough of it alone, too.
	leastBatchGas = 4_000_000
)

// Batches tells whether the view takes events in batches. One with a small budget does not: see leastBatchGas.
func (s *Session) Batches() bool {
	return s.in != nil && s.in.foldBatch != nil && s.foldGas >= leastBatchGas
}

// FoldBatch gives the view the first of the events in one call, as many as fit, and returns how many those were; it says of each whether it
// was ignored. All of them together may take half the gas of one event, and write as much as one. folded is 0 where not even two
// fit, or the view takes no batches.
//
// After a *ViewError nothing is decided: the caller discards what the batch wrote, and folds its events one by one in a new session. So the
// outcome of an event never depends on the batch that it came in.
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
	batch, err := in.writeBatch(events[:min(len(events), s.mostTogether(in))])
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
	alone := in.mostAlone()
	if alone > in.granted {
		s.module.fewer.Store(int32(max(batch.n/4, 2)))
		return 0, limitf("one event of a batch may have taken %d units, which alone it would not have had", alone)
	}
	if fewer := s.module.fewer.Load(); fewer > 0 && alone < in.granted/4 {
		s.module.fewer.Store(min(2*fewer, largeBatchEvents))
	}
	if err := in.readResults(events); err != nil {
		return 0, err
	}
	s.folded += batch.n
	return batch.n, nil
}

// mostTogether is how many events the next batch may have: in memory that has a rate no more than make a batch that may count.
func (s *Session) mostTogether(in *instance) int {
	if in.model.Rate(in.pages()) <= noRate {
		return MaxBatchEvents
	}
	if most := s.module.fewer.Load(); most > 0 {
		return int(most)
	}
	return largeBatchEvents
}

func (in *instance) pages() int { return int(in.memory.Size() >> 16) }

// mostAlone is what the batch that has just been folded would cost if all of its work were that of one event, folded alone: a batch has no
// rate, and an event has one in large memory. Without this bound an event could be folded in a batch and fail alone.
func (in *instance) mostAlone() int64 {
	if in.rate == nil || in.mostRate != noRate {
		return 0 // then what the batch used was counted so
	}
	used := in.granted - int64(in.gas.Get()) - int64(in.reserve.Get())
	return min(used, in.first) + max(used-in.first, 0)*in.model.Rate(in.pages()) + in.owed
}

// batch is events in guest memory. It begins with the list of where they are.
type batch struct {
	ptr uint32
	n   int
}

// writeBatch lays out as many of the events as fit: the list of pointers, and then each event as tally_fold gets it.
func (in *instance) writeBatch(events []Event) (batch, error) {
	ptr, room, err := in.roomForBatch()
	if err != nil {
		return batch{}, err
	}
	in.placed = in.placed[:0]
	at := aligned(len(events) * pointerSize)
	for i := range events {
		end, fits := layOut(room, at, ptr, &events[i])
		if !fits {
			break
		}
		binary.LittleEndian.PutUint32(room[i*pointerSize:], ptr+uint32(at))
		in.placed = append(in.placed, ptr+uint32(at))
		at = aligned(end)
	}
	return batch{ptr, len(in.placed)}, nil
}

func aligned(n int) int { return (n + alignment - 1) &^ (alignment - 1) }

// roomForBatch is the guest's place for events where it keeps one, else what tally_alloc gives.
func (in *instance) roomForBatch() (ptr uint32, b []byte, err error) {
	if in.eventRoom.size == 0 {
		return in.room(batchBytes)
	}
	b, _ = in.memory.Read(in.eventRoom.ptr, in.eventRoom.size) // memory never shrinks
	return in.eventRoom.ptr, b, nil
}

// readResults reads what the guest has said of each event of a batch.
func (in *instance) readResults(events []Event) error {
	for i, ptr := range in.placed {
		switch result, _ := in.memory.ReadUint32Le(ptr + resultAt); result {
		case 0, 1:
			events[i].Ignored = result == 1
		default:
			return trapf("tally_fold_batch said %d of event %d; it must say 0 or 1", int32(result), events[i].Sequence)
		}
	}
	return nil
}
