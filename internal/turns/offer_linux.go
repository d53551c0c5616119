package turns

import "syscall"

// offerCore has the thread step back behind others that wait for its core, if there are any. The Go runtime knows of it as of a system
// call, so that neither its collector nor its other goroutines wait for a thread that has stepped back.
func offerCore() { _, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
