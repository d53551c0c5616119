package memory

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
)

const (
	// LeastLimit is what a server needs: some 100 MiB for itself, and room for a few batches, deliveries and pages of the largest size and
	// a view with the largest memory. It is what a control group of 683 MiB allows.
	LeastLimit = 512 << 20
	// A control group's limit also counts what is not this process's own: the process that compiles a module, the kernel's buffers of
	// connections. A server takes groupPart of it, in quarters.
	groupPart = 3
	quarters  = 4
	// machinePart: without a limit a server takes this part of the machine, which its database may share.
	machinePart = 2
	// unknownMachine is what a machine is assumed to have whose memory cannot be read.
	unknownMachine = 4 << 30
)

// Limit is how much a server may hold, in bytes, and why.
type Limit struct {
	Bytes int64
	Why   string
}

// DefaultLimit is three quarters of the control group's limit, of version 2 or 1, else half of the machine's memory; LeastLimit at least.
func DefaultLimit() Limit { return defaultLimit("/") }

// defaultLimit looks below root, where /proc and /sys are.
func defaultLimit(root string) Limit {
	machine := machineBytes(root)
	if group := groupBytes(root); group > 0 && group < machine {
		return Limit{max(group/quarters*groupPart, LeastLimit), fmt.Sprintf("three quarters of the control group's %d MiB", group>>20)}
	}
	return Limit{max(machine/machinePart, LeastLimit), fmt.Sprintf("half of the machine's %d MiB", machine>>20)}
}

func machineBytes(root string) int64 {
	content, _ := os.ReadFile(path.Join(root, "proc/meminfo")) //nolint:gosec // the kernel's file; not there on other systems
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err == nil {
				return kib << 10
			}
		}
	}
	return unknownMachine
}

// groupBytes returns the least limit of this process's control group and those above it; 0 where there is none.
func groupBytes(root string) (least int64) {
	content, _ := os.ReadFile(path.Join(root, "proc/self/cgroup")) //nolint:gosec // the kernel's file; not there on other systems
	for line := range strings.Lines(string(content)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // id, controllers, path
		if len(parts) < 3 {
			continue
		}
		var mount, file string
		switch {
		case parts[1] == "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the path may be one that only the machine sees; the group itself is then what is mounted.
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			if n := readBytes(path.Join(root, mount, at, file)); n > 0 && (least == 0 || n < least) {
				least = n
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// readBytes reads a limit; 0 where there is none.
func readBytes(file string) int64 {
	content, err := os.ReadFile(file) //nolint:gosec // the kernel's file
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64) // "max" is none
	if err != nil {
		return 0
	}
	return n
}

// Shares is what a limit is divided into, in bytes. What is left is for the program itself, its connections, and garbage.
type Shares struct {
	Bodies  int64 // of requests
	Answers int64 // of pages of events, lists, answers of views, streams
	Groups  int64 // what views write for the groups of appends under way
	Guests  int64 // memory of views' instances, outside of Go's heap
	States  int64 // snapshots of logs
	Loads   int64 // of these, what is read before it is known how much it is
	Recent  int64 // the last events of logs that are watched
	Watch   int64 // what watching clients take, each with its connection, besides what they are sent
	Build   int64 // the state of the version that is being built
	Heap    int64 // the limit for Go's collector
}

const (
	// Each of these takes an eighth: together they hold at most four fifths of Go's heap, which leaves room for what is not booked.
	part = 8
	// guestPart of the limit is outside of the heap.
	guestPart = 5
	buildPart = 16
	// statesParts of loadPart are for snapshots, and one for loading them: an eighth together.
	statesParts, loadPart = 3, 32
	recentPart            = 32
	watchPart             = 16
	// outside is what a process holds besides its heap: the program itself, stacks of threads, machine code of views.
	outside = 64 << 20
	// More than this is of no use on any machine.
	mostBodies, mostAnswers, mostGroups = 512 << 20, 512 << 20, 1 << 30
	mostStates, mostBuild               = 256 << 20, 128 << 20
	mostLoads, mostRecent               = 256 << 20, 256 << 20
)

// Shares divides the limit.
func (l Limit) Shares() Shares {
	s := Shares{
		Bodies: min(l.Bytes/part, mostBodies), Answers: min(l.Bytes/part, mostAnswers), Groups: min(l.Bytes/part, mostGroups),
		Guests: l.Bytes / guestPart, States: min(l.Bytes/loadPart*statesParts, mostStates), Build: min(l.Bytes/buildPart, mostBuild),
		Loads: min(l.Bytes/loadPart, mostLoads), Recent: min(l.Bytes/recentPart, mostRecent), Watch: l.Bytes / watchPart,
	}
	s.Heap = l.Bytes - s.Guests - outside
	return s
}
