package view

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/replay"
)

// Views that keep what they could not count do so under the key uncountedKey, or keys that begin with it and a slash: JSON objects with a
// number for each reason, by itself or in the member uncountedCounts. The ready views do, and those that are made of the kits:
// docs/writing-views.md.
const (
	uncountedKey    = "uncounted"
	uncountedCounts = "count"
	// uncountedLast is the sequence of the last event that was counted there, and no reason.
	uncountedLast = "last_sequence"
)

// uncountedReason returns for which reasons an event that made these changes could not be counted, in whole or in part; "" where the state
// has none.
func uncountedReason(changes []replay.Change) string {
	var reasons []string
	for i := range changes {
		c := &changes[i]
		if c.Key != uncountedKey && !strings.HasPrefix(c.Key, uncountedKey+"/") {
			continue
		}
		before := countsOf(c.Before)
		for reason, count := range countsOf(c.After) {
			if count > before[reason] && !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", ")
}

// countsOf reads how many events a value of such a key counts for each reason.
func countsOf(value []byte) map[string]int64 {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil {
		return nil
	}
	if inner, ok := members[uncountedCounts]; ok && len(inner) > 0 && inner[0] == '{' {
		return countsOf(inner)
	}
	counts := make(map[string]int64, len(members))
	for reason, text := range members {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil && reason != uncountedLast {
			counts[reason] = n
		}
	}
	return counts
}
