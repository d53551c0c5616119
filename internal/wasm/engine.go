// Package wasm runs views: it checks and compiles WebAssembly modules, keeps instances of them, and is the host side
// of the view ABI, version 1 (docs/abi.md). It alone knows the WebAssembly runtime; it knows nothing of SQL.
//
// One event takes this path: [Engine.Compile] gives a [Module], [Module.Start] a [Session] on a pristine instance,
// [Session.Fold] calls the guest, and the guest's imports act on the [State] that the session was started with.
package wasm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/tallystick/tallystick/internal/gas"
	"github.com/tallystick/tallystick/internal/memory"
)

// Config is how an engine is set up.
type Config struct {
	// CacheDir is where compiled code is kept from one process to the next; it is made when missing, and whoever can
	// write to it can run code as this process. Empty: a temporary folder, removed by Close.
	CacheDir string
	// MaxLoaded is how many modules' code is kept in memory, 0 for DefaultMaxLoaded. Modules in use do not count: they
	// are never unloaded.
	MaxLoaded int
	// IdleAfter is how long the code of an unused module is kept in memory, 0 for DefaultIdleAfter.
	IdleAfter time.Duration
	// Memory is where the memory of modules in use and of their instances is booked; nil: nowhere.
	Memory *memory.Book
	// Unmetered leaves the charges for gas out of modules, so that what they cost can be measured. Nothing stops a loop in
	// the guest then: it is for modules of one's own, never for those that others upload.
	Unmetered bool
}

// Defaults of Config. Measured, coming back from the cache takes a view in C 1 ms and 100 KB of memory, and one in Go, of 3 MB,
// 90 ms and 30 MB.
const (
	DefaultMaxLoaded = 128
	DefaultIdleAfter = 15 * time.Minute
)

// features is what modules may use: WebAssembly 2.0 without SIMD. Whatever is not listed here is refused.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

var runtimeConfig = wazero.NewRuntimeConfigCompiler().
	WithCoreFeatures(features).
	WithMemoryLimitPages(MaxMemoryPages).
	WithDebugInfoEnabled(false)

// Engine compiles modules and owns all their instances. It is safe for concurrent use.
type Engine struct {
	config    Config
	cache     cacheDir
	temporary bool // the cache is removed by Close
	// compiling holds one token: one module compiles at a time, so uploads cannot take all cores from appends.
	compiling chan struct{}

	mu       sync.Mutex
	modules  map[ModuleID]*kept
	sessions int           // open sessions and running compilations
	idle     chan struct{} // made by Close; closed when sessions is 0
	sweep    *time.Timer   // unloads what is not used
}

// NewEngine returns an engine, to be closed by the caller.
func NewEngine(_ context.Context, config Config) (*Engine, error) {
	config.MaxLoaded = cmp.Or(config.MaxLoaded, DefaultMaxLoaded)
	config.IdleAfter = cmp.Or(config.IdleAfter, DefaultIdleAfter)
	e := &Engine{
		config:    config,
		compiling: make(chan struct{}, 1),
		modules:   make(map[ModuleID]*kept),
	}
	dir, err := config.CacheDir, error(nil)
	if e.temporary = dir == ""; e.temporary {
		dir, err = os.MkdirTemp("", "tally-modules-")
	} else {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("name a folder for compiled modules: %w", err)
	}
	e.cache = cacheDir(dir)
	if err := e.cache.open(); err != nil {
		return nil, fmt.Errorf("open the cache of compiled modules in %s: %w", dir, err)
	}
	e.mu.Lock() // a short time could be over before the timer is known
	defer e.mu.Unlock()
	e.sweep = time.AfterFunc(config.IdleAfter, e.unloadIdle)
	return e, nil
}

// Close waits until every session is closed and then frees all compiled code. Once it is called, Compile and Start
// fail. If ctx ends first nothing is freed, and Close may be called again.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.idle == nil {
		e.idle = make(chan struct{})
		if e.sessions == 0 {
			close(e.idle)
		}
	}
	idle := e.idle
	e.mu.Unlock()
	select {
	case <-idle:
		return e.free(ctx)
	case <-ctx.Done():
		return fmt.Errorf("close the view engine while sessions are open: %w", ctx.Err())
	}
}

