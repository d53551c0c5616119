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

// Limits on compiling one module. They grow with its size, since that is what an honest module's compiler takes: measured,
// 20 ms and 64 MiB of process for 15 KB of C, 1.8 s and 81 MiB for the 3.4 MB of a Go program.
const (
	compileCPU          = time.Second     // of processor time
	compileCPUPerMiB    = 2 * time.Second // and for each MiB of the metered module
	compileMemory       = 256 << 20       // in bytes
	compileMemoryPerMiB = 128 << 20
	// compileWait is how much longer than its processor time a compiling process may take on a busy machine.
	compileWait = 20
	// maxCompilerText bounds what is kept of a compiling process's standard error, in bytes.
	maxCompilerText = 4 << 10
)

// compileLimits bound the compiling of one module.
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

// compileOutside has a process of its own put the machine code of a metered module into dir. A *RefusedError is the
// module's fault.
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
	said := &boundedText{}
	cmd := exec.CommandContext(bounded, program) //nolint:gosec // this program itself
	cmd.Args = []string{"tally-compile-view"}
	cmd.Env = append([]string{compilerEnv + "=" + string(task)}, compilerSettings...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stderr = bytes.NewReader(metered), said
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
	return compilerError(cmd.ProcessState, said.String(), limits, err)
}

// compilerError is what the end of a compiling process means.
func compilerError(state *os.ProcessState, said string, limits compileLimits, err error) error {
	spent := state.UserTime() + state.SystemTime()
	switch status := state.ExitCode(); {
	case status == compilerTooSlow || status < 0 && spent > limits.cpu: // ended by the operating system for it
		return refusef(CodeCompileTooSlow, "compiling it takes more than %v of processor time, which is what a module of its size is "+
			"allowed; split its largest functions", limits.cpu)
	case status == compilerTooLarge:
		return refusef(CodeCompileTooLarge, "compiling it takes more than %d MiB of memory, which is what a module of its size is "+
			"allowed; split its largest functions", limits.memory>>20)
	case status == compilerRefuses && strings.Contains(said, "is disabled"):
		return refusef(CodeUnsupportedFeature, "%s; views may use WebAssembly 2.0 without SIMD", said)
	case status == compilerRefuses:
		return refusef(CodeInvalidModule, "%s", said)
	case status == compilerFails:
		return fmt.Errorf("compile a module: %s", said)
	}
	return fmt.Errorf("compile a module: its process ended unexpectedly after %v: %w: %s", spent, err, said)
}

// ownProgram is the path of the program that is running, also when its file has been replaced since.
func ownProgram() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// boundedText keeps the beginning of what is written to it.
type boundedText struct{ text []byte }

// Write implements io.Writer.
func (b *boundedText) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), maxCompilerText-len(b.text))]...)
	return len(p), nil
}

func (b *boundedText) String() string { return strings.TrimSpace(string(b.text)) }
