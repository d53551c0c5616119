package eventlog

import "time"

// Month is the beginning of the month, in UTC, that a time of recording (microseconds since 1970 UTC) falls into: what the events are
// partitioned by, and what log_months counts in.
func Month(recordedAt int64) time.Time {
	t := time.UnixMicro(recordedAt).UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
