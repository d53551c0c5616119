/* Gathering what a query asks for: a row for each group and window. */

#ifndef METER_ROWS_H
#define METER_ROWS_H

#include "query.h"
#include "sketch.h"
#include "table.h"

/* The values of the query's groups, in the form of keys. */
typedef struct {
	entry entry;
	tally_text key; /* in the order of the configuration, each with / after it */
	tally_text values[]; /* in the order of the query */
} row_group;

typedef struct row row;

struct row {
	entry entry;
	row *next; /* the one made after it */
	row_group *group;
	int64_t start;  /* of its window; with rolling, its own */
	stretch window; /* what it covers; -ZONE_EVER and ZONE_EVER where it is open */
	uint64_t unique;
	sketch *sketch;
	tally_decimal totals[]; /* as configured */
};

typedef struct {
	row **at; /* by group, then by start */
	uint32_t len;
} row_list;

/* The outcome of a step of a query. */
typedef enum {
	DONE,
	NOTHING_LEFT,
	TOO_LARGE, /* it would take more memory or gas than a query may */
	REFUSED,   /* it has called tally_fail */
} outcome;

/* The reading of state for a query. */
typedef struct reading {
	const configuration *config;
	const meter_query *q;
	bool sketches; /* rows need them */
	bool uniques;
	text_list starts; /* of the groups that the filters leave in */
	walk total;
	walk sketch;
	walk unique;
	walk uncounted;
	effort effort;
	bool any;    /* parts were met, and windows fit from first to last */
	int64_t first;
	int64_t last;
} reading;

/* False if it has called tally_fail. */
bool start_reading(reading *reading, const configuration *config, const meter_query *q);

bool is_asked(const meter_query *q, pick_kind kind);

/* Gathers the rows of the groups that start with scope, which may be empty, and
 * counts those of their events that are uncounted. */
outcome gather_rows(reading *reading, tally_text scope, row_list *rows, uint64_t *uncounted);

/* Sorts by group, then by start. */
void sort_rows(row_list *rows, effort *effort);

/* The row of a query that finds nothing. */
row *empty_row(const reading *reading);

/* Counts the events between from and to that belong to no group. */
outcome count_ungrouped(reading *reading, uint64_t *uncounted);

#endif
