package views_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestZonesAgainstPython asks for each zone's offsets through the windows of meter, and compares them with what another reader
// made of the same data (tools/zone_offsets.py).
func TestZonesAgainstPython(t *testing.T) {
	const (
		samples = 1000
		step    = 40*24*time.Hour + 7*time.Hour
	)
	d := mustDeploy(t, "meter", `{"resolution":"minute"}`)
	state := memoryState{}
	for i := range samples {
		at := time.Date(1972, 2, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * step)
		state["total/"+at.Format(time.RFC3339)] = []byte(`{"count":1}`)
	}
	expected, err := os.ReadFile("testdata/zone_offsets.txt")
	if err != nil {
		t.Fatal(err)
	}
	zones := strings.Split(strings.TrimSpace(string(expected)), "\n")
	if len(zones) < 590 {
		t.Fatalf("there are %d zones", len(zones))
	}
	for _, line := range zones {
		name, want, _ := strings.Cut(line, " ")
		if got := offsets(t, d, state, name); got != want {
			t.Errorf("%s: the offsets' sum is %s, Python's is %s", name, got, want)
		}
	}
}

// offsets sums up the offsets that a zone's windows begin with.
func offsets(t *testing.T, d *deployed, state memoryState, zone string) string {
	t.Helper()
	answer := d.ask(t, state, "window=minute&format=csv&timezone="+strings.ReplaceAll(zone, "+", "%2B"))
	sum := sha256.New()
	for _, row := range strings.Split(strings.TrimSuffix(answer, "\r\n"), "\r\n")[1:] {
		from, _, _ := strings.Cut(row, ",")
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			t.Fatalf("%s: %v", zone, err)
		}
		_, offset := at.Zone()
		fmt.Fprintf(sum, "%d\n", offset)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
