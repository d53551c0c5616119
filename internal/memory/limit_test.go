package memory

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDefaultLimit: the least limit of the control groups counts, of either version, wherever a container sees it; else the machine.
func TestDefaultLimit(t *testing.T) {
	const machine = "MemTotal:        8388608 kB\nMemFree: 1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no group": {nil, 4 << 30},
		"version 2": {map[string]string{
			"proc/self/cgroup": "0::/tally.slice/tally.service\n", "sys/fs/cgroup/tally.slice/tally.service/memory.max": "1073741824\n",
		}, 768 << 20},
		"version 2, the limit above": {map[string]string{
			"proc/self/cgroup": "0::/tally.slice/tally.service\n", "sys/fs/cgroup/tally.slice/tally.service/memory.max": "max\n",
			"sys/fs/cgroup/tally.slice/memory.max": "2147483648\n",
		}, 1536 << 20},
		"version 2, in a container": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n",
		}, 768 << 20},
		"version 1": {map[string]string{
			"proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/docker/abc\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
		}, 768 << 20},
		"version 1, without a limit": {map[string]string{
			"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 4 << 30},
		"nonsense": {map[string]string{"proc/self/cgroup": "4:memory\nx\n"}, 4 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write := func(file, text string) {
				file = filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("proc/meminfo", machine)
			for file, text := range c.files {
				write(file, text)
			}
			if limit := defaultLimit(root); limit.Bytes != c.want {
				t.Errorf("the limit is %d (%s), not %d", limit.Bytes, limit.Why, c.want)
			}
		})
	}
	if limit := defaultLimit(t.TempDir()); limit.Bytes != unknownMachine/machinePart {
		t.Errorf("where nothing is known it is %d", limit.Bytes)
	}
}

// TestShares: what is booked fits into what the collector keeps to, with room for garbage, and the heap with the guests into the limit; the
// least limit has room for the largest of everything.
func TestShares(t *testing.T) {
	for _, limit := range []int64{LeastLimit, 512 << 20, 1 << 30, 16 << 30} {
		s := Limit{Bytes: limit}.Shares()
		booked := s.Bodies + s.Answers + s.Groups + s.States + s.Loads + s.Recent + s.Build
		if booked > s.Heap || s.Heap+s.Guests > limit {
			t.Errorf("of %d MiB, %d are booked, %d are heap and %d guests'", limit>>20, booked>>20, s.Heap>>20, s.Guests>>20)
		}
	}
	const batch, page = 10 << 20, 8 << 20
	s := Limit{Bytes: LeastLimit}.Shares()
	if large := s.Bodies - s.Bodies/smallPart; large < 2*batch {
		t.Errorf("the least limit has %d bytes for bodies", large)
	}
	if large := s.Answers - s.Answers/smallPart; large < 2*page {
		t.Errorf("the least limit has %d bytes for answers", large)
	}
}
