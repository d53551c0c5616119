/* rate_check: requests and tokens of the last minutes, for a rate limit.
 *
 * Fields    /tokens_in, /tokens_out
 * State     "2025-03-01T10:05": {"requests":2,"tokens":570}
 *           "uncounted/2025-03-01T10:05": {"tokens_in_not_a_number":1,"last_sequence":17}
 * Query     time=2025-03-01T10:05:30Z&minutes=5, the minute that holds the time
 *           and the four before it:
 *           {"from":"2025-03-01T10:01:00Z","to":"2025-03-01T10:06:00Z",
 *            "requests":2,"tokens":570,
 *            "minutes":[{"minute":"2025-03-01T10:05:00Z","requests":2,"tokens":570}]}
 *           `to` is exclusive; minutes without requests are not listed. Where
 *           anything is left out of them, "uncounted":1 follows the tokens, of a
 *           minute and of all.
 *           uncounted, alone or with a time and minutes:
 *           {"2025-03-01T10:05:00Z":{"tokens_in_not_a_number":1,"last_sequence":17}}
 * Config    none
 *
 * Every event is one request, in the UTC minute of its time. Its tokens are
 * tokens_in and tokens_out, each a number or a string that reads as a JSON
 * number, of up to 45 digits before the point and 27 after it. Anything else
 * counts 0, and is counted by reason, if it exists and not null:
 * tokens_in_not_a_number, tokens_in_has_too_many_digits, the same of tokens_out.
 * An event whose year has not four digits is no request of any minute, and counted
 * as time_out_of_range under the key "uncounted/". */

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
	ANSWER_BYTES = 1 << 20, /* docs/abi.md; the server traps beyond */
};

static const int64_t MINUTE_MICROSECONDS = 60000000;

static const tally_text uncounted = TALLY_STATIC_TEXT("uncounted/"); /* begins keys */

/* Queries reach a day back and a minute ahead, and all that they name must
 * be written with years of four digits. */
static const int64_t FIRST_YEAR = 1, LAST_YEAR = 9998;

static const tally_text around[TOTALS + 1] = {
	TALLY_STATIC_TEXT("{\"requests\":"),
	TALLY_STATIC_TEXT(",\"tokens\":"),
	TALLY_STATIC_TEXT("}"),
};

/* Writes "2025-03-01T10:05" for a minute since 1970; false if its year has
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

/* Counts what is left out of a minute, or all of the event where that is "". */
static __attribute__((noinline)) int32_t leave_out(const tally_event *event, bool counts_in, bool counts_out, tally_text minute) {
	tally_reasons reasons = {0};
	tally_out key = tally_out_new(uncounted.len + MINUTE_BYTES);
	tally_put(&key, uncounted);
	tally_put(&key, minute);
	if (minute.len == 0)
		tally_add_reason(&reasons, TALLY_TEXT(""), TALLY_TEXT("time_out_of_range"));
	if (minute.len > 0 && !counts_in)
		tally_add_reason(&reasons, TALLY_TEXT("tokens_in"), tally_uncounted(&event->slot[TOKENS_IN]));
	if (minute.len > 0 && !counts_out)
		tally_add_reason(&reasons, TALLY_TEXT("tokens_out"), tally_uncounted(&event->slot[TOKENS_OUT]));
	return tally_note_uncounted(tally_out_text(&key), event->sequence, &reasons);
}

int32_t view_fold(const tally_event *event) {
	tally_decimal one, in, out, totals[TOTALS];
	tally_text key;
	if (!minute_key(event->time, &key))
		return leave_out(event, false, false, TALLY_TEXT(""));
	tally_set_decimal(&one, 1);
	bool counts_in = tally_count(&event->slot[TOKENS_IN], &in);
	bool counts_out = tally_count(&event->slot[TOKENS_OUT], &out);
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	if (!tally_add(&totals[TOTAL_REQUESTS], &one) || !tally_add(&totals[TOTAL_TOKENS], &in) ||
	    !tally_add(&totals[TOTAL_TOKENS], &out))
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	bool in_full = (counts_in || tally_is_none(&event->slot[TOKENS_IN])) && (counts_out || tally_is_none(&event->slot[TOKENS_OUT]));
	return in_full ? TALLY_APPLIED : leave_out(event, counts_in, counts_out, key);
}

