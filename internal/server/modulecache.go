package server

import (
	"context"
	"log/slog"

	"github.com/tallystick/tallystick/internal/wasm"
)

// moduleCache returns the folder in which compiled modules are kept, "" where it cannot be written to, as under a read-only root: modules
// are then compiled again after a restart, which is no reason not to serve.
func moduleCache(ctx context.Context, config *Config) string {
	if config.ModuleCacheDir == "" {
		return ""
	}
	if err := wasm.CheckCacheDir(config.ModuleCacheDir); err != nil {
		config.Log.LogAttrs(ctx, slog.LevelWarn,
			"compiled modules are not kept between runs: --module-cache-dir cannot be written to", slog.Any("error", err))
		return ""
	}
	return config.ModuleCacheDir
}
