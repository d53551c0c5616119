package webhook

import (
	"math/rand/v2"
	"time"
)

const (
	// TryTimeout bounds one try: connecting, sending, and reading of the answer what is kept of it.
	TryTimeout = 15 * time.Second
	// MaxRetryAfter is how long a receiver may ask to be left alone.
	MaxRetryAfter = 12 * time.Hour
	// DisableAfter is how long all tries of a receiver fail before it is disabled.
	DisableAfter = 5 * 24 * time.Hour
	// GiveUpAfter bounds the time from a delivery's first try to its last: the whole of Schedule, and somewhat more.
	GiveUpAfter = 84 * time.Hour
	// KeptFor is how long a delivery is kept after its end.
	KeptFor = 30 * 24 * time.Hour
)

// Schedule has the waits between a delivery's tries, which are as the Standard Webhooks specification suggests. After the last of them
// comes the last try, somewhat more than three days after the first.
var Schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour,
	24 * time.Hour,
}

// nextTry returns how long to wait after the last of so many tries that failed, and false if there is to be no other. age is the time since
// the first. Waits are up to a tenth longer, so that what failed together does not come back together. A receiver that asks for more time
// has it.
func nextTry(schedule []time.Duration, tries int, age, retryAfter time.Duration) (time.Duration, bool) {
	if tries > len(schedule) {
		return 0, false
	}
	wait := max(schedule[tries-1], min(retryAfter, MaxRetryAfter))
	wait += rand.N(wait/10 + 1) //nolint:gosec // no secret
	return wait, age+wait <= GiveUpAfter
}
