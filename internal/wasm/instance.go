package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// instance is one instance of a module: its memory, its exports, and what the running call works on. It is used by one
// goroutine at a time, and only a session holds one.
type instance struct {
	guest                      api.Module
	memory                     api.Memory
	alloc, fields, fold, query api.Function // fields is nil when the guest has none
	// ctx carries the instance to its host functions; made once, since making one allocates.
	ctx context.Context

	// The stacks are arguments and results of calls. tally_alloc has its own because it is called inside other calls.
	stack      [2]uint64
	allocStack [1]uint64

	config []byte
	state  State

	phase    phase  // 0 while the guest is not running
	spent    bool   // a call failed: not to be used again
	said     string // the last text given to fail
	abort    error  // why a host function unwound the guest, nil when none did
	transfer []byte // reused to gather the result of a scan
}

// instanceContext is the context of every call into an instance: it tells host functions which instance calls them, at the
// price of a type assertion.
type instanceContext struct {
	context.Context //nolint:containedctx // it is one
	in              *instance
}

// Instances have no name, so that many of one module can exist, and run nothing by themselves.
var instanceConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions()

// newInstance makes an instance and calls its _initialize.
func newInstance(runtime wazero.Runtime, compiled wazero.CompiledModule) (*instance, error) {
	in := &instance{}
	in.ctx = instanceContext{context.Background(), in}
	guest, err := runtime.InstantiateModule(in.ctx, compiled, instanceConfig)
	if err != nil {
		return nil, fmt.Errorf("make an instance: %w", err)
	}
	in.guest = guest
	in.memory = guest.Memory()
	// Looking an export up costs as much as dozens of folds.
	in.alloc = guest.ExportedFunction("tally_alloc")
	in.fields = guest.ExportedFunction("tally_fields")
	in.fold = guest.ExportedFunction("tally_fold")
	in.query = guest.ExportedFunction("tally_query")
	if initialize := guest.ExportedFunction("_initialize"); initialize != nil {
		if err := in.call(phaseInit, initialize); err != nil {
			return nil, errors.Join(err, in.discard())
		}
	}
	return in, nil
}

// discard frees an instance that is not to be used again.
func (in *instance) discard() error {
	if err := in.guest.Close(context.Background()); err != nil {
		return fmt.Errorf("close an instance: %w", err)
	}
	return nil
}

// call runs an export with the arguments that are in in.stack, where its result will be.
func (in *instance) call(p phase, f api.Function) error {
	return in.enter(p, f, in.stack[:])
}

// enter runs an export, inside a running one if need be.
func (in *instance) enter(p phase, f api.Function, stack []uint64) error {
	outer := in.phase
	in.phase = p
	err := f.CallWithStack(in.ctx, stack)
	in.phase = outer
	if err == nil {
		return nil
	}
	in.spent = true
	if in.abort != nil {
		return in.abort
	}
	return trapError(p.String(), err, in.said)
}

// room asks tally_alloc for n bytes and returns where they are. Memory may have moved afterwards. n may be 0, and then
// so may be the pointer.
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

// result reads the packed pair that an export returned. It aliases guest memory.
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

// refusal is the error of a call that returned a negative number.
func (in *instance) refusal(export string, code int64) error {
	if in.said != "" {
		return &ViewError{Kind: KindRefused, Message: in.said}
	}
	return &ViewError{Kind: KindRefused, Message: fmt.Sprintf("%s returned %d without a reason", export, code)}
}
