/* The tokens of each model in each UTC month, exactly.
 *
 * Fields    /model, /tokens_in, /tokens_out
 * State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
 * Question  month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
 *           none            {"2025-03":{"gpt-4":{...}},...}
 * Config    none
 *
 * Tokens are numbers, or strings that read as JSON numbers, of up to 45 digits
 * before the point and 27 after it. An event is ignored when neither of its
 * token fields is such a number, or when its model cannot be part of a key; one
 * field that is not a number counts 0 beside one that is. A missing model or
 * null is kept under "". */

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
	MONTH_BYTES = 7,                /* 2025-03 */
	PREFIX_BYTES = MONTH_BYTES + 1, /* 2025-03/ */
	SCAN_PAGE = 1000,               /* keys; about 100 KB of totals */
	ANSWER_BYTES = 1 << 20,         /* the server takes no longer answer */
};

static const int64_t DAY_MICROSECONDS = 86400000000;

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT("/model\n/tokens_in\n/tokens_out"));
}

/* ---- Folding ---- */

/* False where the model cannot be part of a key. */
static bool take_model(const tally_slot *slot, tally_text *model) {
	*model = slot->text;
	if (slot->kind == TALLY_ARRAY || slot->kind == TALLY_OBJECT)
		return false;
	if (slot->kind == TALLY_MISSING || slot->kind == TALLY_NULL)
		model->len = 0;
	for (uint32_t i = 0; i < model->len; i++)
		if (model->at[i] == 0)
			return false;
	return model->len <= TALLY_KEY_BYTES - PREFIX_BYTES;
}

/* "2025-03/gpt-4"; false where the year has not four digits. */
static bool make_key(int64_t time, tally_text model, tally_text *key) {
	tally_date date = tally_date_of(tally_floor_divide(time, DAY_MICROSECONDS));
	if (date.year < 0 || date.year > 9999)
		return false;
	tally_out out = tally_out_new(PREFIX_BYTES + model.len);
	tally_put_padded(&out, (uint64_t)date.year, 4);
	tally_put_char(&out, '-');
	tally_put_padded(&out, date.month, 2);
	tally_put_char(&out, '/');
	tally_put(&out, model);
	*key = tally_out_text(&out);
	return true;
}

int32_t view_fold(const tally_event *event) {
	tally_decimal in, out, totals[TOTALS];
	tally_text model, key;
	bool counts_in = tally_count(&event->slot[TOKENS_IN], &in);
	bool counts_out = tally_count(&event->slot[TOKENS_OUT], &out);
	if (!counts_in && !counts_out)
		return TALLY_IGNORED;
	if (!take_model(&event->slot[MODEL], &model) || !make_key(event->time, model, &key))
		return TALLY_IGNORED;
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	if (!tally_add(&totals[TOTAL_IN], &in) || !tally_add(&totals[TOTAL_OUT], &out))
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	return TALLY_APPLIED;
}

/* ---- Answering ---- */

static bool is_month(tally_text text) {
	uint32_t year, month;
	return tally_take_digits(&text, 4, &year) && tally_take_char(&text, '-') &&
	       tally_take_digits(&text, 2, &month) && text.len == 0 && month >= 1 && month <= 12;
}

/* Reads month=2025-03; month->at stays 0 where all months are asked for. False
 * where the question was refused. */
static bool take_question(tally_text query, tally_text *month) {
	tally_text name, value;
	*month = (tally_text){0};
	while (tally_take_parameter(&query, &name, &value)) {
		if (!tally_equal(name, TALLY_TEXT("month"))) {
			tally_fail_shown(TALLY_TEXT("unknown parameter "), name, TALLY_TEXT(": this view knows month=2025-03"));
			return false;
		}
		if (!is_month(value)) {
			tally_fail_shown(TALLY_TEXT("month is "), value,
			                 TALLY_TEXT(", which is not a year and a month like 2025-03"));
			return false;
		}
		*month = value;
	}
	return true;
}

static void put_member(tally_out *out, bool first, tally_text name) {
	if (!first)
		tally_put_char(out, ',');
	tally_put_string(out, name);
	tally_put_char(out, ':');
}

int64_t view_query(tally_text query) {
	tally_text asked, key, value, month = {0};
	if (!take_question(query, &asked))
		return TALLY_FAILED;
	tally_out prefix = tally_out_new(PREFIX_BYTES), out = tally_out_new(4096);
	if (asked.at != 0) {
		tally_put(&prefix, asked);
		tally_put_char(&prefix, '/');
	}
	bool first = true; /* of its month */
	tally_put_char(&out, '{');
	tally_scan scan = {.prefix = tally_out_text(&prefix), .page = SCAN_PAGE};
	while (tally_scan_next(&scan, &key, &value)) {
		tally_text key_month = {key.at, MONTH_BYTES};
		tally_text model = {key.at + PREFIX_BYTES, key.len - PREFIX_BYTES};
		if (asked.at == 0 && (month.at == 0 || !tally_equal(month, key_month))) {
			if (month.at != 0)
				tally_put_char(&out, '}');
			put_member(&out, month.at == 0, key_month);
			tally_put_char(&out, '{');
			first = true;
			month = key_month;
		}
		put_member(&out, first, model);
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
