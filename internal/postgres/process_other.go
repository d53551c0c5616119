//go:build unix && !linux

package postgres

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing: only Linux ends a child with its parent. The next Start finds and ends the server.
func dieWithParent(*syscall.SysProcAttr) {}

// runs reports whether pid is a postmaster of the cluster, by its command line, which names the cluster's folder.
func runs(ctx context.Context, pid int, cluster string) bool {
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres -D "+cluster+" ")
}
