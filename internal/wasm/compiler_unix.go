//go:build unix

package wasm

import (
	"math"
	"os"
	"strconv"
	"syscall"
	"time"
)

// niceness is the nice value of a compiler process: it yields to the server.
const niceness = 10

// yield lowers the priority of this process, and has the operating system kill it if it exceeds its processor time and does
// not exit by itself. Errors are ignored: the parent process watches, too.
func yield(cpu time.Duration) {
	standBack()
	seconds := uint64(math.Ceil(cpu.Seconds())) + 1
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds + 1})
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// standBack lowers the priority of this process. On Linux a priority belongs to a thread, so it is set for each; new threads inherit
// it.
func standBack() {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return // not on Linux
	}
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness)
		}
	}
}

// processorTime returns the processor time that this process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
