package wasm

import (
	"context"
	"runtime"
	"slices"
	"weak"
)

// kept is what an engine has of a module: all there is while its code is in memory, and a way to find it again after that, for as long
// as somebody else holds it. Versions of views hold modules, and there is no telling when the last of them lets go: snapshots of
// logs are shared, and simply dropped. So the garbage collector tells.
type kept struct {
	id     ModuleID
	module weak.Pointer[Module]
	// source holds the metered bytes. It is open as long as the module lives, so that a cleaned cache folder takes nothing that is in use.
	source *source
	loaded *Module // keeps the module alive; nil while its code is not in memory. Guarded by the engine's lock
}

// keep makes a module that was just built, and is in memory, one that Compiled finds.
func (e *Engine) keep(m *Module) {
	m.kept.module, m.kept.loaded = weak.Make(m), m
	e.mu.Lock()
	e.modules[m.id] = m.kept
	e.mu.Unlock()
	runtime.AddCleanup(m, e.forgotten, m.kept)
}

// forgotten gives back what is left of a module that nobody holds.
func (e *Engine) forgotten(k *kept) {
	k.source.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.modules[k.id] == k { // else it has been compiled anew
		delete(e.modules, k.id)
	}
}

// Forget frees the code of a module that is not going to be used, unless a session uses it just now. Who holds the module may go on
// using it all the same.
func (e *Engine) Forget(ctx context.Context, m *Module) {
	e.unload(ctx, func(unused []*Module, _ int) []*Module {
		return slices.DeleteFunc(unused, func(other *Module) bool { return other != m })
	})
}
