/* forgetful: a view for tests that counts events in its memory, which no view may: its state
 * depends on how they were batched.
 *
 * Fields    none
 * State     "events": how many events this session has folded
 * Question  any: 1 */

#include "../../../views/c/tally.h"

static uint32_t events;

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT(""));
}

int32_t view_fold(const tally_event *event) {
	(void)event;
	tally_out out = tally_out_new(16);
	tally_put_padded(&out, ++events, 1);
	tally_set(TALLY_TEXT("events"), tally_out_text(&out));
	return TALLY_APPLIED;
}

int64_t view_query(tally_text query) {
	(void)query;
	return tally_answer(TALLY_TEXT("1"));
}
