/* rate_check: requests and tokens of the last minutes, for a rate limit.
 *
 * Fields    /tokens_in, /tokens_out
 * State     "2025-03-01T10:05": {"requests":2,"tokens":570}
 * Question  time=2025-03-01T10:05:30Z&minutes=5, the minute that holds the time
 *           and the four before it:
 *           {"from":"2025-03-01T10:01:00Z","to":"2025-03-01T10:06:00Z",
 *            "requests":2,"tokens":570,
 *            "minutes":[{"minute":"2025-03-01T10:05:00Z","requests":2,"tokens":570}]}
 *           `to` is exclusive; minutes without requests are not listed.
 * Config    none
 *
 * Every event is one request, in the UTC minute of its time. Its tokens are
 * tokens_in and tokens_out, each a number or a string that reads as a JSON
 * number, of up to 18 digits before the point and 27 after it; anything else
 * counts 0. An event is ignored when its year does not have four digits. */

#include "../c/tally.h"

enum {
	TOKENS_IN,
	TOKENS_OUT,
};

enum {
	TOTAL_REQUESTS,
	TOTAL_TOKENS,
	TOTALS,
};

enum {
	MOST_MINUTES = 1440,  /* a day, which answers in about 100 KB */
	MOST_MINUTES_DIGITS = 4,
	DAY_MINUTES = 1440,
	HOUR_MINUTES = 60,
	MINUTE_BYTES = 16,    /* 2025-03-01T10:05 */
	SCAN_PAGE = 240,      /* keys; about 15 KB */
};

static const int64_t MINUTE_MICROSECONDS = 60000000;

/* Questions reach a day back and a minute ahead, and all that they name must
 * be written with years of four digits. */
static const int64_t FIRST_YEAR = 1, LAST_YEAR = 9998;

static const tally_text around[TOTALS + 1] = {
	TALLY_STATIC_TEXT("{\"requests\":"),
	TALLY_STATIC_TEXT(",\"tokens\":"),
	TALLY_STATIC_TEXT("}"),
};

/* Writes "2025-03-01T10:05" for a minute since 1970; false where its year has
 * not four digits. */
static bool put_minute(tally_out *out, int64_t minute) {
	int64_t day = tally_floor_divide(minute, DAY_MINUTES);
	uint32_t of_day = (uint32_t)(minute - day * DAY_MINUTES);
	tally_date date = tally_date_of(day);
	if (date.year < 0 || date.year > 9999)
		return false;
	tally_put_padded(out, (uint64_t)date.year, 4);
	tally_put_char(out, '-');
	tally_put_padded(out, date.month, 2);
	tally_put_char(out, '-');
	tally_put_padded(out, date.day, 2);
	tally_put_char(out, 'T');
	tally_put_padded(out, of_day / HOUR_MINUTES, 2);
	tally_put_char(out, ':');
	tally_put_padded(out, of_day % HOUR_MINUTES, 2);
	return true;
}

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT("/tokens_in\n/tokens_out"));
}

/* The key of the last minute is remembered: most events follow one of it. */
static bool minute_key(int64_t time, tally_text *key) {
	static int64_t minute_start, minute_end; /* no time is between them at first */
	static char bytes[MINUTE_BYTES];
	if (time < minute_start || time >= minute_end) {
		int64_t minute = tally_floor_divide(time, MINUTE_MICROSECONDS);
		tally_out out = {bytes, 0, MINUTE_BYTES};
		if (!put_minute(&out, minute))
			return false;
		minute_start = minute * MINUTE_MICROSECONDS;
		minute_end = minute_start + MINUTE_MICROSECONDS;
	}
	*key = (tally_text){bytes, MINUTE_BYTES};
	return true;
}

int32_t view_fold(const tally_event *event) {
	tally_decimal one, in, out, totals[TOTALS];
	tally_text key;
	if (!minute_key(event->time, &key))
		return TALLY_IGNORED;
	tally_set_decimal(&one, 1);
	tally_count(&event->slot[TOKENS_IN], &in);
	tally_count(&event->slot[TOKENS_OUT], &out);
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	if (!tally_add(&totals[TOTAL_REQUESTS], &one) || !tally_add(&totals[TOTAL_TOKENS], &in) ||
	    !tally_add(&totals[TOTAL_TOKENS], &out))
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	return TALLY_APPLIED;
}

/* The minutes asked for, since 1970; `to` is exclusive. */
typedef struct {
	int64_t from;
	int64_t to;
} window;

static bool take_minutes(tally_text text, uint32_t *minutes) {
	return text.len >= 1 && text.len <= MOST_MINUTES_DIGITS && tally_take_digits(&text, text.len, minutes) &&
	       *minutes >= 1 && *minutes <= MOST_MINUTES;
}

