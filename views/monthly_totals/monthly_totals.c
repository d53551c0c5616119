/* monthly_totals: the tokens of each model in each UTC month, exactly.
 *
 * Fields    /model, /tokens_in, /tokens_out
 * State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
 *           "uncounted/2025-03/gpt-4": {"tokens_in_not_a_number":2,"last_sequence":17}
 * Query     month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
 *                           with ,"uncounted":2 at the end where anything is left out
 *           none            {"2025-03":{"gpt-4":{...}},...}
 *           uncounted       {"2025-03":{"gpt-4":{"tokens_in_not_a_number":2,"last_sequence":17}},...},
 *                           with month= too
 * Config    none
 *
 * The month is that of the event's time. Tokens are numbers, or strings that
 * read as JSON numbers, of up to 45 digits before the point and 27 after it. A
 * missing model or null is kept under "". An event without tokens_in and
 * tokens_out, or with null for both, is ignored.
 *
 * What is in no total is counted, by reason:
 *   tokens_in_not_a_number, tokens_in_has_too_many_digits, the same of
 *       tokens_out: the field counts 0, the other one as it is;
 *   model_not_text (an array, an object), model_too_long (over 1,016 bytes),
 *       model_has_nul: the event, under the model "";
 *   time_out_of_range: the event, under the month "", where the year of its time
 *       has not four digits.
 * What is left out of a model of over 1,006 bytes is counted under the model "",
 * since its key would be too long. */

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

static const month_view view = {
	.name = MODEL,
	.tokens_in = TOKENS_IN,
	.tokens_out = TOKENS_OUT,
	.name_field = TALLY_STATIC_TEXT("model"),
	.no_totals = TALLY_STATIC_TEXT("{\"tokens_in\":0,\"tokens_out\":0}"),
};

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT("/model\n/tokens_in\n/tokens_out"));
}

static inline int32_t add(tally_text key, const tally_decimal *in, const tally_decimal *out) {
	tally_decimal totals[TOTALS];
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	if (!tally_add(&totals[TOTAL_IN], in) || !tally_add(&totals[TOTAL_OUT], out))
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	return TALLY_APPLIED;
}

/* The totals are added at one place, for the compiler to put all of it there. */
int32_t view_fold(const tally_event *event) {
	tally_decimal in, out;
	tally_text key;
	month_part part;
	bool counts_in = tally_count(&event->slot[TOKENS_IN], &in);
	bool counts_out = tally_count(&event->slot[TOKENS_OUT], &out);
	bool in_full = counts_in ? counts_out || tally_is_none(&event->slot[TOKENS_OUT]) : counts_out && tally_is_none(&event->slot[TOKENS_IN]);
	in_full = month_key(event->time, &event->slot[MODEL], &key) && in_full;
	if (!in_full && !month_take_part(&view, event, counts_in, counts_out, &part))
		return TALLY_IGNORED;
	if ((in_full || part.counts) && add(key, &in, &out) != TALLY_APPLIED)
		return TALLY_FAILED;
	return in_full ? TALLY_APPLIED : month_leave_out(event, &part);
}

int64_t view_query(tally_text query) {
	return month_query(&view, query);
}
