#include "window.h"

const tally_text span_names[SPANS] = {
	TALLY_STATIC_TEXT("minute"), TALLY_STATIC_TEXT("quarter_hour"), TALLY_STATIC_TEXT("hour"),
	TALLY_STATIC_TEXT("day"),    TALLY_STATIC_TEXT("week"),         TALLY_STATIC_TEXT("month"),
	TALLY_STATIC_TEXT("quarter"), TALLY_STATIC_TEXT("year"),
};

enum {
	/* More than any clock is ahead of UTC. */
	MOST_OFFSET_SECONDS = 26 * HOUR_SECONDS,
};

/* Of the spans up to a day, where the clock is not changed. */
static const int32_t span_seconds[] = {MINUTE_SECONDS, 15 * MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS};

bool span_of(tally_text name, span *found) {
	for (uint32_t i = 0; i < SPANS; i++)
		if (tally_equal(name, span_names[i])) {
			*found = (span)i;
			return true;
		}
	return false;
}

/* ---- Windows shorter than a day ---- */

static stretch short_window(const grid *windows, int64_t time) {
	int32_t seconds = span_seconds[windows->span];
	zone_period now = zone_period_at(windows->zone, time);
	stretch window;
	window.start = time - floor_remainder(time + now.offset, seconds);
	window.end = window.start + seconds;
	if (window.start < now.start &&
	    (now.offset - zone_period_at(windows->zone, now.start - 1).offset) % seconds != 0)
		window.start = now.start;
	if (window.end > now.end && (zone_period_at(windows->zone, now.end).offset - now.offset) % seconds != 0)
		window.end = now.end;
	return window;
}

/* ---- Days and what is made of them; a day is told by its number since 1970 ---- */

int64_t start_of_day(const zone_entry *zone, int64_t day) {
	int64_t midnight = day * DAY_SECONDS;
	zone_period period = zone_period_at(zone, midnight - MOST_OFFSET_SECONDS);
	for (;;) {
		int64_t shown = midnight - period.offset;
		int64_t start = shown > period.start ? shown : period.start;
		if (start < period.end)
			return start;
		period = zone_period_at(zone, period.end);
	}
}

static int64_t first_day(span span, int64_t day) {
	enum { QUARTER_MONTHS = 3 };
	tally_date date = tally_date_of(day);
	switch (span) {
	case SPAN_WEEK:
		return day - floor_remainder(day + 3, 7); /* 1970-01-01 was a Thursday */
	case SPAN_MONTH:
		return day - date.day + 1;
	case SPAN_QUARTER:
		return tally_days_of((tally_date){date.year, date.month - (date.month - 1) % QUARTER_MONTHS, 1});
	case SPAN_YEAR:
		return tally_days_of((tally_date){date.year, 1, 1});
	default:
		return day;
	}
}

/* The first day of the span after the one that begins with `day`. */
static int64_t next_first_day(span span, int64_t day) {
	enum { MORE_THAN_A_MONTH = 31, MORE_THAN_A_QUARTER = 100, MORE_THAN_A_YEAR = 366 };
	switch (span) {
	case SPAN_WEEK:
		return day + 7;
	case SPAN_MONTH:
		return first_day(span, day + MORE_THAN_A_MONTH);
	case SPAN_QUARTER:
		return first_day(span, day + MORE_THAN_A_QUARTER);
	case SPAN_YEAR:
		return first_day(span, day + MORE_THAN_A_YEAR);
	default:
		return day + 1;
	}
}

static int64_t local_day(const zone_entry *zone, int64_t time) {
	return tally_floor_divide(time + zone_period_at(zone, time).offset, DAY_SECONDS);
}

static stretch long_window(const grid *windows, int64_t time) {
	int64_t first = first_day(windows->span, local_day(windows->zone, time));
	int64_t next = next_first_day(windows->span, first);
	stretch window = {start_of_day(windows->zone, first), start_of_day(windows->zone, next)};
	/* Clocks set back over midnight show a date again that is over. */
	while (time >= window.end) {
		next = next_first_day(windows->span, next);
		window = (stretch){window.end, start_of_day(windows->zone, next)};
	}
	return window;
}

stretch window_at(const grid *windows, int64_t time) {
	return windows->span < SPAN_DAY ? short_window(windows, time) : long_window(windows, time);
}

bool is_start(const grid *windows, int64_t time) {
	return window_at(windows, time).start == time;
}

/* ---- Parts that make up windows ---- */

/* Whether the windows' edges near a change of their zone's clock are the parts'. */
static bool fits_at_change(const grid *parts, const grid *windows, int64_t change) {
	if (windows->span < SPAN_DAY) {
		int64_t shift = zone_period_at(windows->zone, change).offset - zone_period_at(windows->zone, change - 1).offset;
		return shift % span_seconds[windows->span] == 0 || is_start(parts, change);
	}
	int64_t day = local_day(windows->zone, change);
	return is_start(parts, start_of_day(windows->zone, day)) && is_start(parts, start_of_day(windows->zone, day + 1));
}

bool parts_fit(const grid *parts, const grid *windows, int64_t from, int64_t to) {
	int32_t seconds = span_seconds[parts->span];
	while (from < to) {
		zone_period theirs = zone_period_at(windows->zone, from), ours = zone_period_at(parts->zone, from);
		if ((theirs.offset - ours.offset) % seconds != 0)
			return false;
		if (theirs.start == from && from > -ZONE_EVER && !fits_at_change(parts, windows, from))
			return false;
		from = theirs.end < ours.end ? theirs.end : ours.end;
	}
	return true;
}
