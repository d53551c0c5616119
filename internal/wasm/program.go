package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"

	"github.com/tallystick/tallystick/internal/memory"
)

// program is a module in memory: its machine code, the image of a new instance, and spare instances. It has a wazero.Runtime
// of its own, so that nothing of a module remains once the runtime is closed.
type program struct {
	engine   *Engine
	room     *memory.Hold // of the code and the image
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	globals  int // number of the guest's mutable globals
	model    CostModel
	image    *image
	// eventRoom is where events go that fit there; empty if the guest has no tally_event_room.
	eventRoom guestRoom
	maxSpare  int

	mu    sync.Mutex
	spare []*instance // pristine instances
	freed bool
}

// codeFactor is the approximate memory of a module's machine code and of wazero's data about it, per byte of the module. Measured:
// 30 MB for 3 MB.
const codeFactor = 10

// maxSpareBytes bounds the memory of a module's spare instances; one is always kept.
const maxSpareBytes = 32 << 20

// newProgram loads a metered module whose machine code is in folder, and runs its start function and _initialize. A
// *ViewError reports that these failed.
func (e *Engine) newProgram(ctx context.Context, metered []byte, globals int, model CostModel, folder string) (p *program, err error) {
	p = &program{engine: e, room: e.config.Memory.Hold(), globals: globals, model: model}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.free(ctx))
			p = nil
		}
	}()
	if err = e.makeRoom(p.room, int64(codeFactor*len(metered))); err != nil {
		return p, err
	}
	if p.cache, err = wazero.NewCompilationCacheWithDir(folder); err != nil {
		return p, fmt.Errorf("open compiled code in %s: %w", folder, err)
	}
	p.runtime = wazero.NewRuntimeWithConfig(ctx, runtimeConfig.WithCompilationCache(p.cache))
	if err = linkHost(ctx, p.runtime); err != nil {
		return p, err
	}
	code, segments := takeData(metered)
	if p.compiled, err = compileWith(ctx, p.runtime, code); err != nil {
		return p, fmt.Errorf("load compiled code from %s: %w", folder, err)
	}
	first, err := p.newInstance()
	if err != nil {
		return p, err
	}
	if err = first.fill(segments); err != nil {
		return p, err
	}
	if err = first.initialize(); err != nil {
		return p, err
	}
	if p.eventRoom, err = first.askEventRoom(); err != nil {
		return p, err
	}
	if p.image, err = newImage(first); err != nil {
		return p, err
	}
	if err = e.makeRoom(p.room, p.room.Bytes()+int64(p.image.size)); err != nil {
		return p, err
	}
	discard(first) // it may hold memory that only initialization needed
	// Seldom do more sessions run at once than there are cores.
	p.maxSpare = max(1, min(2*runtime.GOMAXPROCS(0), maxSpareBytes/max(1, p.image.size)))
	return p, nil
}

// free releases everything. No session may be open.
func (p *program) free(ctx context.Context) error {
	p.mu.Lock()
	p.freed, p.spare = true, nil
	p.mu.Unlock()
	var errs []error
	if p.runtime != nil {
		errs = append(errs, p.runtime.Close(ctx)) // its instances too
	}
	if p.cache != nil {
		errs = append(errs, p.cache.Close(ctx))
	}
	if p.image != nil {
		p.image.free()
	}
	p.room.Release()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("free a module's code: %w", err)
	}
	return nil
}

// dropSpare frees the spare instances.
func (p *program) dropSpare() {
	p.mu.Lock()
	spare := p.spare
	p.spare = nil
	p.mu.Unlock()
	for _, in := range spare {
		discard(in)
	}
}

// acquire returns a pristine instance.
func (p *program) acquire() (*instance, error) {
	p.mu.Lock()
	if n := len(p.spare); n > 0 {
		in := p.spare[n-1]
		p.spare[n-1] = nil
		p.spare = p.spare[:n-1]
		p.mu.Unlock()
		return in, nil
	}
	p.mu.Unlock()
	in, err := p.newInstance()
	if err != nil {
		return nil, err
	}
	if err := p.image.adopt(in); err != nil {
		discard(in)
		return nil, err
	}
	return in, nil
}

// release restores an instance and keeps it as a spare one, or discards it if that is impossible or not worthwhile.
func (p *program) release(in *instance) {
	if !in.keepable() || !p.image.restore(in) {
		discard(in)
		return
	}
	in.state, in.config, in.pause, in.held, in.failText = nil, nil, nil, nil, ""
	in.shrinkTransfer()
	p.mu.Lock()
	if len(p.spare) < p.maxSpare && !p.freed {
		p.spare = append(p.spare, in)
		in = nil
	}
	p.mu.Unlock()
	if in != nil {
		discard(in)
	}
}

// discard frees an instance. A caller could do nothing about an error: instances have no files or sockets.
func discard(in *instance) { _ = in.discard() }
