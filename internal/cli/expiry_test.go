package cli

import (
	"testing"
	"time"
)

// TestLongDuration: durations may be in days, and are neither negative nor so long that they wrap around.
func TestLongDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "1d": day, "0": 0, "0d": 0, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "36500d": maxDays * day,
	} {
		var d longDuration
		if err := d.Set(text); err != nil || time.Duration(d) != want {
			t.Errorf("%q is %v, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "-1h", "1.5d", "36501d", "4294967296d", "1d12h", "90", "soon", "1 d"} {
		d := longDuration(time.Second)
		if err := d.Set(text); err == nil || time.Duration(d) != time.Second {
			t.Errorf("%q is taken for %v", text, time.Duration(d))
		}
	}
}

// TestExpiry: a key expires after a time, or at one, or never.
func TestExpiry(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 5, time.UTC)
	for _, c := range []struct {
		flags expiryFlags
		want  string
	}{
		{expiryFlags{}, ""},
		{expiryFlags{in: longDuration(2 * day)}, "2026-11-30T12:00:00Z"},
		{expiryFlags{at: "2027-03"}, "2027-03-01T00:00:00Z"},
		{expiryFlags{at: "2027-03-01T10:00:00+02:00"}, "2027-03-01T08:00:00Z"},
	} {
		at, err := c.flags.moment(now)
		got := ""
		if at != nil {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if err != nil || got != c.want {
			t.Errorf("%+v end at %q, %v; want %q", c.flags, got, err, c.want)
		}
	}
	if _, err := (&expiryFlags{in: longDuration(day), at: "2027-03"}).moment(now); err == nil {
		t.Error("both flags are taken")
	}
}
