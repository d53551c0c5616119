/* Tokens by UTC month and name: keys "2025-03/<name>", as monthly_totals and
 * cost_by_team keep them, what is left out of them under "uncounted/2025-03/<name>",
 * and the answers over both. */

#ifndef TALLY_MONTH_H
#define TALLY_MONTH_H

#include "tally.h"

/* What the two views differ in. */
typedef struct {
	uint32_t name; /* the slots */
	uint32_t tokens_in;
	uint32_t tokens_out;
	tally_text name_field;     /* what the name is called in reasons: "model" */
	tally_text name_parameter; /* that asks for one name; empty if there is none */
	tally_text no_totals;      /* of a name of which all is left out */
} month_view;

/* The key for an event's time and the name in a slot. A missing name or null
 * is "", a number or a boolean counts as its source text. False if the name
 * cannot be part of a key, or where the year does not have four digits. */
bool month_key(int64_t time, const tally_slot *name, tally_text *key);

/* What there is of an event that does not count in full. */
typedef struct {
	bool counts;   /* at least one of its amounts, under a key that month_key makes */
	tally_text key; /* of what is left out */
	tally_reasons reasons;
} month_part;

/* False if the event is to be ignored: neither amount is there. */
bool month_take_part(const month_view *view, const tally_event *event, bool counts_in, bool counts_out, month_part *part);

/* Counts what is left out, after the totals were stored; what view_fold returns. */
int32_t month_leave_out(const tally_event *event, const month_part *part);

/* Answers month=, uncounted and, where the view has one, the parameter that
 * names a name: {"<name>":<totals>,...} for one month, {"2025-03":{...},...} for
 * all; for uncounted the counts by reason in place of totals. */
int64_t month_query(const month_view *view, tally_text query);

#endif
