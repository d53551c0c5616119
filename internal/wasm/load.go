package wasm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// acquire returns the module's code, loading it if necessary, and keeps it in memory until release is called.
func (m *Module) acquire(ctx context.Context) (*program, error) {
	p, err := m.engine.use(m)
	if p != nil || err != nil {
		return p, err
	}
	m.loading.Lock()
	defer m.loading.Unlock()
	if p = m.engine.loaded(m); p != nil { // by the caller that held the lock
		return p, nil
	}
	if p, err = m.engine.load(ctx, m); err != nil {
		m.engine.release(m)
		return nil, fmt.Errorf("load module %x: %v", m.id.SHA256, err) //nolint:errorlint // it has started before: not the view's fault
	}
	m.engine.setLoaded(m, p)
	m.engine.unloadBeyond(ctx)
	return p, nil
}

// use prevents a module's code from being unloaded until release is called. It returns nil when the code is not in memory.
func (e *Engine) use(m *Module) (*program, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.enterLocked(); err != nil {
		return nil, err
	}
	m.users++
	return m.program, nil
}

func (e *Engine) release(m *Module) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.users--; m.users == 0 {
		m.lastUsed = time.Now()
	}
	e.leaveLocked()
}

func (e *Engine) loaded(m *Module) *program {
	e.mu.Lock()
	defer e.mu.Unlock()
	return m.program
}

func (e *Engine) setLoaded(m *Module, p *program) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m.program, m.kept.loaded = p, m
}

// load brings a module's code back into memory: from the cache, or by compiling it again if the cache has lost it.
func (e *Engine) load(ctx context.Context, m *Module) (*program, error) {
	metered, err := m.kept.source.read()
	if err != nil {
		return nil, err
	}
	if !e.cache.has(m.kept.source.sum) {
		if err := e.compileAgain(ctx, m, metered); err != nil {
			return nil, err
		}
	}
	return e.newProgram(ctx, metered, m.globals, m.id.Model, e.cache.folder(m.kept.source.sum))
}

func (e *Engine) compileAgain(ctx context.Context, m *Module, metered []byte) error {
	if err := e.acquireCompiler(ctx); err != nil {
		return err
	}
	defer e.releaseCompiler()
	return e.cache.add(ctx, metered, m.kept.source.sum)
}

// unloadBeyond unloads the least recently used modules until at most Config.MaxLoaded are in memory, or all that are left
// are in use.
func (e *Engine) unloadBeyond(ctx context.Context) {
	e.unload(ctx, func(unused []*Module, loaded int) []*Module {
		return unused[:max(0, min(len(unused), loaded-e.config.MaxLoaded))]
	})
}

// unloadIdle unloads modules that have been unused for Config.IdleAfter, and schedules its next run.
func (e *Engine) unloadIdle() {
	before := time.Now().Add(-e.config.IdleAfter)
	e.unload(context.Background(), func(unused []*Module, _ int) []*Module {
		return slices.DeleteFunc(unused, func(m *Module) bool { return m.lastUsed.After(before) })
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.idle == nil {
		e.sweep.Reset(max(e.config.IdleAfter/4, time.Second))
	}
}

// unload frees the code of the modules that choose selects. It passes choose the loaded modules that are not in use, least
// recently used first, and the number of all loaded modules.
func (e *Engine) unload(ctx context.Context, choose func(unused []*Module, loaded int) []*Module) {
	e.mu.Lock()
	var unused []*Module
	loaded := 0
	for _, k := range e.modules {
		m := k.loaded
		if m == nil {
			continue
		}
		loaded++
		if m.users == 0 {
			unused = append(unused, m)
		}
	}
	slices.SortFunc(unused, func(a, b *Module) int {
		return cmp.Or(a.lastUsed.Compare(b.lastUsed), slices.Compare(a.id.SHA256[:], b.id.SHA256[:]), cmp.Compare(a.id.Model, b.id.Model))
	})
	var programs []*program
	for _, m := range choose(unused, loaded) {
		programs = append(programs, m.program)
		m.program, m.kept.loaded = nil, nil
	}
	e.mu.Unlock()
	for _, p := range programs {
		_ = p.free(ctx) // modules have no files or sockets: a caller could do nothing about it
	}
}
