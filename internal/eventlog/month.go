package eventlog

import "time"

// Month returns the beginning of the month, in UTC, of a time of recording, microseconds since 1970 UTC. Events are partitioned by it, and
// log_months has a row for each.
func Month(recordedAt int64) time.Time {
	t := time.UnixMicro(recordedAt).UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
