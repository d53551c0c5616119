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

// Module is a compiled view. It is safe for concurrent use and may be used until its engine is closed. Its code is in memory while it is
// used, and comes back from the cache on disk when it is used again.
type Module struct {
	engine  *Engine
	id      ModuleID
	globals int
	kept    *kept

	loading sync.Mutex // held while code is loaded
	// fewer is how many events a batch may have since a larger one would have cost an event too much; 0: no batch has. See mostAlone.
	fewer atomic.Int32

	// What follows belongs to the engine's lock.
	program  *program  // nil while it is not in memory
	users    int       // sessions that are open or being started
	lastUsed time.Time // when users became 0
}

// ModuleID says which module it is, and by which cost model it is metered.
type ModuleID struct {
	SHA256 [sha256.Size]byte // of the bytes that were uploaded
	Model  CostModel
}

// SHA256 is the hash of the bytes that were compiled.
func (m *Module) SHA256() [sha256.Size]byte { return m.id.SHA256 }

// Fields asks the view which fields it wants with this configuration, as JSON Pointers for jsonscan.Compile; none when
// it has no tally_fields. A bad configuration is a *RefusedError, a view that fails or answers nonsense a *ViewError.
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

// Settings are what a view is deployed with.
type Settings struct {
	// Config is the view's configuration; it must have passed [Module.Fields]. Empty stands for {}. It must stay
	// unchanged until the session is closed.
	Config []byte
	// FoldGas and QueryGas are the budgets of one event and one query, in units of gas; 0 stands for DefaultFoldGas and
	// DefaultQueryGas.
	FoldGas, QueryGas int64
	// Pause is called within a call, on its goroutine, each time that the guest has used another slice of gas. It may wait, and must not
	// use the session. Its error ends the call and comes back as it is; the session is spent then. May be nil.
	Pause func() error
	// Room is where the memory of an answer is booked, and of what a scan finds while it is passed on. May be nil.
	Room *memory.Hold
	// LargeMemoryPriced has large memory cost a question what it costs an event: for questions that nobody asked.
	LargeMemoryPriced bool
}

// Start begins a session on a pristine instance. The session must be closed. Ending ctx makes the session's next call
// fail, but does not interrupt a running one.
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
