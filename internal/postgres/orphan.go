//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endOrphan ends a server that still runs on the cluster although the process that started it is gone, as the caller knows because it holds
// the data folder's lock.
func endOrphan(ctx context.Context, cluster string, log *slog.Logger) error {
	text, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid")) //nolint:gosec // the user's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return nil //nolint:nilerr // torn by a crash; the server checks the file itself when it starts
	}
	if !runs(ctx, pid, cluster) {
		return nil
	}
	log.Warn("ending a PostgreSQL server that was left behind", "pid", pid, "data", cluster)
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, stopPatience}, {syscall.SIGQUIT, quitPatience}} {
		if err := syscall.Kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end the server left behind (pid %d): %w", pid, err)
		}
		if gone(ctx, pid, cluster, step.patience) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("a PostgreSQL server (pid %d) runs on %s and does not stop: end it and try again", pid, cluster)
}

// gone waits until the server no longer runs, and reports whether that happened in time.
func gone(ctx context.Context, pid int, cluster string, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for runs(context.WithoutCancel(ctx), pid, cluster) {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
