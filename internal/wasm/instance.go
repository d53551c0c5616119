package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/tallystick/tallystick/internal/gas"
	"github.com/tallystick/tallystick/internal/memory"
)

// instance is one instance of a module: its memory, its exports, and the state of the running call. It belongs to at most
// one session, and is not safe for concurrent use.
type instance struct {
	guest                      api.Module
	memory                     api.Memory
	linear                     *linearMemory // the backing of memory
	globals                    []api.MutableGlobal
	alloc, fields, fold, query api.Function // fields is nil when the guest has none
	foldBatch, guard           api.Function // likewise
	eventRoom                  guestRoom
	// ctx passes the instance to its host functions. It is made once, since making it allocates.
	ctx context.Context

	// The stacks hold arguments and results of calls. tally_alloc has its own, because it runs inside other calls.
	stack      [2]uint64
	allocStack [1]uint64

	config       []byte
	state        State
	pause        func() error // see Settings.Pause
	prices       *hostPrices
	gas          api.MutableGlobal // units left, without the reserve; owed is not deducted
	reserve      api.MutableGlobal // units from which gas is refilled
	rest         int64             // units of the reserve at the start of the running call
	first        int64             // the most units of gas at the start of a call
	memoryCharge int64             // units that each event is charged for the pages of its initial memory
	// rate and maxRate are gas.ExportRate and gas.ExportMaxRate; nil if the cost model has no rates.
	rate, maxRate api.MutableGlobal
	maxRateSet    uint64 // the value of maxRate
	pricedQuery   bool   // see Settings.LargeMemoryPriced
	model         gas.Model
	owed          int64  // units charged for the host's work in the running call
	granted       int64  // units granted to the running call
	budget        budget // the purpose of the grant

	phase      phase  // 0 while the guest is not running
	spent      bool   // a call failed: the instance must not be used again
	failText   string // the last text passed to fail
	written    []byte // the end of what was written to standard output and standard error
	abort      error  // why a host function unwound the guest; nil if none did
	answerType string // one of answerTypes
	// What the guard at hand has said besides its result.
	guardAnswer []byte
	retryAfter  int

	writes, writeBytes int          // of the running call
	transfer           []byte       // reused for the results of scans
	held               *memory.Hold // see Settings.Room

	eventPtrs []uint32 // addresses of the events of a batch
}

// instanceContext is the context of every call into an instance. Host functions find their instance in it by a type
// assertion, which is cheaper than Context.Value.
type instanceContext struct {
	context.Context //nolint:containedctx // this type is a context
	in              *instance
}

// Instances have no name, so that one module can have many. Instantiation calls no _start.
var instanceConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions()

// newInstance makes an instance in which nothing has run. Its memory is zero except for the module's data. A *ViewError
// reports data or table elements that are out of bounds.
func (p *program) newInstance() (*instance, error) {
	linear := &linearMemory{booked: booked{engine: p.engine, room: p.engine.config.Memory.Hold()}}
	in := &instance{linear: linear, eventRoom: p.eventRoom, prices: hostModels[p.model]}
	in.ctx = instanceContext{context.Background(), in}
	guest, err := p.runtime.InstantiateModule(experimental.WithMemoryAllocator(in.ctx, in.linear), p.compiled, instanceConfig)
	if err != nil {
		in.linear.Free() // wazero does not
		if in.linear.err != nil {
			return nil, in.linear.err
		}
		return nil, trapf("making an instance: %v", err)
	}
	in.guest = guest
	if err := in.linear.err; err != nil {
		return nil, errors.Join(err, in.discard())
	}
	in.memory = guest.Memory()
	in.gas = guest.ExportedGlobal(gas.ExportGas).(api.MutableGlobal)         //nolint:forcetypeassert // metering made it
	in.reserve = guest.ExportedGlobal(gas.ExportReserve).(api.MutableGlobal) //nolint:forcetypeassert // likewise
	if p.model.HasRates() {
		in.rate = guest.ExportedGlobal(gas.ExportRate).(api.MutableGlobal)       //nolint:forcetypeassert // likewise
		in.maxRate = guest.ExportedGlobal(gas.ExportMaxRate).(api.MutableGlobal) //nolint:forcetypeassert // likewise
	}
	in.model = p.model
	in.first = p.model.First(int(guest.Memory().Size() >> 16))
	if p.image != nil {
		in.first = p.model.First(p.image.size >> 16)
		in.memoryCharge = int64(max(0, p.image.size>>16-freePages)) * in.prices.page
	}
	in.globals = mutableGlobals(guest, p.globals)
	// Looking an export up costs as much as dozens of folds.
	in.alloc = guest.ExportedFunction("tally_alloc")
	in.fields = guest.ExportedFunction("tally_fields")
	in.fold = guest.ExportedFunction("tally_fold")
	in.foldBatch = guest.ExportedFunction("tally_fold_batch")
	in.guard = guest.ExportedFunction(guardExport)
	in.query = guest.ExportedFunction("tally_query")
	return in, nil
}

// initialize calls the start function and _initialize.
func (in *instance) initialize() error {
	in.ready(budgetInit, initGas)
	for _, name := range []string{gas.ExportStart, "_initialize"} {
		if f := in.guest.ExportedFunction(name); f != nil {
			if err := in.call(phaseInit, f); err != nil {
				return err
			}
		}
	}
	if in.gasLeft() < 0 {
		return in.outOfGas(phaseInit)
	}
	return nil
}

// discard frees an instance.
func (in *instance) discard() error {
	if err := in.guest.Close(context.Background()); err != nil {
		return fmt.Errorf("close an instance: %w", err)
	}
	return nil
}

