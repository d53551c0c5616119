package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// Compiling runs the compiler over bytes that anyone may have written, so it happens in a process of its own: this same
// program, started again with compilerEnv set. That process reads a module from standard input, leaves its machine code
// in a folder, and ends with one of the statuses below and a text on standard error. It holds itself to its limits, and
// whoever started it ends it should that fail.

// compilerEnv is the environment variable that makes a process compile, and holds its compilerTask.
const compilerEnv = "TALLYSTICK_COMPILE_VIEW"

// compilerTask is what a compiling process is told, as JSON.
type compilerTask struct {
	Dir       string        `json:"dir"`        // where the code goes
	CPU       time.Duration `json:"cpu"`        // processor time that it may take
	MaxMemory uint64        `json:"max_memory"` // bytes that it may hold
}

// Exit statuses of a compiling process. They start above those that the language and shells use.
const (
	compilerDone     = 0
	compilerRefuses  = 64 // the module is not valid; why is on standard error
	compilerTooSlow  = 65
	compilerTooLarge = 66
	compilerFails    = 67 // not the module's fault; why is on standard error
)

func init() {
	if task, ok := os.LookupEnv(compilerEnv); ok {
		os.Exit(compileAsked(task))
	}
}

func compileAsked(text string) int {
	var task compilerTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return compilerSays(compilerFails, fmt.Errorf("read the task in %s: %w", compilerEnv, err))
	}
	yield(task.CPU)
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(int64(task.MaxMemory / 4 * 3))
	go watch(task)
	module, err := io.ReadAll(os.Stdin)
	if err != nil {
		return compilerSays(compilerFails, fmt.Errorf("read the module: %w", err))
	}
	return compileInto(module, task.Dir)
}

func compilerSays(status int, err error) int {
	fmt.Fprintln(os.Stderr, err)
	return status
}

// watch ends the process when it takes more than it may.
func watch(task compilerTask) {
	const pause = 5 * time.Millisecond
	for range time.Tick(pause) {
		if processorTime() > task.CPU {
			os.Exit(compilerTooSlow)
		}
		if memoryHeld() > task.MaxMemory {
			os.Exit(compilerTooLarge)
		}
	}
}

// memoryHeld is what this process has taken from the operating system and not given back, in bytes.
func memoryHeld() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

func compileInto(module []byte, dir string) int {
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return compilerSays(compilerFails, err)
	}
	_, err = compileWith(ctx, wazero.NewRuntimeWithConfig(ctx, runtimeConfig.WithCompilationCache(cache)), module)
	if err == nil {
		return compilerDone
	}
	// The runtime does not tell a bad module from a full disk, so it is asked again without one: a module must not be
	// refused for the sake of a disk.
	if _, bad := compileWith(ctx, wazero.NewRuntimeWithConfig(ctx, runtimeConfig), module); bad != nil {
		return compilerSays(compilerRefuses, bad)
	}
	return compilerSays(compilerFails, err)
}

// compileWith compiles a module; a panic of the compiler is an error.
func compileWith(ctx context.Context, runtime wazero.Runtime, wasm []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the compiler cannot handle this module: %v", r)
		}
	}()
	return runtime.CompileModule(experimental.WithFunctionListenerFactory(ctx, refills{}), wasm)
}
