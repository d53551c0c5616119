package wasm

import "context"

// Restarted returns another engine, set up like e, as if the process had been started again: the two share compiled code on
// disk and nothing else. It is to be closed by the caller, before e.
func (e *Engine) Restarted(ctx context.Context) (*Engine, error) {
	config := e.config
	config.CacheDir = string(e.cache)
	return NewEngine(ctx, config)
}
