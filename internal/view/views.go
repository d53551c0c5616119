package view

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Config says how a server runs views.
type Config struct {
	CacheBytes int // memory for logs' heads and state; the least recently used go first
	Log        *slog.Logger
}

// Views runs the views of one server. It is safe for concurrent use.
type Views struct {
	db     *db.DB
	engine *wasm.Engine
	log    *slog.Logger
	fields fieldSets
	cache  cache

	mu      sync.Mutex
	modules map[[32]byte]*wasm.Module

	foldings sync.Pool     // of *folding
	work     chan struct{} // tells the builder that a version waits
}

// New returns the views of the database, run by engine.
func New(d *db.DB, engine *wasm.Engine, config Config) *Views {
	return &Views{
		db: d, engine: engine, log: config.Log,
		cache:   newCache(config.CacheBytes),
		modules: map[[32]byte]*wasm.Module{},
		work:    make(chan struct{}, 1),
	}
}

// module returns the compiled module with that hash, read through from when this server has not run it yet. A caller
// that holds a connection passes that one: waiting for another could wait for ever.
func (v *Views) module(ctx context.Context, from dbsqlc.DBTX, sha256 [32]byte) (*wasm.Module, error) {
	v.mu.Lock()
	module, ok := v.modules[sha256]
	v.mu.Unlock()
	if ok {
		return module, nil
	}
	code, err := v.moduleCode(ctx, from, sha256)
	if err != nil {
		return nil, err
	}
	return v.compile(ctx, code)
}

// ModuleCode returns the bytes of an uploaded module. The error is a *RefusedError when there is none, or the
// database's.
func (v *Views) ModuleCode(ctx context.Context, sha256 [32]byte) ([]byte, error) {
	return v.moduleCode(ctx, v.db.Read, sha256)
}

func (v *Views) moduleCode(ctx context.Context, from dbsqlc.DBTX, sha256 [32]byte) ([]byte, error) {
	code, err := v.db.GetModule(ctx, from, sha256[:])
	if kind := db.Classify(err); isNotFound(kind) {
		return nil, &RefusedError{"module_not_found", fmt.Sprintf("no module with the SHA-256 %x was uploaded", sha256)}
	} else if kind != nil {
		return nil, fmt.Errorf("reading module %x: %w", sha256, kind)
	}
	return code, nil
}

func (v *Views) compile(ctx context.Context, code []byte) (*wasm.Module, error) {
	module, err := v.engine.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.modules[module.SHA256()] = module
	return module, nil
}

func (v *Views) version(ctx context.Context, from dbsqlc.DBTX, id db.UUID, name string, moduleSHA256, config []byte, fields []string) (*Version, error) {
	module, err := v.module(ctx, from, [32]byte(moduleSHA256))
	if err != nil {
		return nil, err
	}
	set, err := v.fields.of(fields)
	if err != nil {
		return nil, err
	}
	return &Version{ID: id, Name: name, module: module, config: config, fields: set}, nil
}

// stateReader reads the committed state of one version on one log, each time as it is then. What it reads belongs to
// the caller's snapshot as long as the log's head has not moved, which the append transaction makes sure of.
type stateReader struct {
	db      *db.DB
	tx      dbsqlc.DBTX // nil: the read pool
	log     db.UUID
	version db.UUID
}

func (r *stateReader) source() dbsqlc.DBTX {
	if r.tx != nil {
		return r.tx
	}
	return r.db.Read
}

func (r *stateReader) get(ctx context.Context, key string) ([]byte, bool, error) {
	value, err := r.db.GetViewState(ctx, r.source(), dbsqlc.GetViewStateParams{LogID: r.log, VersionID: r.version, Key: key})
	switch kind := db.Classify(err); {
	case isNotFound(kind):
		return nil, false, nil
	case kind != nil:
		return nil, false, fmt.Errorf("reading view state: %w", kind)
	}
	return value, true, nil
}

func (r *stateReader) scan(ctx context.Context, prefix, after string, limit int) ([]wasm.Entry, error) {
	rows, err := r.db.ScanViewState(ctx, r.source(), dbsqlc.ScanViewStateParams{
		LogID: r.log, VersionID: r.version, FromKey: prefix, ToKey: prefixEnd(prefix), After: after,
		MaxRows: int32(min(limit, maxScanKeys)), //nolint:gosec // bounded on this line
	})
	if err != nil {
		return nil, fmt.Errorf("scanning view state: %w", db.Classify(err))
	}
	entries := make([]wasm.Entry, len(rows))
	for i, row := range rows {
		entries[i] = wasm.Entry{Key: []byte(row.Key), Value: row.Value}
	}
	return entries, nil
}
