#include "key.h"

static bool stands_for_itself(char c) {
	return c != '/' && c != '~' && c != 0;
}

void put_group(tally_out *out, tally_text value) {
	if (value.at == 0) {
		tally_put_char(out, '~');
		return;
	}
	uint32_t plain = 0;
	while (plain < value.len && stands_for_itself(value.at[plain]))
		plain++;
	tally_put(out, (tally_text){value.at, plain});
	for (uint32_t i = plain; i < value.len; i++) {
		char c = value.at[i];
		if (!stands_for_itself(c)) {
			tally_put_char(out, '~');
			c = c == '~' ? '0' : c == '/' ? '1' : '2';
		}
		tally_put_char(out, c);
	}
}

tally_text group_value(tally_text encoded) {
	if (tally_equal(encoded, TALLY_TEXT("~")))
		return (tally_text){0};
	tally_out out = tally_out_new(encoded.len);
	for (uint32_t i = 0; i < encoded.len; i++) {
		char c = encoded.at[i];
		if (c == '~' && i + 1 < encoded.len) {
			i++;
			c = encoded.at[i] == '0' ? '~' : encoded.at[i] == '1' ? '/' : 0;
		}
		tally_put_char(&out, c);
	}
	return tally_out_text(&out);
}

/* Writes the part that holds a time; false where its year is not one that is
 * counted. The last part is remembered: most events follow one of it. */
static bool put_part(tally_out *out, const grid *parts, int64_t time) {
	static stretch part; /* holds no time at first */
	static char text[PART_BYTES];
	int64_t second = tally_floor_divide(time, MICROSECONDS);
	if (second < part.start || second >= part.end) {
		if (!is_countable(second))
			return false;
		part = window_at(parts, second);
		tally_out fresh = {text, 0, PART_BYTES};
		put_utc(&fresh, part.start);
	}
	tally_put(out, (tally_text){text, PART_BYTES});
	return true;
}

bool total_key(const configuration *config, const tally_event *event, tally_text *key, tally_text *place, trouble *trouble) {
	tally_text family = TALLY_TEXT("total/");
	tally_out out = tally_out_new(256);
	tally_put(&out, family);
	for (uint32_t i = 0; i < config->groups_len; i++) {
		int32_t field = config->groups[i].field;
		const tally_slot *slot = &event->slot[field];
		tally_text value = slot->text;
		trouble->field = field;
		if (slot->kind == TALLY_ARRAY || slot->kind == TALLY_OBJECT) {
			trouble->reason = TALLY_TEXT("group_not_text");
			return false;
		}
		if (slot->kind == TALLY_MISSING || slot->kind == TALLY_NULL)
			value.at = 0;
		else if (value.len == 0)
			value.at = ""; /* wherever an empty text is said to be, it is not missing */
		put_group(&out, value);
		tally_put_char(&out, '/');
		if (out.len > family.len + PLACE_BYTES - PART_BYTES) {
			trouble->reason = TALLY_TEXT("group_too_long");
			return false;
		}
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