func (e *Engine) free(ctx context.Context) error {
	e.sweep.Stop()
	e.unload(ctx, func(unused []*Module, _ int) []*Module { return unused })
	e.mu.Lock()
	for _, k := range e.modules {
		k.source.close()
	}
	clear(e.modules)
	e.mu.Unlock()
	if !e.temporary {
		return nil
	}
	if err := os.RemoveAll(string(e.cache)); err != nil {
		return fmt.Errorf("close the view engine: %w", err)
	}
	return nil
}

// enter keeps the engine open until leave is called.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.enterLocked()
}

func (e *Engine) enterLocked() error {
	if e.idle != nil {
		return fmt.Errorf("view engine: %w", errClosed)
	}
	e.sessions++
	return nil
}

func (e *Engine) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leaveLocked()
}

func (e *Engine) leaveLocked() {
	if e.sessions--; e.sessions == 0 && e.idle != nil {
		close(e.idle)
	}
}

// Compile compiles a module that is metered by the latest cost model; see [Engine.CompileBy].
func (e *Engine) Compile(ctx context.Context, wasm []byte) (*Module, error) {
	return e.CompileBy(ctx, wasm, LatestCostModel)
}

// CompileBy checks a module, compiles it in a process of its own unless the cache has it, and makes a first instance.
// The same bytes give the same *Module for a cost model, and are compiled once however many callers ask. A module that cannot be a view
// gives a *RefusedError, and nothing of it is kept; any other error says nothing about the module. The bytes are not kept.
// The engine forgets a module whose code it has unloaded once nobody holds it any more.
func (e *Engine) CompileBy(ctx context.Context, wasm []byte, model CostModel) (*Module, error) {
	if err := model.Check(); err != nil {
		return nil, fmt.Errorf("compile a module: %w", err)
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	if len(wasm) > MaxModuleBytes {
		return nil, refusef(CodeTooLarge, "the module has %d bytes; at most %d are allowed", len(wasm), MaxModuleBytes)
	}
	id := ModuleID{sha256.Sum256(wasm), model}
	if m := e.Compiled(id); m != nil {
		return m, nil
	}
	if err := e.acquireCompiler(ctx); err != nil {
		return nil, err
	}
	defer e.endTurn()
	if m := e.Compiled(id); m != nil { // by the caller we waited for
		return m, nil
	}
	m, err := e.build(ctx, id, wasm)
	if err != nil {
		return nil, err
	}
	e.keep(m)
	e.unloadBeyond(ctx)
	return m, nil
}

func (e *Engine) acquireCompiler(ctx context.Context) error {
	select {
	case e.compiling <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to compile a module: %w", ctx.Err())
	}
}

func (e *Engine) endTurn() { <-e.compiling }

// Compiled returns a module that was compiled before, nil where the engine does not know it, or no more.
func (e *Engine) Compiled(id ModuleID) *Module {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k := e.modules[id]; k != nil {
		return k.module.Value()
	}
	return nil
}

// build makes a module of bytes that this engine has not compiled yet.
func (e *Engine) build(ctx context.Context, id ModuleID, wasm []byte) (*Module, error) {
	if err := check(wasm); err != nil {
		return nil, err
	}
	meter := gas.Meter
	if e.config.Unmetered {
		meter = gas.Bare
	}
	metered, err := meter(wasm, id.Model)
	if limit, ok := errors.AsType[*gas.LimitError](err); ok {
		return nil, refusef(CodeTooLarge, "%s", limit.Reason)
	} else if err != nil {
		return nil, refusef(CodeInvalidModule, "%v", err)
	}
	key := sha256.Sum256(metered.Wasm)
	if !e.cache.has(key) {
		if err := e.cache.add(ctx, metered.Wasm, key); err != nil {
			return nil, err
		}
	}
	program, err := e.newProgram(ctx, metered.Wasm, metered.Globals, id.Model, e.cache.folder(key))
	if failed, ok := errors.AsType[*ViewError](err); ok {
		return nil, errors.Join(refusef(CodeInitFailed, "%s", failed.Message), e.cache.remove(key))
	} else if err != nil {
		return nil, err
	}
	source, err := e.cache.source(metered.Wasm, key)
	if err != nil {
		return nil, errors.Join(err, program.free(ctx))
	}
	return &Module{engine: e, id: id, globals: metered.Globals, kept: &kept{id: id, source: source}, program: program, lastUsed: time.Now()}, nil
}
