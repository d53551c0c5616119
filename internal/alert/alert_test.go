package alert_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
)

// TestFiresAndResolves follows a value up and down: each threshold fires once for each time that it is passed.
func TestFiresAndResolves(t *testing.T) {
	r := newRig(t)
	s := r.start(testrig.Settings{}, nil)
	r.put("quota", `{"logs": "customer-*", "view": "usage", "value": "/rows/0/latest", "of": 100, "thresholds": ["80%", "100%", "250.5"],
		"resolve": true}`, s)
	log, name := r.newLog(s)
	sequence := int64(0)
	for _, step := range []struct{ value, want string }{
		{"79.999", ""},
		{"80", "fired 80% 1"},
		{"99", "fired 80% 1"},
		{"300", "fired 80% 1, fired 100% 1, fired 250.5 1"},
		{"80.0", "fired 80% 1, fired 100% 1, fired 250.5 1, resolved 100% 1, resolved 250.5 1"},
		{"1e2", "fired 80% 1, fired 100% 1, fired 250.5 1, resolved 100% 1, resolved 250.5 1, fired 100% 2"},
		{"-1", "fired 80% 1, fired 100% 1, fired 250.5 1, resolved 100% 1, resolved 250.5 1, fired 100% 2, " +
			"resolved 100% 2, resolved 80% 1"},
	} {
		r.used(s, log, step.value)
		sequence++
		r.evaluated(log, sequence)
		r.until(step.want, announced, name)
	}
}
