/* monthly_totals: the tokens of each model in each UTC month, exactly.
 *
 * Fields    /model, /tokens_in, /tokens_out
 * State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
 * Question  month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
 *           none            {"2025-03":{"gpt-4":{...}},...}
 * Config    none
 *
 * The month is that of the event's time. Tokens are numbers, or strings that
 * read as JSON numbers, of up to 18 digits before the point and 27 after it.
 * An event is ignored when neither of its token fields is such a number, or
 * when its model cannot be part of a key (an array, an object, over 1,016
 * bytes, with NUL); one field that is not a number counts 0 beside one that
 * is. A missing model or null is kept under "". */

#include "../c/month.h"

enum {
	MODEL,
	TOKENS_IN,
	TOKENS_OUT,
};

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

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT("/model\n/tokens_in\n/tokens_out"));
}

int32_t view_fold(const tally_event *event) {
	tally_decimal in, out, totals[TOTALS];
	tally_text key;
	bool counts_in = tally_count(&event->slot[TOKENS_IN], &in);
	bool counts_out = tally_count(&event->slot[TOKENS_OUT], &out);
	if ((!counts_in && !counts_out) || !month_key(event->time, &event->slot[MODEL], &key))
		return TALLY_IGNORED;
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	if (!tally_add(&totals[TOTAL_IN], &in) || !tally_add(&totals[TOTAL_OUT], &out))
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	return TALLY_APPLIED;
}

int64_t view_query(tally_text query) {
	month_question question;
	if (!month_take_question(query, TALLY_TEXT(""), &question))
		return TALLY_FAILED;
	return month_answer(&question);
}