/* ---- Queries ---- */

/* The minutes asked for, since 1970; `to` is exclusive. */
typedef struct {
	bool all; /* no time was given, which only `uncounted` allows */
	bool uncounted;
	int64_t from;
	int64_t to;
} window;

static bool take_minutes(tally_text text, uint32_t *minutes) {
	return text.len >= 1 && text.len <= MOST_MINUTES_DIGITS && tally_take_digits(&text, text.len, minutes) &&
	       *minutes >= 1 && *minutes <= MOST_MINUTES;
}

/* False if tally_fail has been called. */
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

/* False if tally_fail has been called. */
static bool take_window(tally_text query, window *asked) {
	uint32_t minutes = 1;
	bool has_time = false, has_minutes = false;
	int64_t last = 0;
	tally_text name, value;
	*asked = (window){0};
	while (tally_take_parameter(&query, &name, &value)) {
		bool is_time = tally_equal(name, TALLY_TEXT("time")), is_minutes = tally_equal(name, TALLY_TEXT("minutes"));
		if (!is_time && !is_minutes && !tally_equal(name, TALLY_TEXT("uncounted"))) {
			tally_fail_shown(TALLY_TEXT("unknown parameter "), name,
			                 TALLY_TEXT(": this view knows time=2025-03-01T10:05:30Z, minutes=5 and uncounted"));
			return false;
		}
		bool *has = is_time ? &has_time : is_minutes ? &has_minutes : &asked->uncounted;
		if (*has)
			return tally_fail_repeated(name) == TALLY_APPLIED;
		*has = true;
		if (is_time && !take_time(value, &last))
			return false;
		if (is_minutes && !take_minutes(value, &minutes)) {
			tally_fail_shown(TALLY_TEXT("minutes is "), value, TALLY_TEXT(", which is not a whole number from 1 to 1440"));
			return false;
		}
	}
	asked->all = asked->uncounted && !has_time && !has_minutes;
	if (!has_time && !asked->all) {
		tally_fail(TALLY_TEXT("time is missing: ask with time=2025-03-01T10:05:30Z, and minutes=5 for the minutes before it too"));
		return false;
	}
	asked->from = last - minutes + 1;
	asked->to = last + 1;
	return true;
}

/* ---- Answers ---- */

/* A walk over the keys of a window, of totals or of what is left out of them. */
typedef struct {
	tally_scan scan;
	tally_text start; /* of the keys: empty, or "uncounted/" */
	tally_text end;   /* of the walk, exclusive; none if it is empty */
	bool has;         /* there is an entry */
	tally_text key;
	tally_text minute;
	tally_text value;
} side;

static tally_text key_of(tally_text start, int64_t minute) {
	tally_out out = tally_out_new(start.len + MINUTE_BYTES);
	tally_put(&out, start);
	put_minute(&out, minute);
	return tally_out_text(&out);
}

static void next_entry(side *side) {
	side->has = tally_scan_next(&side->scan, &side->key, &side->value) && (side->end.len == 0 || tally_less(side->key, side->end));
	if (side->has)
		side->minute = (tally_text){side->key.at + side->start.len, side->key.len - side->start.len};
}

static side side_of(const window *asked, tally_text start) {
	side side = {.scan = {.prefix = start, .page = SCAN_PAGE}, .start = start};
	if (!asked->all) {
		side.scan.after = key_of(start, asked->from - 1);
		side.end = key_of(start, asked->to);
	}
	next_entry(&side);
	return side;
}

static bool read_left_out(const side *left, uint64_t *n) {
	if (tally_sum_uncounted(left->value, n))
		return true;
	tally_fail_totals(left->key);
	return false;
}

