package wasm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Limits on compiling one module. They grow with its size, as the cost of compiling an honest module does: measured, 20 ms
// and 64 MiB of process memory for 15 KB from C, 1.8 s and 81 MiB for 3.4 MB from Go.
const (
	compileCPU          = time.Second     // of processor time
	compileCPUPerMiB    = 2 * time.Second // and for each MiB of the metered module
	compileMemory       = 256 << 20       // in bytes
	compileMemoryPerMiB = 128 << 20
	// compileWait is how many times its processor time a compiler process may take on a busy machine.
	compileWait = 20
	// maxCompilerText bounds what is kept of a compiler process's standard error, in bytes.
	maxCompilerText = 4 << 10
)

// compileLimits are the limits on compiling one module.
type compileLimits struct {
	cpu    time.Duration // of processor time
	memory uint64        // in bytes
}

func limitsFor(metered []byte) compileLimits {
	size := uint64(len(metered))
	return compileLimits{
		cpu:    (compileCPU + compileCPUPerMiB*time.Duration(size)>>20) * slowness,
		memory: (compileMemory + compileMemoryPerMiB*size>>20) * min(slowness, 4),
	}
}

// compileOutside compiles a metered module in a separate process, which writes the machine code into dir. A *RefusedError is
// the module's fault.
func compileOutside(ctx context.Context, metered []byte, dir string, limits compileLimits) error {
	task, err := json.Marshal(compilerTask{Dir: dir, CPU: limits.cpu, MaxMemory: limits.memory})
	if err != nil {
		return fmt.Errorf("compile a module: %w", err)
	}
	program, err := ownProgram()
	if err != nil {
		return fmt.Errorf("find this program, to compile a module in a process of its own: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, limits.cpu*compileWait)
	defer cancel()
	stderr := &boundedText{}
	cmd := exec.CommandContext(bounded, program) //nolint:gosec // this program itself
	cmd.Args = []string{"tally-compile-view"}
	cmd.Env = append([]string{compilerEnv + "=" + string(task)}, compilerSettings...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stderr = bytes.NewReader(metered), stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the process that compiles modules: %w", err)
	}
	err = cmd.Wait()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("compile a module: %w", ctx.Err())
	case bounded.Err() != nil:
		return fmt.Errorf("compile a module: it took longer than %v, %d times the processor time that it may take; the machine is too busy",
			limits.cpu*compileWait, compileWait)
	}
	return compilerError(cmd.ProcessState, stderr.String(), limits, err)
}

// compilerError returns the error for the exit of a compiler process.
func compilerError(state *os.ProcessState, stderr string, limits compileLimits, err error) error {
	spent := state.UserTime() + state.SystemTime()
	switch status := state.ExitCode(); {
	case status == compilerTooSlow || status < 0 && spent > limits.cpu: // killed by the operating system for it
		return refusef(CodeCompileTooSlow, "compiling it takes more than %v of processor time, which is what a module of its size is "+
			"allowed; split its largest functions", limits.cpu)
	case status == compilerTooLarge:
		return refusef(CodeCompileTooLarge, "compiling it takes more than %d MiB of memory, which is what a module of its size is "+
			"allowed; split its largest functions", limits.memory>>20)
	case status == compilerRefuses && strings.Contains(stderr, "is disabled"):
		return refusef(CodeUnsupportedFeature, "%s; views may use WebAssembly 2.0 without SIMD", stderr)
	case status == compilerRefuses:
		return refusef(CodeInvalidModule, "%s", stderr)
	case status == compilerFails:
		return fmt.Errorf("compile a module: %s", stderr)
	}
	return fmt.Errorf("compile a module: its process ended unexpectedly after %v: %w: %s", spent, err, stderr)
}

// ownProgram returns the path of the running program. On Linux it works even if the file has been replaced.
func ownProgram() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// boundedText keeps the first maxCompilerText bytes written to it.
type boundedText struct{ text []byte }

// Write implements io.Writer.
func (b *boundedText) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), maxCompilerText-len(b.text))]...)
	return len(p), nil
}

func (b *boundedText) String() string { return strings.TrimSpace(string(b.text)) }
