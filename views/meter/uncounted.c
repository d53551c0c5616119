/* The events that could not be counted, or not in full: how many for each
 * reason, all together and of each place, and the last of them. "uncounted" is
 *
 *     {"count":{"value_null":2},
 *      "last":[{"sequence":7,"time":"2025-03-01T10:05:30Z","reason":"value_null","field":"/tokens","found":"null"}]} */

#include "key.h"

enum {
	LAST_KEPT = 20, /* enough to see what is wrong; the events themselves are in the log */
	FOUND_BYTES = 60,
};

static const tally_text uncounted_key = TALLY_STATIC_TEXT("uncounted");
static const tally_text untimed_key = TALLY_STATIC_TEXT("untimed");
static const tally_text none_yet = TALLY_STATIC_TEXT("{\"count\":{},\"last\":[]}");

static tally_text read_uncounted(void) {
	tally_text value;
	return tally_get(uncounted_key, &value) ? value : none_yet;
}

/* The value of a member of an object; none if there is no such member. */
static tally_text member_of(tally_text object, tally_text wanted) {
	tally_text name, value;
	tally_members members = tally_object(object);
	while (tally_member_next(&members, &name, &value))
		if (tally_equal(name, wanted))
			return value;
	return (tally_text){0};
}

/* The beginning of what a field holds, in whole characters. */
static tally_text beginning(tally_text text) {
	if (text.len <= FOUND_BYTES)
		return text;
	text.len = FOUND_BYTES;
	while (text.len > 0 && ((unsigned char)text.at[text.len] & 0xC0) == 0x80)
		text.len--;
	return text;
}

static void put_entry(tally_out *out, const configuration *config, const tally_event *event, trouble trouble) {
	int64_t second = tally_floor_divide(event->time, MICROSECONDS);
	tally_put(out, TALLY_TEXT("{\"sequence\":"));
	tally_put_padded(out, (uint64_t)event->sequence, 1);
	if (is_countable(second)) {
		tally_put(out, TALLY_TEXT(",\"time\":\""));
		put_utc(out, second);
		tally_put_char(out, '"');
	}
	tally_put(out, TALLY_TEXT(",\"reason\":\""));
	tally_put(out, trouble.reason);
	tally_put_char(out, '"');
	if (trouble.field != NO_FIELD) {
		const tally_slot *slot = &event->slot[trouble.field];
		tally_put(out, TALLY_TEXT(",\"field\":"));
		tally_put_string(out, config->fields.at[trouble.field]);
		if (slot->kind != TALLY_MISSING) {
			tally_put(out, TALLY_TEXT(",\"found\":"));
			tally_put_string(out, beginning(slot->text));
		}
	}
	tally_put_char(out, '}');
}

static void put_count(tally_out *out, bool first, tally_text reason, const tally_decimal *count) {
	if (!first)
		tally_put_char(out, ',');
	tally_put_string(out, reason);
	tally_put_char(out, ':');
	tally_put_decimal(out, count);
}

/* Writes the counts with one more for the reason, in the order in which the
 * reasons were first met. */
static void put_counts(tally_out *out, tally_text counts, tally_text reason) {
	tally_text name, value;
	tally_decimal count, one;
	bool first = true, found = false;
	tally_set_decimal(&one, 1);
	tally_members members = tally_object(counts);
	while (tally_member_next(&members, &name, &value)) {
		tally_parse_input(value, &count);
		if (tally_equal(name, reason)) {
			tally_add(&count, &one);
			found = true;
		}
		put_count(out, first, name, &count);
		first = false;
	}
	if (!found)
		put_count(out, first, reason, &one);
}

/* Writes the entries but for the oldest where there is no room for another. */
static void put_kept(tally_out *out, tally_text last) {
	uint32_t n = 0;
	tally_text entry;
	tally_members entries = tally_array(last);
	while (tally_element_next(&entries, &entry))
		n++;
	entries = tally_array(last);
	while (tally_element_next(&entries, &entry))
		if (n-- < LAST_KEPT) {
			tally_put(out, entry);
			tally_put_char(out, ',');
		}
}

/* Counts it where a query for the group and the time finds it. */
static void count_at_place(const configuration *config, const tally_event *event, tally_text place, tally_text reason) {
	tally_out key = tally_out_new(64 + place.len), out = tally_out_new(256);
	tally_text before;
	tally_put(&key, place.len > 0 ? TALLY_TEXT("uncounted/") : TALLY_TEXT("ungrouped/"));
	tally_put(&key, place);
	if (place.len == 0 && !put_part(&key, &config->parts, event->time)) {
		key.len = 0;
		tally_put(&key, untimed_key);
	}
	if (!tally_get(tally_out_text(&key), &before))
		before = TALLY_TEXT("{}");
	tally_put_char(&out, '{');
	put_counts(&out, before, reason);
	tally_put_char(&out, '}');
	tally_set(tally_out_text(&key), tally_out_text(&out));
}

void note_uncounted(const configuration *config, const tally_event *event, tally_text place, trouble trouble) {
	tally_text before = read_uncounted();
	tally_out out = tally_out_new(before.len + 1024);
	tally_put(&out, TALLY_TEXT("{\"count\":{"));
	put_counts(&out, member_of(before, TALLY_TEXT("count")), trouble.reason);
	tally_put(&out, TALLY_TEXT("},\"last\":["));
	put_kept(&out, member_of(before, TALLY_TEXT("last")));
	put_entry(&out, config, event, trouble);
	tally_put(&out, TALLY_TEXT("]}"));
	tally_set(uncounted_key, tally_out_text(&out));
	count_at_place(config, event, place, trouble.reason);
}

uint64_t sum_of_counts(tally_text counts) {
	tally_text name, value;
	uint64_t sum = 0;
	uint32_t digit;
	tally_members members = tally_object(counts);
	while (tally_member_next(&members, &name, &value)) {
		uint64_t count = 0;
		while (tally_take_digits(&value, 1, &digit))
			count = count * 10 + digit;
		sum += count;
	}
	return sum;
}

uint64_t count_untimed(void) {
	tally_text value;
	return tally_get(untimed_key, &value) ? sum_of_counts(value) : 0;
}

int64_t answer_uncounted(void) {
	return tally_answer(read_uncounted());
}
