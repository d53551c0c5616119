/* The tokens of each model in each UTC month, exactly.
 *
 * Fields    /model, /tokens_in, /tokens_out
 * State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
 * Query     month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
 *           none            {"2025-03":{"gpt-4":{...}},...}
 *           uncounted       what is left out, by reason, in the same form; with month= too
 * Config    none
 *
 * Tokens are numbers, or strings that read as JSON numbers, of up to 45 digits
 * before the point and 27 after it. A missing model or null is kept under "". An
 * event without any tokens is ignored. What is in no total is counted by reason:
 *     "uncounted/2025-03/gpt-4": {"tokens_in_not_a_number":2,"last_sequence":17}
 * and the answer has ,"uncounted":2 at the end of the model's totals. */

#include "tally/tally.h"

/* The slots of an event, in the order of view_fields. */
enum {
	MODEL,
	TOKENS_IN,
	TOKENS_OUT,
};

/* The totals of a key, and the JSON around them in the state. */
enum {
	TOTAL_IN,
	TOTAL_OUT,
	TOTALS,
};

static const tally_text around[TOTALS + 1] = {
	TALLY_STATIC_TEXT("{\"tokens_in\":"),
	TALLY_STATIC_TEXT(",\"tokens_out\":"),
	TALLY_STATIC_TEXT("}"),
};

enum {
	PREFIX_BYTES = sizeof "2025-03/" - 1,
	MODEL_BYTES = TALLY_KEY_BYTES - PREFIX_BYTES,
	SCAN_PAGE = 1000,               /* keys; about 100 KB of totals */
	ANSWER_BYTES = 1 << 20,         /* the server takes no longer answer */
};

static const int64_t DAY_MICROSECONDS = 86400000000;

static const tally_text uncounted = TALLY_STATIC_TEXT("uncounted/"); /* begins the keys of what is left out */

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT("/model\n/tokens_in\n/tokens_out"));
}

/* ---- Folding ---- */

/* "2025-03/"; false, and only "/", where the year has not four digits. */
static bool put_month(tally_out *out, int64_t time) {
	tally_date date = tally_date_of(tally_floor_divide(time, DAY_MICROSECONDS));
	bool has_month = date.year >= 0 && date.year <= 9999;
	if (has_month) {
		tally_put_padded(out, (uint64_t)date.year, 4);
		tally_put_char(out, '-');
		tally_put_padded(out, date.month, 2);
	}
	tally_put_char(out, '/');
	return has_month;
}

/* Writes the model, if it is a name that the key has room for. */
static bool put_model(tally_out *key, const tally_slot *model, uint32_t most_bytes) {
	if (tally_name_fault(model, most_bytes).len > 0)
		return false;
	if (!tally_is_none(model))
		tally_put(key, model->text);
	return true;
}

static int32_t add(tally_text key, const tally_decimal *in, const tally_decimal *out) {
	tally_decimal totals[TOTALS];
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	if (!tally_add(&totals[TOTAL_IN], in) || !tally_add(&totals[TOTAL_OUT], out))
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	return TALLY_APPLIED;
}

int32_t view_fold(const tally_event *event) {
	const tally_slot *model = &event->slot[MODEL], *in_slot = &event->slot[TOKENS_IN], *out_slot = &event->slot[TOKENS_OUT];
	tally_decimal in, out; /* 0 if they are not counted */
	tally_reasons reasons = {0};
	bool counts_in = tally_count(in_slot, &in), counts_out = tally_count(out_slot, &out);
	if (tally_is_none(in_slot) && tally_is_none(out_slot))
		return TALLY_IGNORED;

	tally_out key = tally_out_new(TALLY_KEY_BYTES);
	if (!put_month(&key, event->time)) {
		tally_add_reason(&reasons, TALLY_TEXT(""), TALLY_TEXT("time_out_of_range"));
	} else if (!put_model(&key, model, MODEL_BYTES)) {
		tally_add_reason(&reasons, TALLY_TEXT("model"), tally_name_fault(model, MODEL_BYTES));
	} else {
		if ((counts_in || counts_out) && add(tally_out_text(&key), &in, &out) != TALLY_APPLIED)
			return TALLY_FAILED;
		if (!counts_in)
			tally_add_reason(&reasons, TALLY_TEXT("tokens_in"), tally_uncounted(in_slot));
		if (!counts_out)
			tally_add_reason(&reasons, TALLY_TEXT("tokens_out"), tally_uncounted(out_slot));
	}
	if (reasons.n == 0)
		return TALLY_APPLIED;

	/* A model that makes this key too long, or that is no name, is left out under "". */
	tally_out left_key = tally_out_new(TALLY_KEY_BYTES);
	tally_put(&left_key, uncounted);
	put_month(&left_key, event->time);
	put_model(&left_key, model, TALLY_KEY_BYTES - left_key.len);
	return tally_note_uncounted(tally_out_text(&left_key), event->sequence, &reasons);
}

/* ---- Queries ---- */

typedef struct {
	tally_text month; /* all where its `at` is 0 */
	bool uncounted;   /* what is left out is asked for, not the totals */
} month_query;

