/* guarded: a view for tests that counts units up to a limit, which its guard keeps.
 *
 * Fields    /units, a whole number (1 if it is missing), /guard and /fold
 * Event     {"units":3,"guard":"mark","fold":"trap"}
 *               guard   what the guard does instead of comparing with the limit:
 *                       "trap", "fail", "spin" (until its gas is used up), "403" (refuses
 *                       so), "429" (refuses for 30 seconds); "mark" has it answer an event
 *                       that it admits; "dirty" leaves something behind that makes folds trap
 *               fold    "trap"
 * State     used  the units so far
 * Question  any: {"used":3}
 * Config    the limit, a whole number in an object of one member: {"limit":10}; none without
 * Refusal   402 {"used":10,"limit":10,"sequence":11} */

#include "../../../views/c/tally.h"

static const tally_text used_key = {"used", 4};
static bool dirty;

static uint64_t number(tally_text text) {
	uint64_t n = 0;
	for (uint32_t i = 0; i < text.len; i++)
		if (text.at[i] >= '0' && text.at[i] <= '9')
			n = n * 10 + (uint64_t)(text.at[i] - '0');
	return n;
}

static uint64_t used_units(void) {
	tally_text value;
	return tally_get(used_key, &value) ? number(value) : 0;
}

static uint64_t units(const tally_event *event) { return event->slot[0].kind == TALLY_NUMBER ? number(event->slot[0].text) : 1; }

static bool asks(const tally_slot *slot, tally_text word) { return slot->kind == TALLY_STRING && tally_equal(slot->text, word); }

static tally_text members(uint64_t used, uint64_t limit, uint64_t sequence) {
	tally_out out = tally_out_new(128);
	tally_put(&out, TALLY_TEXT("{\"used\":"));
	tally_put_padded(&out, used, 1);
	if (sequence > 0) {
		tally_put(&out, TALLY_TEXT(",\"limit\":"));
		tally_put_padded(&out, limit, 1);
		tally_put(&out, TALLY_TEXT(",\"sequence\":"));
		tally_put_padded(&out, sequence, 1);
	}
	tally_put(&out, TALLY_TEXT("}"));
	return tally_out_text(&out);
}

int64_t view_fields(void) { return tally_answer(TALLY_TEXT("/units\n/guard\n/fold")); }

static int32_t view_guard(const tally_event *event) {
	const tally_slot *script = &event->slot[1];
	if (asks(script, TALLY_TEXT("trap")))
		__builtin_trap();
	if (asks(script, TALLY_TEXT("fail")))
		return tally_fail(TALLY_TEXT("the guard was told to fail"));
	while (asks(script, TALLY_TEXT("spin")))
		__asm__ volatile("");
	if (asks(script, TALLY_TEXT("403")))
		return TALLY_FORBIDDEN;
	if (asks(script, TALLY_TEXT("429"))) {
		tally_retry_after(30);
		return TALLY_TOO_MANY_REQUESTS;
	}
	dirty = asks(script, TALLY_TEXT("dirty"));
	uint64_t used = used_units(), limit = number(tally_config());
	if (limit > 0 && used + units(event) > limit) {
		tally_guard_answer(members(used, limit, (uint64_t)event->sequence));
		return TALLY_PAYMENT_REQUIRED;
	}
	if (asks(script, TALLY_TEXT("mark")))
		tally_guard_answer(members(used + units(event), limit, (uint64_t)event->sequence));
	return TALLY_ADMITTED;
}
TALLY_GUARD(view_guard)

int32_t view_fold(const tally_event *event) {
	if (dirty || asks(&event->slot[2], TALLY_TEXT("trap")))
		__builtin_trap();
	tally_out out = tally_out_new(32);
	tally_put_padded(&out, used_units() + units(event), 1);
	tally_set(used_key, tally_out_text(&out));
	return TALLY_APPLIED;
}

int64_t view_query(tally_text query) {
	(void)query;
	return tally_answer(members(used_units(), 0, 0));
}