/* False where tally_fail has been called. */
static bool take_time(tally_text text, int64_t *minute) {
	int64_t time;
	if (!tally_parse_time(text, &time)) {
		tally_fail_shown(TALLY_TEXT("time is "), text,
		                 TALLY_TEXT(", which is not an RFC 3339 time like 2025-03-01T10:05:30Z or 2025-03-01T10:05:30+02:00"));
		return false;
	}
	*minute = tally_floor_divide(time, MINUTE_MICROSECONDS);
	int64_t year = tally_date_of(tally_floor_divide(*minute, DAY_MINUTES)).year;
	if (year < FIRST_YEAR || year > LAST_YEAR) {
		tally_fail_shown(TALLY_TEXT("time is "), text, TALLY_TEXT(", which is not within the years 0001 to 9998 of UTC"));
		return false;
	}
	return true;
}

/* False where tally_fail has been called. */
static bool take_window(tally_text query, window *asked) {
	uint32_t minutes = 1;
	bool has_time = false;
	int64_t last = 0;
	tally_text name, value;
	while (tally_take_parameter(&query, &name, &value)) {
		if (tally_equal(name, TALLY_TEXT("time"))) {
			if (!take_time(value, &last))
				return false;
			has_time = true;
		} else if (tally_equal(name, TALLY_TEXT("minutes"))) {
			if (!take_minutes(value, &minutes)) {
				tally_fail_shown(TALLY_TEXT("minutes is "), value, TALLY_TEXT(", which is not a whole number from 1 to 1440"));
				return false;
			}
		} else {
			tally_fail_shown(TALLY_TEXT("unknown parameter "), name,
			                 TALLY_TEXT(": this view knows time=2025-03-01T10:05:30Z and minutes=5"));
			return false;
		}
	}
	if (!has_time) {
		tally_fail(TALLY_TEXT("time is missing: ask with time=2025-03-01T10:05:30Z, and minutes=5 for the minutes before it too"));
		return false;
	}
	*asked = (window){.from = last - minutes + 1, .to = last + 1};
	return true;
}

static void put_totals(tally_out *out, const tally_decimal *totals) {
	tally_put(out, TALLY_TEXT(",\"requests\":"));
	tally_put_decimal(out, &totals[TOTAL_REQUESTS]);
	tally_put(out, TALLY_TEXT(",\"tokens\":"));
	tally_put_decimal(out, &totals[TOTAL_TOKENS]);
}

/* Reads the window's keys; lists them in *list and adds them up in `sums`. */
static bool list_minutes(window asked, tally_out *list, tally_decimal *sums) {
	tally_out after = tally_out_new(MINUTE_BYTES), end = tally_out_new(MINUTE_BYTES);
	tally_decimal totals[TOTALS];
	tally_text key, value;
	put_minute(&after, asked.from - 1);
	put_minute(&end, asked.to);
	tally_scan scan = {.after = tally_out_text(&after), .page = SCAN_PAGE};
	while (tally_scan_next(&scan, &key, &value) && tally_less(key, tally_out_text(&end))) {
		if (!tally_parse_totals(value, around, totals, TOTALS)) {
			tally_fail_totals(key);
			return false;
		}
		tally_put(list, list->len == 0 ? TALLY_TEXT("{\"minute\":\"") : TALLY_TEXT(",{\"minute\":\""));
		tally_put(list, key);
		tally_put(list, TALLY_TEXT(":00Z\""));
		put_totals(list, totals);
		tally_put_char(list, '}');
		for (int i = 0; i < TOTALS; i++)
			if (!tally_add(&sums[i], &totals[i])) {
				tally_fail_overflow(key);
				return false;
			}
	}
	return true;
}

int64_t view_query(tally_text query) {
	window asked;
	tally_decimal sums[TOTALS];
	for (int i = 0; i < TOTALS; i++)
		tally_set_decimal(&sums[i], 0);
	if (!take_window(query, &asked))
		return TALLY_FAILED;
	tally_out list = tally_out_new(4096), out = tally_out_new(4096);
	if (!list_minutes(asked, &list, sums))
		return TALLY_FAILED;
	tally_put(&out, TALLY_TEXT("{\"from\":\""));
	put_minute(&out, asked.from);
	tally_put(&out, TALLY_TEXT(":00Z\",\"to\":\""));
	put_minute(&out, asked.to);
	tally_put(&out, TALLY_TEXT(":00Z\""));
	put_totals(&out, sums);
	tally_put(&out, TALLY_TEXT(",\"minutes\":["));
	tally_put(&out, tally_out_text(&list));
	tally_put(&out, TALLY_TEXT("]}"));
	return tally_answer(tally_out_text(&out));
}
