/* grudging: a view for tests whose guard counts in its memory what it was asked, which none may: what it decides
 * depends on what shares a session.
 *
 * Fields    none
 * State     none
 * Guard     admits the first event of a session, refuses the others
 * Question  any: 1 */

#include "../../../views/c/tally.h"

static uint32_t asked;

int64_t view_fields(void) {
	return tally_answer(TALLY_TEXT(""));
}

static int32_t guard(const tally_event *event) {
	(void)event;
	return asked++ == 0 ? TALLY_ADMITTED : TALLY_FORBIDDEN;
}

TALLY_GUARD(guard)

int32_t view_fold(const tally_event *event) {
	(void)event;
	return TALLY_APPLIED;
}

int64_t view_query(tally_text query) {
	(void)query;
	return tally_answer(TALLY_TEXT("1"));
}
