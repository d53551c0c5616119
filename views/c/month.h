/* State by UTC month and name: keys "2025-03/<name>", as monthly_totals and
 * cost_by_team keep it, and the answers over it. */

#ifndef TALLY_MONTH_H
#define TALLY_MONTH_H

#include "tally.h"

/* The key for an event's time and the name in a slot. A missing name or null
 * is "", a number or a boolean counts as its source text. False where the name
 * cannot be part of a key (an array, an object, too long, with NUL), or where
 * the year does not have four digits: such an event is to be ignored. */
bool month_key(int64_t time, const tally_slot *name, tally_text *key);

/* A question: one month or all, one name or all; an empty `at` means all. */
typedef struct {
	tally_text month;
	tally_text name;
} month_question;

/* Reads month= and, where the view has one, the parameter that names a name.
 * False where tally_fail has been called. */
bool month_take_question(tally_text query, tally_text name_parameter, month_question *question);

/* {"<name>":<value>,...} for one month, {"2025-03":{...},...} for all. */
int64_t month_answer(const month_question *question);

#endif