// largestStack returns the size of the largest native stack that wazero holds for an export; see stackSize for known.
func (in *instance) largestStack() (size int, known bool) {
	for _, f := range [...]api.Function{in.alloc, in.fold, in.foldBatch, in.guard, in.query, in.fields} {
		n, ok := stackSize(f)
		if !ok {
			return 0, false
		}
		size = max(size, n)
	}
	return size, true
}

// keepable reports whether an instance may be kept for another session: no export of it holds more native stack than maxStackBytes. If
// the size is unknown it is not kept, which costs each session a new instance, but no memory.
func (in *instance) keepable() bool {
	size, known := in.largestStack()
	return known && size <= maxStackBytes && !in.spent
}

// call runs an export. Its arguments are in in.stack, which receives its result.
func (in *instance) call(p phase, f api.Function) error {
	return in.enter(p, f, in.stack[:])
}

// enter runs an export, possibly inside a running one.
func (in *instance) enter(p phase, f api.Function, stack []uint64) error {
	outer := in.phase
	in.phase = p
	err := f.CallWithStack(in.ctx, stack)
	in.phase = outer
	if full := in.linear.full; full != nil { // whatever the guest did after memory.grow failed must not count
		in.spent = true
		return full
	}
	if err == nil {
		return nil
	}
	in.spent = true
	if in.abort != nil {
		return in.abort
	}
	if in.gasLeft() < 0 {
		return in.outOfGas(p)
	}
	if in.tooDeep() {
		return limitf("%v called itself too deep: calls may take %d bytes of stack; make the recursion less deep", p, gas.StackBytes)
	}
	return trapError(p.String(), err, in.lastOutput())
}

// tooDeep reports whether the guest trapped for lack of stack.
func (in *instance) tooDeep() bool {
	stack := in.guest.ExportedGlobal(gas.ExportStack)
	return stack != nil && int32(stack.Get()) < 0
}

// room allocates n bytes by tally_alloc. Slices of guest memory from before the call are invalid afterwards. n may be 0,
// and then the pointer may be 0, too.
func (in *instance) room(n int) (ptr uint32, b []byte, err error) {
	if n > MaxMemoryPages<<16 {
		return 0, nil, fmt.Errorf("hand %d bytes to a view: its memory holds at most %d", n, MaxMemoryPages<<16)
	}
	in.allocStack[0] = uint64(n)
	if err := in.enter(phaseAlloc, in.alloc, in.allocStack[:]); err != nil {
		return 0, nil, err
	}
	ptr = api.DecodeU32(in.allocStack[0])
	b, ok := in.memory.Read(ptr, uint32(n))
	switch {
	case !ok:
		return 0, nil, trapf("tally_alloc(%d) returned %d: %d bytes there go beyond the memory of %d bytes", n, ptr, n, in.memory.Size())
	case ptr == 0 && n > 0:
		return 0, nil, trapf("tally_alloc(%d) returned 0: it has no room", n)
	case ptr%alignment != 0:
		return 0, nil, trapf("tally_alloc(%d) returned %d, which is not a multiple of %d", n, ptr, alignment)
	}
	return ptr, b, nil
}

// guestRoom is a place in guest memory.
type guestRoom struct{ ptr, size uint32 }

// askEventRoom returns the place that the guest reserves for events. It is the same for every instance, since all are made from
// one image.
func (in *instance) askEventRoom() (guestRoom, error) {
	ask := in.guest.ExportedFunction("tally_event_room")
	if ask == nil {
		return guestRoom{}, nil
	}
	in.ready(budgetInit, initGas)
	if err := in.call(phaseInit, ask); err != nil {
		return guestRoom{}, err
	}
	room := guestRoom{ptr: uint32(in.stack[0] >> 32), size: uint32(in.stack[0])}
	switch _, ok := in.memory.Read(room.ptr, room.size); {
	case in.gasLeft() < 0:
		return guestRoom{}, in.outOfGas(phaseInit)
	case !ok:
		return guestRoom{}, trapf("tally_event_room returned %d bytes at %d, beyond the memory of %d bytes",
			room.size, room.ptr, in.memory.Size())
	case room.ptr%alignment != 0:
		return guestRoom{}, trapf("tally_event_room returned %d, which is not a multiple of %d", room.ptr, alignment)
	}
	return room, nil
}

// roomForEvent returns the guest's event room if it has n bytes, otherwise memory from tally_alloc.
func (in *instance) roomForEvent(n int) (ptr uint32, b []byte, err error) {
	if n > int(in.eventRoom.size) {
		return in.room(n)
	}
	b, _ = in.memory.Read(in.eventRoom.ptr, uint32(n)) // memory never shrinks
	return in.eventRoom.ptr, b, nil
}

// result returns the bytes that an export's packed result points to. They alias guest memory.
func (in *instance) result(export, what string, limit int) ([]byte, error) {
	v := in.stack[0]
	if int64(v) < 0 {
		return nil, in.refusal(export, int64(v))
	}
	ptr, length := uint32(v>>32), uint32(v)
	if uint64(length) > uint64(limit) {
		return nil, limitf("the %s has %d bytes; at most %d are allowed", what, length, limit)
	}
	b, ok := in.memory.Read(ptr, length)
	if !ok {
		return nil, trapf("%s returned %d bytes at %d, beyond the memory of %d bytes", export, length, ptr, in.memory.Size())
	}
	return b, nil
}

// refusal returns the error of an export that returned a negative number.
func (in *instance) refusal(export string, code int64) error {
	if in.failText != "" {
		return &ViewError{Kind: KindRefused, Message: in.failText}
	}
	return &ViewError{Kind: KindRefused, Message: fmt.Sprintf("%s returned %d without a reason", export, code)}
}
