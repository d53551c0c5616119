#include "key.h"

/* ---- Keys ---- */

/* The last part is remembered: most events follow one of it. */
bool put_part(tally_out *out, const grid *parts, int64_t time) {
	static int64_t from, until; /* in microseconds; no time is between them at first */
	static char text[PART_BYTES];
	if (time < from || time >= until) {
		int64_t second = tally_floor_divide(time, MICROSECONDS);
		if (!is_countable(second))
			return false;
		stretch part = window_at(parts, second);
		from = part.start * MICROSECONDS;
		until = part.end * MICROSECONDS;
		tally_out fresh = {text, 0, PART_BYTES};
		put_utc(&fresh, part.start);
	}
	tally_put(out, (tally_text){text, PART_BYTES});
	return true;
}

bool total_key(const configuration *config, const tally_event *event, tally_text *key, tally_text *place, trouble *trouble) {
	tally_text family = TALLY_TEXT("total/");
	tally_out out = tally_out_new(256);
	group_fault fault;
	tally_put(&out, family);
	if (!put_groups(&out, &config->groups, event, PLACE_BYTES - PART_BYTES, &fault)) {
		*trouble = (struct trouble){fault.reason, fault.field};
		return false;
	}
	if (!put_part(&out, &config->parts, event->time)) {
		*trouble = (struct trouble){TALLY_TEXT("time_out_of_range"), NO_FIELD};
		return false;
	}
	*key = tally_out_text(&out);
	*place = (tally_text){key->at + family.len, key->len - family.len};
	return true;
}

tally_text key_of(tally_text family, tally_text place, tally_text rest) {
	tally_out out = tally_out_new(family.len + place.len + 1 + rest.len);
	tally_put(&out, family);
	tally_put(&out, place);
	tally_put_char(&out, '/');
	tally_put(&out, rest);
	return tally_out_text(&out);
}

static int32_t two_digits(const char *at) {
	return (at[0] - '0') * 10 + at[1] - '0';
}

/* The last day is remembered: parts come in order. What follows the day is as
 * put_utc writes it, for this view alone writes keys. */
bool take_part(tally_text text, int64_t *start) {
	enum { DAY_BYTES = 10, HOUR_AT = 11, MINUTE_AT = 14, SECOND_AT = 17 };
	static char day[DAY_BYTES];
	static int64_t midnight;
	int64_t time;
	if (text.len < PART_BYTES)
		return false;
	if (!tally_equal((tally_text){text.at, DAY_BYTES}, (tally_text){day, DAY_BYTES})) {
		if (!tally_parse_time((tally_text){text.at, PART_BYTES}, &time))
			return false;
		__builtin_memcpy(day, text.at, DAY_BYTES);
		midnight = tally_floor_divide(tally_floor_divide(time, MICROSECONDS), DAY_SECONDS) * DAY_SECONDS;
	}
	*start = midnight + two_digits(text.at + HOUR_AT) * HOUR_SECONDS + two_digits(text.at + MINUTE_AT) * MINUTE_SECONDS +
	         two_digits(text.at + SECOND_AT);
	return true;
}
