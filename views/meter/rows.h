/* Gathering what a question asks for: a row for each group and window. */

#ifndef METER_ROWS_H
#define METER_ROWS_H

#include "question.h"
#include "sketch.h"
#include "table.h"

/* The values of the groups that were asked for, in that order. */
typedef struct {
	entry entry;
	tally_text values[];
} row_group;

typedef struct {
	entry entry;
	row_group *group;
	stretch window; /* -ZONE_EVER and ZONE_EVER where it is open */
	uint64_t unique;
	sketch *sketch;
	tally_decimal totals[]; /* as configured */
} row;

typedef struct {
	row **at; /* by start of window, then by group: missing first, then in byte order */
	uint32_t len;
} row_list;

/* False where tally_fail has been called. */
bool gather_rows(const configuration *config, const question *asked, row_list *rows);

#endif
