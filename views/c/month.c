#include "month.h"

enum {
	MONTH_BYTES = 7,                  /* 2025-03 */
	PREFIX_BYTES = MONTH_BYTES + 1,   /* 2025-03/ */
	NAME_BYTES = TALLY_KEY_BYTES - PREFIX_BYTES,
	SCAN_PAGE = 1000,                 /* keys; about 100 KB of totals */
	ANSWER_BYTES = 1 << 20,           /* docs/abi.md; the server traps beyond */
};

static const int64_t DAY_MICROSECONDS = 86400000000;

static bool may_be_name(tally_text name) {
	if (name.len > NAME_BYTES)
		return false;
	for (uint32_t i = 0; i < name.len; i++)
		if (name.at[i] == 0)
			return false;
	return true;
}

/* Writes "2025-03/" for a time; false where its year has not four digits. The
 * last day's prefix is remembered, since most events follow one of their day. */
static bool put_prefix(tally_out *out, int64_t time) {
	static int64_t day_start, day_end; /* no time is between them at first */
	static char prefix[PREFIX_BYTES];
	if (time < day_start || time >= day_end) {
		int64_t day = tally_floor_divide(time, DAY_MICROSECONDS);
		tally_date date = tally_date_of(day);
		if (date.year < 0 || date.year > 9999)
			return false;
		tally_out fresh = {prefix, 0, PREFIX_BYTES};
		tally_put_padded(&fresh, (uint64_t)date.year, 4);
		tally_put_char(&fresh, '-');
		tally_put_padded(&fresh, date.month, 2);
		tally_put_char(&fresh, '/');
		day_start = day * DAY_MICROSECONDS;
		day_end = day_start + DAY_MICROSECONDS;
	}
	tally_put(out, (tally_text){prefix, PREFIX_BYTES});
	return true;
}

bool month_key(int64_t time, const tally_slot *slot, tally_text *key) {
	tally_text name = slot->text;
	if (slot->kind == TALLY_ARRAY || slot->kind == TALLY_OBJECT)
		return false;
	if (slot->kind == TALLY_MISSING || slot->kind == TALLY_NULL)
		name.len = 0;
	if (!may_be_name(name))
		return false;
	tally_out out = tally_out_new(PREFIX_BYTES + name.len);
	if (!put_prefix(&out, time))
		return false;
	tally_put(&out, name);
	*key = tally_out_text(&out);
	return true;
}

static bool is_month(tally_text text) {
	uint32_t year, month;
	return tally_take_digits(&text, 4, &year) && tally_take_char(&text, '-') &&
	       tally_take_digits(&text, 2, &month) && text.len == 0 && month >= 1 && month <= 12;
}

static bool refuse_parameter(tally_text name, tally_text name_parameter) {
	tally_out out = tally_out_new(256);
	tally_put(&out, TALLY_TEXT("unknown parameter "));
	tally_put_shown(&out, name);
	tally_put(&out, TALLY_TEXT(": this view knows month=2025-03"));
	if (name_parameter.len > 0) {
		tally_put(&out, TALLY_TEXT(" and "));
		tally_put(&out, name_parameter);
		tally_put(&out, TALLY_TEXT("=<name>"));
	}
	tally_fail(tally_out_text(&out));
	return false;
}

bool month_take_question(tally_text query, tally_text name_parameter, month_question *question) {
	tally_text name, value;
	*question = (month_question){0};
	while (tally_take_parameter(&query, &name, &value)) {
		if (tally_equal(name, TALLY_TEXT("month"))) {
			if (!is_month(value)) {
				tally_fail_shown(TALLY_TEXT("month is "), value,
				                 TALLY_TEXT(", which is not a year and a month like 2025-03"));
				return false;
			}
			question->month = value;
		} else if (name_parameter.len > 0 && tally_equal(name, name_parameter)) {
			question->name = value;
		} else {
			return refuse_parameter(name, name_parameter);
		}
	}
	return true;
}

static void put_member(tally_out *out, bool first, tally_text name) {
	if (!first)
		tally_put_char(out, ',');
	tally_put_string(out, name);
	tally_put_char(out, ':');
}

static int64_t answer_one(const month_question *question) {
	tally_out key = tally_out_new(TALLY_KEY_BYTES), out = tally_out_new(4096);
	tally_text value;
	tally_put_char(&out, '{');
	/* A name that no key can hold was never counted. */
	if (may_be_name(question->name) && tally_is_utf8(question->name)) {
		tally_put(&key, question->month);
		tally_put_char(&key, '/');
		tally_put(&key, question->name);
		if (tally_get(tally_out_text(&key), &value)) {
			put_member(&out, true, question->name);
			tally_put(&out, value);
		}
	}
	tally_put_char(&out, '}');
	return tally_answer(tally_out_text(&out));
}

static int64_t answer_many(const month_question *question) {
	bool by_month = question->month.at == 0, first = true;
	tally_out prefix = tally_out_new(PREFIX_BYTES), out = tally_out_new(4096);
	tally_text month = {0}, key, value;
	if (!by_month) {
		tally_put(&prefix, question->month);
		tally_put_char(&prefix, '/');
	}
	tally_put_char(&out, '{');
	tally_scan scan = {.prefix = tally_out_text(&prefix), .page = SCAN_PAGE};
	while (tally_scan_next(&scan, &key, &value)) {
		tally_text key_month = {key.at, MONTH_BYTES};
		tally_text name = {key.at + PREFIX_BYTES, key.len - PREFIX_BYTES};
		if (question->name.at != 0 && !tally_equal(name, question->name))
			continue;
		if (by_month && (month.at == 0 || !tally_equal(month, key_month))) {
			if (month.at != 0)
				tally_put_char(&out, '}');
			put_member(&out, month.at == 0, key_month);
			tally_put_char(&out, '{');
			first = true;
			month = key_month;
		}
		put_member(&out, first, name);
		tally_put(&out, value);
		first = false;
		if (out.len > ANSWER_BYTES - 2) /* two braces to come */
			return tally_fail(TALLY_TEXT("the answer passes 1 MiB: ask for one month, or for one name where the view takes one, "
			                             "or read the view's state page by page"));
	}
	if (month.at != 0)
		tally_put_char(&out, '}');
	tally_put_char(&out, '}');
	return tally_answer(tally_out_text(&out));
}

int64_t month_answer(const month_question *question) {
	if (question->month.at != 0 && question->name.at != 0)
		return answer_one(question);
	return answer_many(question);
}
