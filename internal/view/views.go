package view

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Config says how a server runs views.
type Config struct {
	CacheBytes int // memory for logs' heads and state; the least recently used go first
	BuildBytes int // memory for the state of the version that is being built; 0 for 128 MiB
	// Loads is where the memory of logs' state is booked while it is loaded; nil: nowhere.
	Loads    *memory.Book
	FoldGas  int64 // the budget of one event's fold, for versions deployed without their own; 0: wasm.DefaultFoldGas
	QueryGas int64 // the budget of one query; 0: wasm.DefaultQueryGas
	// TenantOf returns the tenant of a log, as far as it is known without asking: tenants share what is left for long work. nil: all logs
	// are of one.
	TenantOf func(log uuid.UUID) uuid.UUID
	// LongQueries is how many queries that take long go on at a time, at least one.
	LongQueries int
	Log         *slog.Logger
}

// Views runs the views of one server. It is safe for concurrent use.
type Views struct {
	db        *db.DB
	engine    *wasm.Engine
	config    Config
	log       *slog.Logger
	id        uuid.UUID // of this server, as a builder
	fields    replay.FieldCache
	worker    background.Worker
	rehearsed rehearsed
	cache     cache
	unknown   unknownLogs

	foldings      sync.Pool     // of *folding
	work          chan struct{} // wakes the builder: a version waits
	building      chan struct{} // holds a token while a long chunk is built: one at a time
	commits       atomic.Int64  // of appends, each log of a group counted: how busy this server is
	constructions sync.Map      // of versions (uuid.UUID) that this server is building
	spreading     chan struct{} // wakes the background: a pattern waits
	audits        chan struct{} // holds a token while an audit runs: one at a time
	turns         *turns.Turns
	counts        Stats
	trials        chan struct{} // likewise, while a view that is to be deployed is compiled or rehearsed

	inquiryTime, inquiryPatience time.Duration
}

// owned is TenantOf as turns have it.
func (c *Config) owned() func(turns.Key) turns.Key {
	if c.TenantOf == nil {
		return nil
	}
	return func(log turns.Key) turns.Key { return turns.Key(c.TenantOf(uuid.UUID(log))) }
}

// New returns the views of the database, run by engine.
func New(d *db.DB, engine *wasm.Engine, config Config) *Views {
	config.FoldGas = cmp.Or(config.FoldGas, wasm.DefaultFoldGas)
	config.QueryGas = cmp.Or(config.QueryGas, wasm.DefaultQueryGas)
	return &Views{
		db: d, engine: engine, config: config, log: config.Log, id: uuid.New(),
		cache:    newCache(config.CacheBytes),
		work:     make(chan struct{}, 1),
		turns:    turns.New(config.LongQueries, config.owned()),
		building: make(chan struct{}, 1), spreading: make(chan struct{}, 1), audits: make(chan struct{}, 1),
		trials: make(chan struct{}, 1), inquiryTime: MaxInquiryTime, inquiryPatience: inquiryPatience,
	}
}

// FoldGas is the budget of one event's fold for a version that is deployed without its own, in units of gas.
func (v *Views) FoldGas() int64 { return v.config.FoldGas }

// Turns returns those of this server's views, for work other than queries.
func (v *Views) Turns() *turns.Turns { return v.turns }

// module returns the compiled module, read through from when this server does not have it in memory. A caller
// that holds a connection passes that one, since waiting for another could deadlock.
func (v *Views) module(ctx context.Context, from dbsqlc.DBTX, id wasm.ModuleID) (*wasm.Module, error) {
	if module := v.engine.Compiled(id); module != nil {
		return module, nil
	}
	code, err := v.moduleCode(ctx, from, id.SHA256)
	if err != nil {
		return nil, err
	}
	return v.engine.CompileBy(ctx, code, id.Model)
}

func (v *Views) moduleCode(ctx context.Context, from dbsqlc.DBTX, sha256 [32]byte) ([]byte, error) {
	code, err := v.db.GetModule(ctx, from, sha256[:])
	return code, moduleError(sha256, err)
}

func moduleError(sha256 [32]byte, err error) error {
	kind := db.Classify(err)
	if isNotFound(kind) {
		return &RefusedError{
			"module_not_found",
			fmt.Sprintf("there is no module with the SHA-256 %x: PUT /modules/%x uploads it", sha256, sha256),
		}
	} else if kind != nil {
		return fmt.Errorf("reading module %x: %w", sha256, kind)
	}
	return nil
}

// versionRow is what the database holds of a version that is to run.
type versionRow struct {
	ID           uuid.UUID
	Name         string // the view's
	ModuleSHA256 []byte
	Config       []byte
	Fields       []string
	FoldGas      int64
	CostModel    int16
	// Of a live version; others are not asked.
	Guard  bool
	OnHalt OnHalt
}

// version makes a version ready to run. One whose module this server refuses is returned as refused, without an error: that must halt the
// version alone, and not stop its log. A module that cannot be loaded for another reason, such as a full disk or a machine that is too slow
// to compile it within the limits, is an error.
func (v *Views) version(ctx context.Context, from dbsqlc.DBTX, row versionRow) (*Version, error) {
	set, err := v.fields.Of(row.Fields)
	if err != nil {
		return nil, err
	}
	version := &Version{ID: row.ID, Name: row.Name, config: row.Config, fields: set, gas: gas{row.FoldGas, v.config.QueryGas}}
	version.guard, version.onHalt = row.Guard, row.OnHalt
	version.module, err = v.module(ctx, from, wasm.ModuleID{SHA256: [32]byte(row.ModuleSHA256), Model: wasm.CostModel(row.CostModel)})
	var refused *wasm.RefusedError
	if errors.As(err, &refused) && refused.Code != wasm.CodeCompileTooSlow && refused.Code != wasm.CodeCompileTooLarge {
		version.refused = "this server refuses the view's module (" + refused.Code + "): " + refused.Reason
		return version, nil
	}
	return version, err
}
