package wasm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/memory"
)

// Module is a compiled view. It is safe for concurrent use and valid until its engine is closed. Its code may be unloaded while no
// session uses it, and is loaded again from the cache on disk when needed.
type Module struct {
	engine  *Engine
	id      ModuleID
	globals int
	guard   bool // it has a tally_guard
	kept    *kept

	loading sync.Mutex // held while code is loaded
	// batchLimit is the most events of a batch in large memory. It is lowered when a batch exceeds maxCostAlone; 0: none has yet.
	batchLimit atomic.Int32

	// Guarded by Engine.mu.
	program  *program  // nil while the code is not in memory
	users    int       // sessions that are open or being started
	lastUsed time.Time // when users became 0
}

// ModuleID identifies a module together with the cost model that it is metered by.
type ModuleID struct {
	SHA256 [sha256.Size]byte // of the bytes that were uploaded
	Model  CostModel
}

// SHA256 returns the hash of the bytes that were uploaded.
func (m *Module) SHA256() [sha256.Size]byte { return m.id.SHA256 }

// HasGuard reports whether the view decides on events before they are appended: see [Session.Guard].
func (m *Module) HasGuard() bool { return m.guard }

// Fields returns the fields that the view needs with this configuration, as JSON Pointers for jsonscan.Compile; none if it
// has no tally_fields. A bad configuration is a *RefusedError; a view that fails or returns nonsense is a *ViewError.
func (m *Module) Fields(ctx context.Context, config []byte) ([]string, error) {
	if err := checkConfig(config); err != nil {
		return nil, err
	}
	s, err := m.Start(ctx, Settings{Config: config}, nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.in.fields == nil {
		return nil, nil
	}
	s.in.ready(budgetFields, fieldsGas)
	if err := s.in.call(phaseFields, s.in.fields); err != nil {
		return nil, err
	}
	if s.in.gasLeft() < 0 {
		return nil, s.in.outOfGas(phaseFields)
	}
	text, err := s.in.result("tally_fields", "text of tally_fields", MaxFields*(MaxFieldBytes+1))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	return splitFields(string(text))
}

func splitFields(text string) ([]string, error) {
	fields := strings.Split(text, "\n")
	if len(fields) > MaxFields {
		return nil, limitf("tally_fields asks for %d fields; at most %d are allowed", len(fields), MaxFields)
	}
	for i, field := range fields {
		if len(field) > MaxFieldBytes {
			return nil, limitf("field %d of tally_fields has %d bytes; at most %d are allowed", i+1, len(field), MaxFieldBytes)
		}
	}
	if _, err := jsonscan.Compile(fields); err != nil {
		return nil, trapf("tally_fields must return one JSON Pointer a line: %v", err)
	}
	return fields, nil
}

// Settings are the settings of a session.
type Settings struct {
	// Config is the view's configuration; it must have passed [Module.Fields]. Empty stands for {}. It must not change
	// until the session is closed.
	Config []byte
	// FoldGas and QueryGas are the budgets of one event and one query, in units of gas; 0 means DefaultFoldGas and
	// DefaultQueryGas. A guard has the budget of an event for itself.
	FoldGas, QueryGas int64
	// Pause is called during a call, on its goroutine, whenever the guest has used another slice of gas. It may block, and must not
	// use the session. Its error ends the call, is returned unwrapped, and leaves the session spent. May be nil.
	Pause func() error
	// Room is charged for the memory of an answer, and for the results of a scan while they are copied. May be nil.
	Room *memory.Hold
	// LargeMemoryPriced makes large memory cost a query as much as an event: for queries that no client asked.
	LargeMemoryPriced bool
}

// Start starts a session on a pristine instance. The caller must close it. Once ctx is done the session's next call fails;
// a running call is not interrupted.
func (m *Module) Start(ctx context.Context, settings Settings, state State) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start a view: %w", err)
	}
	config := settings.Config
	if len(config) > MaxConfigBytes {
		return nil, checkConfig(config)
	}
	if len(config) == 0 {
		config = []byte("{}")
	}
	program, err := m.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("start a view: %w", err)
	}
	in, err := program.acquire()
	if err != nil {
		m.engine.release(m)
		return nil, fmt.Errorf("start a view: %w", err)
	}
	in.config, in.state, in.pause, in.pricedQuery = config, state, settings.Pause, settings.LargeMemoryPriced
	in.held = settings.Room
	return &Session{
		ctx: ctx, module: m, program: program, in: in,
		foldGas:  cmp.Or(settings.FoldGas, DefaultFoldGas),
		queryGas: cmp.Or(settings.QueryGas, DefaultQueryGas),
	}, nil
}
