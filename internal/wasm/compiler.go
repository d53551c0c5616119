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

// The compiler runs on untrusted bytes, so it runs in a separate process: this same program, started with compilerEnv set.
// The process reads a module from standard input, writes its machine code into a folder, and exits with one of the statuses
// below and a message on standard error. It enforces its own limits; if that fails, its parent kills it.

// compilerEnv is the environment variable that makes a process a compiler. It holds the compilerTask.
const compilerEnv = "TALLYSTICK_COMPILE_VIEW"

// compilerTask is the task of a compiler process, as JSON.
type compilerTask struct {
	Dir       string        `json:"dir"`        // where to write the code
	CPU       time.Duration `json:"cpu"`        // limit on processor time
	MaxMemory uint64        `json:"max_memory"` // limit on memory, in bytes
}

// Exit statuses of a compiler process, above those that Go and shells use.
const (
	compilerDone     = 0
	compilerRefuses  = 64 // the module is not valid; the reason is on standard error
	compilerTooSlow  = 65
	compilerTooLarge = 66
	compilerFails    = 67 // not the module's fault; the reason is on standard error
)

func init() {
	if task, ok := os.LookupEnv(compilerEnv); ok {
		os.Exit(runCompiler(task))
	}
}

func runCompiler(text string) int {
	var task compilerTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return report(compilerFails, fmt.Errorf("read the task in %s: %w", compilerEnv, err))
	}
	yield(task.CPU)
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(int64(task.MaxMemory / 4 * 3))
	go watch(task)
	module, err := io.ReadAll(os.Stdin)
	if err != nil {
		return report(compilerFails, fmt.Errorf("read the module: %w", err))
	}
	return compileInto(module, task.Dir)
}

func report(status int, err error) int {
	fmt.Fprintln(os.Stderr, err)
	return status
}

// watch exits when the process exceeds its limits.
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

// memoryHeld returns the memory that the Go runtime holds from the operating system, in bytes.
func memoryHeld() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

func compileInto(module []byte, dir string) int {
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return report(compilerFails, err)
	}
	_, err = compileWith(ctx, wazero.NewRuntimeWithConfig(ctx, runtimeConfig.WithCompilationCache(cache)), module)
	if err == nil {
		return compilerDone
	}
	// The error may be the module's or, for example, that of a full disk. Compiling again without a cache tells them apart: a
	// module must not be refused because of a disk.
	if _, bad := compileWith(ctx, wazero.NewRuntimeWithConfig(ctx, runtimeConfig), module); bad != nil {
		return report(compilerRefuses, bad)
	}
	return report(compilerFails, err)
}

// compileWith compiles a module, and turns a panic of the compiler into an error.
func compileWith(ctx context.Context, rt wazero.Runtime, wasm []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the compiler cannot handle this module: %v", r)
		}
	}()
	return rt.CompileModule(experimental.WithFunctionListenerFactory(ctx, refills{}), wasm)
}