static void put_totals(tally_out *out, const tally_decimal *totals, uint64_t left_out) {
	tally_put(out, TALLY_TEXT(",\"requests\":"));
	tally_put_decimal(out, &totals[TOTAL_REQUESTS]);
	tally_put(out, TALLY_TEXT(",\"tokens\":"));
	tally_put_decimal(out, &totals[TOTAL_TOKENS]);
	if (left_out > 0) {
		tally_put(out, TALLY_TEXT(",\"uncounted\":"));
		tally_put_padded(out, left_out, 1);
	}
}

/* Reads the window's keys; lists them in *list and adds them up in `sums` and
 * *all_left_out. Whatever is left out of a minute is so of a request in it. */
static bool list_minutes(const window *asked, tally_out *list, tally_decimal *sums, uint64_t *all_left_out) {
	tally_decimal totals[TOTALS];
	side left = side_of(asked, uncounted);
	for (side counted = side_of(asked, TALLY_TEXT("")); counted.has; next_entry(&counted)) {
		uint64_t left_out = 0;
		if (!tally_parse_totals(counted.value, around, totals, TOTALS)) {
			tally_fail_totals(counted.key);
			return false;
		}
		if (left.has && tally_equal(left.minute, counted.minute)) {
			if (!read_left_out(&left, &left_out))
				return false;
			next_entry(&left);
		}
		tally_put(list, list->len == 0 ? TALLY_TEXT("{\"minute\":\"") : TALLY_TEXT(",{\"minute\":\""));
		tally_put(list, counted.key);
		tally_put(list, TALLY_TEXT(":00Z\""));
		put_totals(list, totals, left_out);
		tally_put_char(list, '}');
		*all_left_out += left_out;
		for (int i = 0; i < TOTALS; i++)
			if (!tally_add(&sums[i], &totals[i])) {
				tally_fail_overflow(counted.key);
				return false;
			}
	}
	return true;
}

/* {"2025-03-01T10:05:00Z":{"tokens_in_not_a_number":1,"last_sequence":17},...};
 * a time that is out of range has no minute. */
static int64_t answer_uncounted(const window *asked) {
	uint64_t n;
	tally_out out = tally_out_new(4096);
	for (side left = side_of(asked, uncounted); left.has; next_entry(&left)) {
		if (!read_left_out(&left, &n))
			return TALLY_FAILED;
		tally_put(&out, out.len == 0 ? TALLY_TEXT("{\"") : TALLY_TEXT(",\""));
		tally_put(&out, left.minute);
		tally_put(&out, left.minute.len == 0 ? TALLY_TEXT("\":") : TALLY_TEXT(":00Z\":"));
		tally_put(&out, left.value);
		if (out.len > ANSWER_BYTES - 2) /* two braces to come */
			return tally_fail(TALLY_TEXT("the answer passes 1 MiB: ask with a time and minutes, or read the view's state page by page"));
	}
	if (out.len == 0)
		tally_put_char(&out, '{');
	tally_put_char(&out, '}');
	return tally_answer(tally_out_text(&out));
}

int64_t view_query(tally_text query) {
	window asked;
	tally_decimal sums[TOTALS];
	uint64_t left_out = 0;
	for (int i = 0; i < TOTALS; i++)
		tally_set_decimal(&sums[i], 0);
	if (!take_window(query, &asked))
		return TALLY_FAILED;
	if (asked.uncounted)
		return answer_uncounted(&asked);
	tally_out list = tally_out_new(4096), out = tally_out_new(4096);
	if (!list_minutes(&asked, &list, sums, &left_out))
		return TALLY_FAILED;
	tally_put(&out, TALLY_TEXT("{\"from\":\""));
	put_minute(&out, asked.from);
	tally_put(&out, TALLY_TEXT(":00Z\",\"to\":\""));
	put_minute(&out, asked.to);
	tally_put(&out, TALLY_TEXT(":00Z\""));
	put_totals(&out, sums, left_out);
	tally_put(&out, TALLY_TEXT(",\"minutes\":["));
	tally_put(&out, tally_out_text(&list));
	tally_put(&out, TALLY_TEXT("]}"));
	return tally_answer(tally_out_text(&out));
}
