package bench

import (
	"bytes"
	"context"
	_ "embed" // the script
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wrkOne is measured by another client than ours: wrk, where it is installed.
const wrkOne = "wrk/one-log/256"

// wrkTimeout is how long wrk may take beyond its duration, to connect and to sum up.
const wrkTimeout = 30 * time.Second

//go:embed wrk.lua
var wrkScript []byte

func wrkRows() []rowKind {
	return []rowKind{{
		name: "second-client",
		what: "appends with ids to one log, 256 connections: rate by this program's client ÷ by wrk, where that is installed",
		unit: "×", needs: []string{wrkOne, appendIDsOne},
		value: func(f figures, _ *stage) (float64, string) {
			own, other := f[appendIDsOne], f[wrkOne]
			value, text := ratio(own, other)
			text += fmt.Sprintf("; processor time for a request: %.1f µs in this client, %.1f µs in wrk", own.LoadCPU, other.LoadCPU)
			return value, text
		},
	}}
}

// wrkAppends has wrk append for whole seconds, its unit. Without wrk there is no figure.
func wrkAppends(ctx context.Context, s *stage, report reporter) error {
	program, err := exec.LookPath("wrk")
	if err != nil {
		fmt.Fprintln(s.config.Progress, "no figures of a second client: wrk is not installed")
		return nil //nolint:nilerr // reported
	}
	script := filepath.Join(s.folder, "wrk.lua")
	if err := os.WriteFile(script, wrkScript, 0o600); err != nil {
		return err
	}
	window := max(s.config.Duration.Round(time.Second), time.Second)
	ctx, cancel := context.WithTimeout(ctx, window+wrkTimeout)
	defer cancel()
	arguments := []string{
		"--threads", "1", "--connections", strconv.Itoa(maxClients), "--duration", fmt.Sprintf("%.0fs", window.Seconds()),
		"--timeout", fmt.Sprintf("%.0fs", requestTimeout.Seconds()), "--script", script, "http://" + s.server.address, "--",
		strconv.FormatInt(time.Now().UnixNano(), 16), oneLog(s).path(0) + "/append", benchKey,
	}
	cmd := exec.CommandContext(ctx, program, arguments...) //nolint:gosec // our own arguments
	before, known := s.usage()
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("wrk: %w: %s", err, bytes.TrimSpace(output))
	}
	result, err := readWrk(output)
	if err != nil {
		return err
	}
	if known {
		result.used = s.usedSince(before)
		result.used.load = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	report(wrkOne, result)
	return nil
}

// readWrk reads the line that the script prints: requests, microseconds, failures, and a hundred percentiles of latencies.
func readWrk(output []byte) (sample, error) {
	_, line, found := strings.Cut(string(output), "counted ")
	fields := strings.Fields(line)
	if !found || len(fields) < 103 {
		return sample{}, fmt.Errorf("wrk did not say what it counted: %s", bytes.TrimSpace(output))
	}
	numbers := make([]int, 103)
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.Atoi(fields[i]); err != nil {
			return sample{}, fmt.Errorf("what wrk counted: %w", err)
		}
	}
	if numbers[2] > 0 {
		return sample{}, fmt.Errorf("%d of the %d requests that wrk sent failed", numbers[2], numbers[0])
	}
	result := sample{count: numbers[0], seconds: (time.Duration(numbers[1]) * time.Microsecond).Seconds()}
	for _, us := range numbers[3:] {
		result.latencies = append(result.latencies, time.Duration(us)*time.Microsecond)
	}
	slices.Sort(result.latencies)
	return result, nil
}
