package wasm

import (
	"context"
	"runtime"
	"slices"
	"weak"
)

// kept is an engine's record of a module. It holds the module itself while the code is in memory, and a weak pointer after that, so
// that the module is found for as long as somebody else holds it. Versions of views hold modules, and they live in snapshots of
// logs, which are shared and simply dropped: only the garbage collector knows when the last one is gone.
type kept struct {
	id     ModuleID
	module weak.Pointer[Module]
	// source reads the metered bytes. It stays open as long as the module lives, so cleaning the cache folder loses nothing in use.
	source *source
	loaded *Module // keeps the module alive; nil while its code is not in memory. Guarded by Engine.mu
}

// keep registers a module that was just built, with its code in memory, so that Compiled finds it.
func (e *Engine) keep(m *Module) {
	m.kept.module, m.kept.loaded = weak.Make(m), m
	e.mu.Lock()
	e.modules[m.id] = m.kept
	e.mu.Unlock()
	runtime.AddCleanup(m, e.collected, m.kept)
}

// collected runs when the garbage collector has found a module unreachable, and frees the rest of it.
func (e *Engine) collected(k *kept) {
	k.source.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.modules[k.id] == k { // otherwise it has been compiled again
		delete(e.modules, k.id)
	}
}

// Forget unloads the code of a module that will probably not be used again, unless a session is using it. The module stays usable:
// the next session loads the code again.
func (e *Engine) Forget(ctx context.Context, m *Module) {
	e.unload(ctx, func(unused []*Module, _ int) []*Module {
		return slices.DeleteFunc(unused, func(other *Module) bool { return other != m })
	})
}
