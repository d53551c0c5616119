// Package wasm runs views: it checks and compiles WebAssembly modules, pools their instances, and implements the host side
// of the view ABI, version 1 (docs/abi.md). It is the only package that uses wazero, and knows nothing of SQL.
//
// The path of an event: [Engine.Compile] returns a [Module], [Module.Start] starts a [Session] on a pristine instance,
// [Session.Fold] calls the guest, and the guest's imports use the [State] that the session was started with.
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

// Config configures an engine.
type Config struct {
	// CacheDir is the folder where compiled code is kept across restarts; it is created if missing. Whoever can write to it
	// can run code as this process. Empty means a temporary folder, removed by Close: see temporaryDir.
	CacheDir string
	// MaxLoaded is how many modules may keep their code in memory; 0 means DefaultMaxLoaded. Modules in use are never
	// unloaded, so more of them may be loaded.
	MaxLoaded int
	// IdleAfter is how long the code of an unused module is kept in memory; 0 means DefaultIdleAfter.
	IdleAfter time.Duration
	// Memory accounts for the memory of loaded modules and of their instances. May be nil.
	Memory *memory.Book
	// Unmetered leaves the gas charges out of modules, to measure what metering costs. Nothing stops an endless loop in the
	// guest then: never set it for modules that others upload.
	Unmetered bool
}

// Defaults of Config. Measured, loading a view from the cache takes 1 ms and 100 KB of memory for one in C, and 90 ms and 30 MB for
// one in Go of 3 MB.
const (
	DefaultMaxLoaded = 128
	DefaultIdleAfter = 15 * time.Minute
)

// features are what modules may use: WebAssembly 2.0 without SIMD. Everything else is refused.
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
	// compiling is a semaphore of 1: one module compiles at a time, so uploads cannot take all cores from appends.
	compiling chan struct{}

	mu       sync.Mutex
	modules  map[ModuleID]*kept
	sessions int           // open sessions and running compilations
	idle     chan struct{} // made by Close; closed when sessions is 0
	sweep    *time.Timer   // runs unloadIdle
}

// NewEngine returns an engine, which the caller must close.
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
		dir, err = temporaryDir()
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
	e.mu.Lock() // a short timer could fire before e.sweep is set
	defer e.mu.Unlock()
	e.sweep = time.AfterFunc(config.IdleAfter, e.unloadIdle)
	return e, nil
}

// memoryDir is a folder in memory that nearly every Linux has, containers with a read-only root included.
const memoryDir = "/dev/shm"

// temporaryDir makes a folder for code that is not kept: in the system's folder for such, or else in memory.
func temporaryDir() (string, error) {
	const pattern = "tally-modules-"
	dir, err := os.MkdirTemp("", pattern)
	if err == nil {
		return dir, nil
	}
	if dir, memoryErr := os.MkdirTemp(memoryDir, pattern); memoryErr == nil {
		return dir, nil
	}
	return "", fmt.Errorf("%w: modules are compiled into files, so mount a file system that can be written to, such as a tmpfs", err)
}

// Close waits until every session is closed, and then frees all compiled code. Once it has been called, Compile and Start
// fail. If ctx ends first, nothing is freed, and Close may be called again.
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

// CompileBy checks a module, compiles it in a separate process unless the cache has it, and makes a first instance. For the
// same bytes and cost model it returns the same *Module as long as somebody holds it, and compiles once however many callers
// ask at a time. A module that cannot be a view is a *RefusedError, and nothing of it is kept; any other error implies nothing
// about the module. wasm is not retained.
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
	defer e.releaseCompiler()
	if m := e.Compiled(id); m != nil { // by the caller that was compiling
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

func (e *Engine) releaseCompiler() { <-e.compiling }

// Compiled returns a module that was compiled before, nil if the engine does not have it, or no longer.
func (e *Engine) Compiled(id ModuleID) *Module {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k := e.modules[id]; k != nil {
		return k.module.Value()
	}
	return nil
}

// build makes a module of bytes that this engine does not have.
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
	_, guard := program.compiled.ExportedFunctions()[guardExport]
	return &Module{
		engine: e, id: id, globals: metered.Globals, guard: guard,
		kept: &kept{id: id, source: source}, program: program, lastUsed: time.Now(),
	}, nil
}
