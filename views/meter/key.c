#include "key.h"
#include "number.h"

/* ---- Values ---- */

static bool stands_for_itself(char c) {
	return c != '/' && c != '~' && c != 0;
}

/* Whether one of a word's bytes does not stand for itself. */
static bool has_mark(uint64_t word) {
	const uint64_t every = 0x0101010101010101, top = 0x80 * every;
	uint64_t slash = word ^ '/' * every, tilde = word ^ '~' * every;
	return (((word - every) & ~word) | ((slash - every) & ~slash) | ((tilde - every) & ~tilde)) & top;
}

/* Whether all of a text stands for itself, as nearly every name does; by words, of which the last two may overlap. */
static bool is_plain(tally_text text) {
	uint64_t word = 0;
	if (text.len < sizeof word) {
		for (uint32_t i = 0; i < text.len; i++)
			if (!stands_for_itself(text.at[i]))
				return false;
		return true;
	}
	for (uint32_t i = 0; i + sizeof word < text.len; i += sizeof word) {
		__builtin_memcpy(&word, text.at + i, sizeof word);
		if (has_mark(word))
			return false;
	}
	__builtin_memcpy(&word, text.at + text.len - sizeof word, sizeof word);
	return !has_mark(word);
}

void put_string_value(tally_out *out, tally_text text) {
	uint32_t plain = 0;
	if (is_plain(text)) {
		tally_put(out, text);
		return;
	}
	while (plain < text.len && stands_for_itself(text.at[plain]))
		plain++;
	tally_put(out, (tally_text){text.at, plain});
	for (uint32_t i = plain; i < text.len; i++) {
		char c = text.at[i];
		if (!stands_for_itself(c)) {
			tally_put_char(out, '~');
			c = c == '~' ? '0' : c == '/' ? '1' : '2';
		}
		tally_put_char(out, c);
	}
}

bool put_number_value(tally_out *out, tally_text text) {
	uint32_t start = out->len;
	tally_put(out, TALLY_TEXT("~n"));
	if (put_number(out, text))
		return true;
	out->len = start;
	return false;
}

void put_no_value(tally_out *out) {
	tally_put_char(out, '~');
}

value_fault put_value(tally_out *out, const tally_slot *slot) {
	switch (slot->kind) {
	case TALLY_STRING:
		put_string_value(out, slot->text);
		return VALUE_GOOD;
	case TALLY_NUMBER:
		return put_number_value(out, slot->text) ? VALUE_GOOD : VALUE_VAST;
	case TALLY_TRUE:
		tally_put(out, TALLY_TEXT("~t"));
		return VALUE_GOOD;
	case TALLY_FALSE:
		tally_put(out, TALLY_TEXT("~f"));
		return VALUE_GOOD;
	case TALLY_ARRAY:
	case TALLY_OBJECT:
		return VALUE_NOT_TEXT;
	default:
		put_no_value(out);
		return VALUE_GOOD;
	}
}

static tally_text string_of(tally_text encoded) {
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

group_value value_of(tally_text encoded) {
	char mark = encoded.len > 1 && encoded.at[0] == '~' ? encoded.at[1] : 0;
	if (tally_equal(encoded, TALLY_TEXT("~")))
		return (group_value){.kind = TALLY_NULL};
	if (mark == 'n')
		return (group_value){TALLY_NUMBER, {encoded.at + 2, encoded.len - 2}};
	if (mark == 't' || mark == 'f')
		return (group_value){.kind = mark == 't' ? TALLY_TRUE : TALLY_FALSE};
	return (group_value){TALLY_STRING, string_of(encoded)};
}

bool take_value(tally_text *group, tally_text *encoded) {
	*encoded = (tally_text){group->at, 0};
	while (encoded->len < group->len && group->at[encoded->len] != '/')
		encoded->len++;
	if (encoded->len == group->len)
		return false;
	group->at += encoded->len + 1;
	group->len -= encoded->len + 1;
	return true;
}

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
	tally_put(&out, family);
	for (uint32_t i = 0; i < config->groups_len; i++) {
		trouble->field = config->groups[i].field;
		value_fault fault = put_value(&out, &event->slot[trouble->field]);
		if (fault != VALUE_GOOD) {
			trouble->reason = fault == VALUE_VAST ? TALLY_TEXT("group_exponent_too_long") : TALLY_TEXT("group_not_text");
			return false;
		}
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
