#include "zone.h"

int64_t floor_remainder(int64_t n, int64_t by) {
	int64_t rest = n % by;
	return rest < 0 ? rest + by : rest;
}

bool is_countable(int64_t time) {
	enum { FIRST_YEAR = 1, LAST_YEAR = 9998 };
	int64_t year = tally_date_of(tally_floor_divide(time, DAY_SECONDS)).year;
	return year >= FIRST_YEAR && year <= LAST_YEAR;
}

static tally_text name_of(uint32_t i) {
	tally_text name = {zone_names[i].name, 0};
	while (name.at[name.len] != 0)
		name.len++;
	return name;
}

const zone_entry *zone_find(tally_text name) {
	uint32_t low = 0, high = zone_names_len;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (tally_equal(name_of(middle), name))
			return &zone_entries[zone_names[middle].entry];
		if (tally_less(name_of(middle), name))
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* The moment of a rule's change in a year. */
static int64_t moment_of(const zone_change *change, int64_t year) {
	tally_date first = {year, change->month, 1};
	tally_date next = {year + (change->month == 12), change->month % 12 + 1, 1};
	int64_t day = tally_days_of(first);
	/* 1970-01-01 was a Thursday, day 4 where Sunday is 0. */
	day += floor_remainder(change->day - (day + 4), 7) + 7 * (change->week - 1);
	if (change->week == ZONE_LAST_WEEK && day >= tally_days_of(next))
		day -= 7;
	return day * DAY_SECONDS + change->seconds;
}

/* Narrows the period after a zone's last transition by its yearly rule. */
static void apply_rule(const zone_rule *rule, int64_t time, zone_period *period) {
	int64_t last = period->start, year = tally_date_of(tally_floor_divide(time, DAY_SECONDS)).year;
	for (int64_t y = year - 1; y <= year + 1; y++)
		for (int i = 0; i < ZONE_CHANGES; i++) {
			int64_t moment = moment_of(&rule->change[i], y);
			if (moment <= last)
				continue;
			if (moment > time && moment < period->end)
				period->end = moment;
			if (moment <= time && moment > period->start) {
				period->start = moment;
				period->offset = zone_offsets[rule->change[i].offset_after];
			}
		}
}

zone_period zone_period_at(const zone_entry *zone, int64_t time) {
	const uint32_t *transitions = zone_transitions + zone->first;
	uint32_t low = 0, high = zone->len;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (transitions[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	uint8_t offset = low == 0 ? zone->first_offset : zone_transition_offsets[zone->first + low - 1];
	zone_period period = {
		.start = low == 0 ? -ZONE_EVER : transitions[low - 1],
		.end = low == zone->len ? ZONE_EVER : transitions[low],
		.offset = zone_offsets[offset],
	};
	if (low == zone->len && zone->rule != ZONE_NO_RULE)
		apply_rule(&zone_rules[zone->rule], time, &period);
	return period;
}

/* ---- Writing ---- */

static void put_clock(tally_out *out, int64_t local) {
	int64_t day = tally_floor_divide(local, DAY_SECONDS);
	uint32_t of_day = (uint32_t)(local - day * DAY_SECONDS);
	tally_date date = tally_date_of(day);
	tally_put_padded(out, (uint64_t)date.year, 4);
	tally_put_char(out, '-');
	tally_put_padded(out, date.month, 2);
	tally_put_char(out, '-');
	tally_put_padded(out, date.day, 2);
	tally_put_char(out, 'T');
	tally_put_padded(out, of_day / HOUR_SECONDS, 2);
	tally_put_char(out, ':');
	tally_put_padded(out, of_day / MINUTE_SECONDS % 60, 2);
	tally_put_char(out, ':');
	tally_put_padded(out, of_day % 60, 2);
}

void put_utc(tally_out *out, int64_t time) {
	put_clock(out, time);
	tally_put_char(out, 'Z');
}

void put_time(tally_out *out, const zone_entry *zone, int64_t time) {
	int32_t offset = zone_period_at(zone, time).offset;
	uint32_t away = (uint32_t)(offset < 0 ? -offset : offset) / MINUTE_SECONDS;
	if (offset % MINUTE_SECONDS != 0 || zone == zone_find(TALLY_TEXT("UTC"))) {
		put_utc(out, time);
		return;
	}
	put_clock(out, time + offset);
	tally_put_char(out, offset < 0 ? '-' : '+');
	tally_put_padded(out, away / 60, 2);
	tally_put_char(out, ':');
	tally_put_padded(out, away % 60, 2);
}
