/* forgetful: views for tests that keep something outside of their state, in the way that their configuration names. Each gives
 * other results when its events come in other batches, or after a restart.
 *
 * Fields    /name
 * State     "NAME": a number
 * Question  any; the answer is true
 * Config    {"keeps":"nothing"}  counts each name in its state: what a view should do
 *           "mixed"              nothing: its names say in one letter how the rest of them is read and written
 *           "memory"             counts each event in a variable
 *           "address"            writes the address of what it was given
 *           "place"              writes where the event is, which differs where many come in one call
 *           "cache"              writes the sequence of the first event that it was given
 *           "refusal"            fails over every tenth event since it began
 *           "ignorance"          ignores every second event since it began
 *           "real"               counts in memory the events named "only here"
 *           "room"               takes a mebibyte for each event and never gives it back
 *           "work"               does more for each event than for the one before */

#include "../../../views/c/tally.h"

static uint32_t events, cached;

static const tally_text around[] = {TALLY_STATIC_TEXT("{\"n\":"), TALLY_STATIC_TEXT("}")};
static const tally_text other[] = {TALLY_STATIC_TEXT("{\"n\":"), TALLY_STATIC_TEXT("}")}; /* the same at another place */

static bool keeps(const char *what, uint32_t len) {
	tally_text config = tally_config();
	for (uint32_t i = 0; i + len <= config.len; i++)
		if (tally_equal((tally_text){config.at + i, len}, (tally_text){what, len}))
			return true;
	return false;
}
#define KEEPS(what) keeps("\"" what "\"", sizeof(what) + 1)

int64_t view_fields(void) { return tally_answer(TALLY_TEXT("/name")); }

static int32_t write(tally_text key, uint32_t n) {
	tally_decimal number;
	tally_set_decimal(&number, n);
	tally_store_totals(key, around, &number, 1);
	return TALLY_APPLIED;
}

static int32_t count_in(tally_text key, const tally_text *frame, bool stores) {
	tally_decimal n, one;
	if (!tally_load_totals(key, frame, &n, 1))
		return tally_fail_totals(key);
	tally_set_decimal(&one, 1);
	if (!tally_add(&n, &one))
		return tally_fail_overflow(key);
	if (stores)
		tally_store_totals(key, frame, &n, 1);
	return TALLY_APPLIED;
}

static int32_t count(tally_text key) {
	return count_in(key, around, true);
}

/* Writes under "seen" what there is. */
static int32_t see(void) {
	tally_scan scan = {.prefix = TALLY_TEXT("k"), .page = 3};
	tally_text key, value;
	tally_out out = tally_out_new(256);
	tally_put_char(&out, '"');
	while (tally_scan_next(&scan, &key, &value)) {
		tally_put(&out, key);
		tally_put_padded(&out, value.len, 1);
	}
	tally_put_char(&out, '"');
	tally_set(TALLY_TEXT("seen"), tally_out_text(&out));
	return TALLY_APPLIED;
}

static int32_t mix(tally_text name) {
	tally_text key = {name.at + 1, name.len - 1}, value, on_stack[] = {around[0], around[1]};
	switch (name.at[0]) {
	case 'a':
		return count(key);
	case 'b':
		return count_in(key, other, true);
	case 'c':
		return count_in(key, on_stack, true);
	case 'n':
		return count_in(key, around, false);
	case 'g':
		tally_set(TALLY_TEXT("got"), tally_get(key, &value) ? value : TALLY_TEXT("null"));
		return TALLY_APPLIED;
	case 's':
		tally_set(key, TALLY_TEXT("{\"n\":70}"));
		return TALLY_APPLIED;
	case 'd':
		tally_delete(key);
		return TALLY_APPLIED;
	case 'l':
		return see();
	case 'm':
		for (char c = 'a'; c <= 'z'; c++)
			if (count((tally_text){&c, 1}) != TALLY_APPLIED)
				return TALLY_FAILED;
		return TALLY_APPLIED;
	default:
		return TALLY_IGNORED;
	}
}

int32_t view_fold(const tally_event *event) {
	tally_text key = event->slot[0].text;
	if (event->slot[0].kind != TALLY_STRING || key.len == 0 || key.len > TALLY_KEY_BYTES)
		return TALLY_IGNORED;
	if (KEEPS("mixed"))
		return mix(key);
	events++;
	if (KEEPS("memory") || (KEEPS("real") && tally_equal(key, TALLY_TEXT("only here"))))
		return write(key, events);
	if (KEEPS("address")) {
		tally_room(24);
		tally_keep();
		return write(key, (uint32_t)(uintptr_t)tally_room(8));
	}
	if (KEEPS("place"))
		return write(key, (uint32_t)(uintptr_t)event);
	if (KEEPS("cache")) {
		cached = cached == 0 ? (uint32_t)event->sequence : cached;
		return write(key, cached);
	}
	if (KEEPS("refusal") && events % 10 == 0)
		return tally_fail(TALLY_TEXT("this is the tenth event"));
	if (KEEPS("ignorance") && events % 2 == 0)
		return TALLY_IGNORED;
	if (KEEPS("room")) {
		tally_room(1 << 20);
		tally_keep();
	}
	if (KEEPS("work"))
		for (volatile uint32_t i = 0; i < events * 20000; i++)
			;
	return count(key);
}

int64_t view_query(tally_text query) {
	(void)query;
	return tally_answer(TALLY_TEXT("true"));
}
