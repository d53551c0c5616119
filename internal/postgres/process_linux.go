package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// dieWithParent has the kernel ask the child for a fast shutdown when the thread that starts it ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// runs reports whether pid is a postmaster of the cluster: its program is called postgres, and it works in the cluster's folder, as
// every postmaster does.
func runs(_ context.Context, pid int, cluster string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	program, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil || filepath.Base(program) != "postgres" && filepath.Base(program) != "postgres (deleted)" {
		return false
	}
	in, err := os.Stat(filepath.Join(proc, "cwd"))
	if err != nil {
		return false
	}
	want, err := os.Stat(cluster)
	return err == nil && os.SameFile(in, want)
}
