package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// dieWithParent makes the kernel ask the child for a fast shutdown when the thread that started it ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// runs reports whether pid is a postmaster of the cluster: its program is called postgres, and its working folder is the cluster's.
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
