package wasm

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/gas"
)

// manyFunctions is a module whose compiler is busy for a while: n functions of some length.
func manyFunctions(t *testing.T, n int) []byte {
	t.Helper()
	g := newGuest()
	var body []byte
	for range 200 {
		body = append(body, code(opGet(0), opConst(3), opI32Add, opTee(0), opGet(0), opI32DivU, opSet(1))...)
	}
	for range n {
		g.functions = append(g.functions, function{signature: signature{i32, i32}, locals: i32, body: code(body, opGet(1))})
	}
	metered, err := gas.Meter(g.encode(), gas.CostModel)
	if err != nil {
		t.Fatal(err)
	}
	return metered.Wasm
}

func TestCompilingIsBounded(t *testing.T) {
	module := manyFunctions(t, 300)
	ctx := context.Background()
	// A busy machine gives the process its processor time slowly, and no more than compileWait times as long: a second of it takes a while.
	const slow = time.Second
	for _, tt := range []struct {
		name, code, part string
		module           []byte
		limits           compileLimits
	}{
		{"processor time", CodeCompileTooSlow, "more than 1s of processor time", manyFunctions(t, 6000), compileLimits{slow, 4 << 30}},
		{"memory", CodeCompileTooLarge, "more than 8 MiB of memory", module, compileLimits{10 * time.Minute, 8 << 20}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			var refused *RefusedError
			if err := compileOutside(ctx, tt.module, dir, tt.limits); !errors.As(err, &refused) || refused.Code != tt.code ||
				!strings.Contains(refused.Reason, tt.part) {
				t.Errorf("it gave %v, want %s, …%s…", err, tt.code, tt.part)
			}
		})
	}
	if err := compileOutside(ctx, module, t.TempDir(), limitsFor(module)); err != nil {
		t.Errorf("within its limits: %v", err)
	}
	ended, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := compileOutside(ended, module, t.TempDir(), limitsFor(module)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a context that ends meanwhile: %v", err)
	}
}

// Limits grow with the module, and an honest one is far below them.
func TestCompileLimits(t *testing.T) {
	small, large := limitsFor(nil), limitsFor(make([]byte, 2<<20))
	if small.cpu != time.Second*slowness || large.cpu != 5*time.Second*slowness {
		t.Errorf("processor time %v and %v", small.cpu, large.cpu)
	}
	if scale := uint64(min(slowness, 4)); small.memory != 256<<20*scale || large.memory != 512<<20*scale {
		t.Errorf("memory %d and %d", small.memory, large.memory)
	}
}

// What is not the module's fault refuses no module; what is no module is refused, whatever it is.
func TestCompilerFails(t *testing.T) {
	module := manyFunctions(t, 1)
	missing := filepath.Join(t.TempDir(), "missing")
	if err := compileOutside(context.Background(), module, missing, limitsFor(module)); err == nil || errors.As(err, new(*RefusedError)) {
		t.Errorf("into a folder that is not there: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, []byte("\x00asm"), bytes.Repeat([]byte{1}, 1<<20)} {
		if err := compileOutside(context.Background(), bad, t.TempDir(), limitsFor(bad)); !errors.As(err, new(*RefusedError)) {
			t.Errorf("of %d bytes that are no module: %v", len(bad), err)
		}
	}
}

// A refused compile bomb leaves nothing in this process.
func TestCompileBombTakesNoMemory(t *testing.T) {
	module := manyFunctions(t, 2000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	err := compileOutside(context.Background(), module, t.TempDir(), compileLimits{50 * time.Millisecond, 1 << 30})
	if !errors.As(err, new(*RefusedError)) {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}
