// Package wasm runs views: it checks and compiles WebAssembly modules, keeps instances of them, and is the host side
// of the view ABI, version 1 (docs/abi.md). It alone knows the WebAssembly runtime; it knows nothing of SQL.
//
// One event takes this path: [Engine.Compile] gives a [Module], [Module.Start] a [Session] on a pristine instance,
// [Session.Fold] calls the guest, and the guest's imports act on the [State] that the session was started with.
package wasm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Config is how an engine is set up.
type Config struct {
	// CacheDir is where compiled code is kept from one process to the next; it is made when missing, and whoever can
	// write to it can run code as this process. Empty: compiled code lives in memory alone.
	CacheDir string
}

// features is what modules may use: WebAssembly 2.0 without SIMD. Whatever is not listed here is refused.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

var runtimeConfig = wazero.NewRuntimeConfig().
	WithCoreFeatures(features).
	WithMemoryLimitPages(MaxMemoryPages).
	WithDebugInfoEnabled(false)

// Engine compiles modules and owns all their instances. It is safe for concurrent use.
type Engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	// cacheDir is for errors; empty when the cache is in memory.
	cacheDir string
	// compiling holds one token: one module compiles at a time, so uploads cannot take all cores from appends.
	compiling chan struct{}

	mu       sync.Mutex
	modules  map[[sha256.Size]byte]*Module
	sessions int           // open sessions and running compilations
	idle     chan struct{} // made by Close; closed when sessions is 0
}

// NewEngine returns an engine, to be closed by the caller.
func NewEngine(ctx context.Context, config Config) (*Engine, error) {
	cache := wazero.NewCompilationCache()
	if config.CacheDir != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(config.CacheDir); err != nil {
			return nil, fmt.Errorf("open the cache of compiled modules in %s: %w", config.CacheDir, err)
		}
	}
	e := &Engine{
		runtime:   wazero.NewRuntimeWithConfig(ctx, runtimeConfig.WithCompilationCache(cache)),
		cache:     cache,
		cacheDir:  config.CacheDir,
		compiling: make(chan struct{}, 1),
		modules:   make(map[[sha256.Size]byte]*Module),
	}
	if err := e.linkHost(ctx); err != nil {
		return nil, errors.Join(err, e.free(ctx))
	}
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
	if err := errors.Join(e.runtime.Close(ctx), e.cache.Close(ctx)); err != nil {
		return fmt.Errorf("close the view engine: %w", err)
	}
	return nil
}

// enter keeps the engine open until leave is called.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.idle != nil {
		return fmt.Errorf("view engine: %w", errClosed)
	}
	e.sessions++
	return nil
}

func (e *Engine) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sessions--; e.sessions == 0 && e.idle != nil {
		close(e.idle)
	}
}

// Compile checks a module, compiles it and makes a first instance. The same bytes give the same *Module, and are
// compiled once however many callers ask. A module that cannot be a view gives a *RefusedError. The bytes are not kept.
func (e *Engine) Compile(ctx context.Context, wasm []byte) (*Module, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	if len(wasm) > MaxModuleBytes {
		return nil, refusef(CodeTooLarge, "the module has %d bytes; at most %d are allowed", len(wasm), MaxModuleBytes)
	}
	sum := sha256.Sum256(wasm)
	if m := e.compiled(sum); m != nil {
		return m, nil
	}
	select {
	case e.compiling <- struct{}{}:
		defer func() { <-e.compiling }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to compile a module: %w", ctx.Err())
	}
	if m := e.compiled(sum); m != nil { // by the caller we waited for
		return m, nil
	}
	if err := check(wasm); err != nil {
		return nil, err
	}
	m := &Module{engine: e, sum: sum}
	if err := m.build(ctx, wasm); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.modules[sum] = m
	return m, nil
}

func (e *Engine) compiled(sum [sha256.Size]byte) *Module {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.modules[sum]
}

// compile turns checked bytes into machine code. A module is known by the bytes that were uploaded, so this is the
// place where they may be rewritten first: what is compiled is nobody else's concern.
func (e *Engine) compile(ctx context.Context, wasm []byte) (wazero.CompiledModule, error) {
	compiled, err := compileWith(ctx, e.runtime, wasm)
	if err == nil {
		return compiled, nil
	}
	if e.cacheDir != "" {
		// The runtime does not tell a bad module from a full disk or a broken file of the cache, so it is asked again
		// without a cache: a module must not be refused for the sake of a disk.
		probe := wazero.NewRuntimeWithConfig(ctx, runtimeConfig)
		defer probe.Close(ctx) //nolint:errcheck // it holds nothing but memory
		if _, bad := compileWith(ctx, probe, wasm); bad == nil {
			return nil, fmt.Errorf("the cache of compiled modules in %s cannot be used: %w; check the disk, or delete the folder",
				e.cacheDir, err)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("compile a module: %w", ctx.Err())
	case strings.Contains(err.Error(), "is disabled"):
		return nil, refusef(CodeUnsupportedFeature, "%v; views may use WebAssembly 2.0 without SIMD", err)
	default:
		return nil, refusef(CodeInvalidModule, "%v", err)
	}
}

func compileWith(ctx context.Context, runtime wazero.Runtime, wasm []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the compiler cannot handle this module: %v", r)
		}
	}()
	return runtime.CompileModule(ctx, wasm)
}
