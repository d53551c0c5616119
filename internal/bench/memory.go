package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// memory starts a server anew, creates logs with their views, appends an event to each once more, and reports what the
// server then holds.
func (s *stage) memory(ctx context.Context, report func(string, sample)) error {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	set := logs{prefix: "memory", count: s.config.scale().memoryLogs}
	began := time.Now()
	if err := s.createLogs(ctx, set); err != nil {
		return err
	}
	created := time.Since(began)
	began = time.Now()
	err := s.each(ctx, set, func(c *client, g *generator, i int) error { return appendOnce(c, g, set, i) })
	if err != nil {
		return err
	}
	report(createLogs, sample{count: set.count, seconds: created.Seconds()})
	report(appendRound, sample{count: set.count, seconds: time.Since(began).Seconds()})
	s.rss, err = residentBytes(s.server.cmd.Process.Pid)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// residentBytes is a process's memory, shared pages included. The error is errors.ErrUnsupported on other systems than Linux.
func residentBytes(pid int) (int64, error) {
	kib, err := procField("/proc/"+strconv.Itoa(pid)+"/status", "VmRSS:")
	return kib << 10, err
}

// procField reads a number, in KiB, from a file of /proc. The error is errors.ErrUnsupported on other systems than Linux.
func procField(path, name string) (int64, error) {
	if runtime.GOOS != "linux" {
		return 0, errors.ErrUnsupported
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(content) {
		if value, ok := strings.CutPrefix(string(line), name); ok {
			return strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}
