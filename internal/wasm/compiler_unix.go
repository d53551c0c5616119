//go:build unix

package wasm

import (
	"math"
	"os"
	"strconv"
	"syscall"
	"time"
)

// niceness is how far a compiling process stands back behind the server.
const niceness = 10

// yield makes this process stand back behind others, and has the operating system end it should it not end itself. Where
// that is not allowed it goes on: whoever started it watches too.
func yield(cpu time.Duration) {
	standBack()
	seconds := uint64(math.Ceil(cpu.Seconds())) + 1
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds + 1})
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// standBack lowers the priority of this process. On Linux a priority is one thread's: each thread is told, and hands it on to those that
// it starts.
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

// processorTime is what this process has taken of it.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