static bool is_month(tally_text text) {
	uint32_t year, month;
	return tally_take_digits(&text, 4, &year) && tally_take_char(&text, '-') &&
	       tally_take_digits(&text, 2, &month) && text.len == 0 && month >= 1 && month <= 12;
}

/* False if the query was refused. */
static bool take_query(tally_text query, month_query *q) {
	tally_text name, value;
	*q = (month_query){0};
	while (tally_take_parameter(&query, &name, &value)) {
		bool is_uncounted = tally_equal(name, TALLY_TEXT("uncounted"));
		if (!is_uncounted && !tally_equal(name, TALLY_TEXT("month"))) {
			tally_fail_shown(TALLY_TEXT("unknown parameter "), name,
			                 TALLY_TEXT(": this view knows month=2025-03 and uncounted"));
			return false;
		}
		if (is_uncounted ? q->uncounted : q->month.at != 0) {
			tally_fail_repeated(name);
			return false;
		}
		if (is_uncounted) {
			q->uncounted = true;
		} else if (is_month(value)) {
			q->month = value;
		} else {
			tally_fail_shown(TALLY_TEXT("month is "), value,
			                 TALLY_TEXT(", which is not a year and a month like 2025-03"));
			return false;
		}
	}
	return true;
}

/* ---- Answers ---- */

/* A walk over the totals, or over what is left out of them. */
typedef struct {
	tally_scan scan;
	bool has; /* there is an entry */
	tally_text key;
	tally_text place; /* "2025-03/gpt-4" */
	tally_text value;
} side;

static side begin(const month_query *q, tally_text start) {
	tally_out prefix = tally_out_new(start.len + PREFIX_BYTES);
	tally_put(&prefix, start);
	if (q->month.at != 0) {
		tally_put(&prefix, q->month);
		tally_put_char(&prefix, '/');
	}
	return (side){.scan = {.prefix = tally_out_text(&prefix), .page = SCAN_PAGE}};
}

static void next_left(side *left) {
	left->has = tally_scan_next(&left->scan, &left->key, &left->value);
	if (left->has)
		left->place = (tally_text){left->key.at + uncounted.len, left->key.len - uncounted.len};
}

/* What is left out comes after all totals. */
static void next_counted(side *counted) {
	counted->has = tally_scan_next(&counted->scan, &counted->key, &counted->value) && counted->key.at[0] != uncounted.at[0];
	counted->place = counted->key;
}

/* The answer as far as it is written. */
typedef struct {
	tally_out out;
	bool has_month;
	bool has_model;
	tally_text month; /* "" where times are out of range */
} answer;

static void put_member(tally_out *out, bool first, tally_text name) {
	if (!first)
		tally_put_char(out, ',');
	tally_put_string(out, name);
	tally_put_char(out, ':');
}

static void put_place(answer *answer, const month_query *q, tally_text place) {
	tally_text month = {place.at, 0};
	while (month.at[month.len] != '/')
		month.len++;
	if (q->month.at == 0 && (!answer->has_month || !tally_equal(answer->month, month))) {
		if (answer->has_month)
			tally_put_char(&answer->out, '}');
		put_member(&answer->out, !answer->has_month, month);
		tally_put_char(&answer->out, '{');
		answer->has_month = true;
		answer->has_model = false;
		answer->month = month;
	}
	put_member(&answer->out, !answer->has_model, (tally_text){place.at + month.len + 1, place.len - month.len - 1});
	answer->has_model = true;
}

int64_t view_query(tally_text query) {
	month_query q;
	uint64_t n;
	answer answer = {.out = tally_out_new(4096)};
	if (!take_query(query, &q))
		return TALLY_FAILED;
	side counted = begin(&q, TALLY_TEXT("")), left = begin(&q, uncounted);
	if (!q.uncounted)
		next_counted(&counted);
	next_left(&left);
	tally_put_char(&answer.out, '{');
	while (counted.has || left.has) {
		bool has_left = left.has && (!counted.has || !tally_less(counted.place, left.place));
		bool has_counted = counted.has && (!has_left || tally_equal(counted.place, left.place));
		put_place(&answer, &q, has_counted ? counted.place : left.place);
		tally_text totals = has_counted ? counted.value : TALLY_TEXT("{\"tokens_in\":0,\"tokens_out\":0}");
		if (has_left && !tally_sum_uncounted(left.value, &n))
			return tally_fail_totals(left.key);
		if (q.uncounted)
			tally_put(&answer.out, left.value);
		else if (has_left)
			tally_put_uncounted(&answer.out, totals, n);
		else
			tally_put(&answer.out, totals);
		if (answer.out.len > ANSWER_BYTES - 2) /* two braces to come */
			return tally_fail(TALLY_TEXT("the answer passes 1 MiB: ask for one month, or for one name where the view takes one, "
			                             "or read the view's state page by page"));
		if (has_counted)
			next_counted(&counted);
		if (has_left)
			next_left(&left);
	}
	if (answer.has_month)
		tally_put_char(&answer.out, '}');
	tally_put_char(&answer.out, '}');
	return tally_answer(tally_out_text(&answer.out));
}
