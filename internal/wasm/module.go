package wasm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Module is a compiled view. It is safe for concurrent use and lives as long as its engine.
type Module struct {
	engine   *Engine
	sum      [sha256.Size]byte
	compiled wazero.CompiledModule
	// image is the memory of a new instance, after _initialize. It is the same for each, since no import that could
	// tell them apart may be called before.
	image    []byte
	maxSpare int

	mu    sync.Mutex
	spare []*instance // pristine instances, waiting for a session
}

// maxSpareBytes bounds the memory of a module's waiting instances; one may always wait.
const maxSpareBytes = 32 << 20

// build compiles the checked bytes and keeps the image of a first instance.
func (m *Module) build(ctx context.Context, wasm []byte) (err error) {
	if m.compiled, err = m.engine.compile(ctx, wasm); err != nil {
		return err
	}
	first, err := newInstance(m.engine.runtime, m.compiled)
	if err != nil {
		if closing := m.compiled.Close(ctx); closing != nil {
			return errors.Join(err, closing)
		}
		return refusef(CodeInitFailed, "%v", err)
	}
	memory, _ := first.memory.Read(0, first.memory.Size())
	m.image = bytes.Clone(memory)
	// More sessions than cores seldom run at once, so more instances would only wait.
	m.maxSpare = max(1, min(2*runtime.GOMAXPROCS(0), maxSpareBytes/max(1, len(m.image))))
	m.spare = append(m.spare, first)
	return nil
}

// SHA256 is the hash of the bytes that were compiled: the module's identity.
func (m *Module) SHA256() [sha256.Size]byte { return m.sum }

// take gives a pristine instance.
func (m *Module) take() (*instance, error) {
	m.mu.Lock()
	if n := len(m.spare); n > 0 {
		in := m.spare[n-1]
		m.spare[n-1] = nil
		m.spare = m.spare[:n-1]
		m.mu.Unlock()
		return in, nil
	}
	m.mu.Unlock()
	return newInstance(m.engine.runtime, m.compiled)
}

// give takes an instance back: reset to the pristine image, or thrown away where that is not possible.
func (m *Module) give(in *instance) {
	if !in.reset(m.image) {
		m.discard(in)
		return
	}
	m.mu.Lock()
	if len(m.spare) < m.maxSpare {
		m.spare = append(m.spare, in)
		in = nil
	}
	m.mu.Unlock()
	if in != nil {
		m.discard(in)
	}
}

// discard frees an instance. That it failed to close is nothing a caller could act on: it has no files or sockets.
func (m *Module) discard(in *instance) { _ = in.discard() }

// reset makes the instance's memory what it was when it was new. Memory cannot shrink, so one that grew cannot be reset.
// Globals, tables and dropped segments cannot be reached from here and stay as the guest left them.
func (in *instance) reset(image []byte) bool {
	memory, _ := in.memory.Read(0, in.memory.Size())
	if in.spent || len(memory) != len(image) {
		return false
	}
	copy(memory, image)
	if cap(in.transfer) > scanPage<<10 {
		in.transfer = nil
	}
	in.state, in.config, in.said = nil, nil, ""
	return true
}

// Fields asks the view which fields it wants with this configuration, as JSON Pointers for jsonscan.Compile; none when
// it has no tally_fields. A bad configuration is a *RefusedError, a view that fails or answers nonsense a *ViewError.
func (m *Module) Fields(ctx context.Context, config []byte) ([]string, error) {
	if err := checkConfig(config); err != nil {
		return nil, err
	}
	s, err := m.Start(ctx, config, nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.in.fields == nil {
		return nil, nil
	}
	if err := s.in.call(phaseFields, s.in.fields); err != nil {
		return nil, err
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

// Start begins a session on a pristine instance. The session must be closed. config must have passed [Module.Fields];
// empty stands for {}. It must stay unchanged until the session is closed. Ending ctx makes the session's next call
// fail, but does not interrupt a running one.
func (m *Module) Start(ctx context.Context, config []byte, state State) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start a view: %w", err)
	}
	if len(config) > MaxConfigBytes {
		return nil, checkConfig(config)
	}
	if len(config) == 0 {
		config = []byte("{}")
	}
	if err := m.engine.enter(); err != nil {
		return nil, err
	}
	in, err := m.take()
	if err != nil {
		m.engine.leave()
		return nil, fmt.Errorf("start a view: %w", err)
	}
	in.config, in.state = config, state
	return &Session{ctx: ctx, module: m, in: in}, nil
}
