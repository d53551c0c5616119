package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc, the same on every machine.
const tick = 10 * time.Millisecond

// usage is the processor time that processes have used. load is that of this process, which generates the load.
type usage struct{ server, postgres, load time.Duration }

// since returns the difference to an earlier usage.
func (u usage) since(then usage) usage {
	return usage{server: u.server - then.server, postgres: u.postgres - then.postgres, load: u.load - then.load}
}

// usage returns what this process, the server and our own PostgreSQL have used so far; ok is false where that cannot be read.
func (s *stage) usage() (u usage, ok bool) {
	if runtime.GOOS != "linux" || s.postgres == nil {
		return u, false
	}
	if u.load, ok = processorTime("self", false); !ok {
		return u, false
	}
	if u.server, ok = processorTime(strconv.Itoa(s.server.process.PID()), false); !ok {
		return u, false
	}
	u.postgres, ok = treeTime(s.postgres.PID())
	return u, ok
}

// treeTime returns what a process and its children have used so far, including those that have ended.
func treeTime(pid int) (used time.Duration, ok bool) {
	parent := strconv.Itoa(pid)
	if used, ok = processorTime(parent, true); !ok {
		return 0, false
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, false
	}
	for _, path := range stats {
		child := strings.Split(path, "/")[2]
		if fields := processFields(child); fields != nil && fields[1] == parent {
			own, _ := processorTime(child, false) // a process that has just ended is its parent's by now
			used += own
		}
	}
	return used, true
}

// processFields are the fields of /proc/<pid>/stat from the third, the state, on; nil when there is no such process.
func processFields(pid string) []string {
	content, err := os.ReadFile("/proc/" + pid + "/stat") //nolint:gosec // the kernel's file
	if err != nil {
		return nil
	}
	// The name before may hold spaces and parentheses.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) < 15 {
		return nil
	}
	return fields
}

// processorTime returns what a process has used, with children including its ended children.
func processorTime(pid string, children bool) (time.Duration, bool) {
	fields := processFields(pid)
	if fields == nil {
		return 0, false
	}
	times := fields[11:13]
	if children {
		times = fields[11:15]
	}
	var ticks int64
	for _, text := range times {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, false
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, true
}

// residentBytes returns a process's resident memory, including shared pages. The error is errors.ErrUnsupported on other systems than
// Linux.
func residentBytes(pid int) (int64, error) {
	kib, err := procField("/proc/"+strconv.Itoa(pid)+"/status", "VmRSS:")
	return kib << 10, err
}

// procField reads a number, in KiB, from a file of /proc. The error is errors.ErrUnsupported on other systems than Linux.
func procField(path, name string) (int64, error) {
	if runtime.GOOS != "linux" {
		return 0, errors.ErrUnsupported
	}
	content, err := os.ReadFile(path) //nolint:gosec // the kernel's file
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
