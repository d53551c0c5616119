package event

import (
	"strings"
	"time"
)

// ParseTime parses an RFC 3339 time and returns it in UTC. T and Z may be lower case. A leap second, the second 60 that ends a day of UTC,
// is the first moment of the next day, as in POSIX time and in PostgreSQL. ok is false for any other text.
func ParseTime(text string) (t time.Time, ok bool) {
	const (
		dateEnd    = len("2006-01-02")
		hourEnd    = len("2006-01-02T15")
		minuteEnd  = len("2006-01-02T15:04")
		secondsEnd = len("2006-01-02T15:04:05")
	)
	if len(text) <= secondsEnd {
		return t, false
	}
	if text[dateEnd] == 't' {
		text = text[:dateEnd] + "T" + text[dateEnd+1:]
	}
	if whole, ok := strings.CutSuffix(text, "z"); ok {
		text = whole + "Z"
	}
	leap := text[minuteEnd:secondsEnd] == ":60"
	if leap {
		text = text[:minuteEnd] + ":59" + text[secondsEnd:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	// time.Parse also takes an hour of one digit, a comma before the fraction, and offsets of a day and more.
	if err != nil || text[hourEnd] != ':' || text[secondsEnd] == ',' {
		return t, false
	}
	if text[len(text)-1] != 'Z' {
		if zone := text[len(text)-len("+00:00"):]; zone[1:3] >= "24" || zone[4:] >= "60" {
			return t, false
		}
	}
	t = t.UTC()
	if leap {
		if hour, minute, second := t.Clock(); hour != 23 || minute != 59 || second != 59 {
			return t, false
		}
		t = t.Add(time.Second)
	}
	return t, true
}
