package alert

import (
	"time"

	_ "time/tzdata" // zones, whatever the machine has
)

// Calendar is a length of windows that begin by the clock of a zone.
type Calendar string

// The lengths.
const (
	Minute Calendar = "minute"
	Hour   Calendar = "hour"
	Day    Calendar = "day"
	Week   Calendar = "week" // from Monday
	Month  Calendar = "month"
)

// window is the time in which a threshold fires, and after which it may fire again.
type window struct {
	key string    // "": all of time
	end time.Time // zero: not known
}

// at returns the window of the calendar that a moment is in.
func (c Calendar) at(moment time.Time, zone *time.Location) (from, to time.Time) {
	local := moment.In(zone)
	year, month, day := local.Date()
	switch c {
	case Minute:
		from = moment.Truncate(time.Minute)
		return from, from.Add(time.Minute)
	case Hour:
		return hourOf(local)
	case Day:
		return startOfDay(year, month, day, zone), startOfDay(year, month, day+1, zone)
	case Week:
		const daysOfWeek = 7
		monday := day - (int(local.Weekday())+daysOfWeek-1)%daysOfWeek
		return startOfDay(year, month, monday, zone), startOfDay(year, month, monday+daysOfWeek, zone)
	case Month:
		return startOfDay(year, month, 1, zone), startOfDay(year, month+1, 1, zone)
	}
	return from, to
}

// hourOf returns the hour of a local time, by the offset that holds then: the hour that is repeated in autumn is two.
func hourOf(local time.Time) (from, to time.Time) {
	from = local.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second -
		time.Duration(local.Nanosecond()))
	return from, from.Add(time.Hour)
}

// startOfDay returns the first moment at which the zone's clock shows the date, or a later one where a zone left that day out.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	start := time.Date(year, month, day, 0, 0, 0, 0, zone)
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	// Where the clock skips midnight, Date may return a time of the day before. Where midnight comes twice, it may return the second.
	for shown(start).Before(wanted) {
		start = start.Add(time.Minute)
	}
	for before := start.Add(-time.Hour); !shown(before).Before(wanted); before = start.Add(-time.Hour) {
		start = before
	}
	return start
}

// shown returns what the clock shows at a moment, as a time of UTC.
func shown(moment time.Time) time.Time {
	year, month, day := moment.Date()
	return time.Date(year, month, day, moment.Hour(), moment.Minute(), moment.Second(), 0, time.UTC)
}

// key names the window that begins so.
func key(from time.Time) string { return from.UTC().Format(time.RFC3339) }
