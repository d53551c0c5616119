package wasm

import "context"

// Restarted returns another engine with the configuration of e, as if the process had been restarted: the two share nothing but
// compiled code on disk. The caller must close it, before e.
func (e *Engine) Restarted(ctx context.Context) (*Engine, error) {
	config := e.config
	config.CacheDir = string(e.cache)
	return NewEngine(ctx, config)
}
