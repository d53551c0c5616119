/* What the files of this view share: the configuration and the state.
 *
 * State    "total/<group>/<part>"              counts, sums and the like
 *          "sketch/<group>/<part>/<decade>"    the values' distribution, see sketch.h
 *          "unique/<group>/<part>/=<value>"    each value once
 *          "uncounted/<group>/<part>"          how many events of it were not counted in full, by reason
 *          "ungrouped/<part>", "untimed"       how many belong to no group, and to no part
 *          "uncounted"                         all of these by reason, and the last of them, see uncounted.c
 *
 * <group> is the values of group_by, see key.c; <part> the start of the smallest
 * stretch of time that is kept apart, in UTC: 2025-03-01T10:00:00Z. */

#ifndef METER_H
#define METER_H

#include "../shared/group.h"
#include "../shared/window.h"

enum {
	MOST_PICKS = 32,        /* aggregations of a configuration or a query */
	PERCENT = 1000,         /* percentiles have up to three places */
	MOST_PERCENTILE = 100 * PERCENT,
};

static const int64_t DEFAULT_QUERY_GAS = 1000000000; /* that of the server: docs/abi.md */

/* ---- Aggregations ---- */

typedef enum {
	PICK_COUNT,
	PICK_SUM,
	PICK_MIN,
	PICK_MAX,
	PICK_AVERAGE,
	PICK_LATEST,
	PICK_UNIQUE,
	PICK_PERCENTILE,
} pick_kind;

typedef struct {
	pick_kind kind;
	uint32_t percentile; /* in thousandths of a percent */
	tally_text name;
} pick;

typedef struct {
	pick at[MOST_PICKS];
	uint32_t len;
} pick_list;

/* Reads a name like sum or p99.9; false if there is no such aggregation. */
bool pick_of(tally_text name, pick *found);

/* ---- Totals: what "total/..." holds, as far as it is configured ---- */

typedef enum {
	TOTAL_COUNT,  /* events */
	TOTAL_VALUES, /* those with a value that counts; what follows is of them */
	TOTAL_SUM,
	TOTAL_MIN,
	TOTAL_MAX,
	TOTAL_LATEST,
	TOTAL_LATEST_TIME, /* microseconds since 1970 */
	TOTAL_LATEST_SEQUENCE,
	TOTALS,
} total;

/* ---- Configuration ---- */

typedef struct {
	field_list fields;
	type_list types; /* to count */
	int32_t value;   /* fields, or NO_FIELD */
	int32_t unique;
	condition_list conditions;
	group_list groups;
	pick_list picks;
	bool sketch;
	grid parts;
	tally_text zone_name;
	int64_t query_gas; /* what a query may take */
	int32_t place[TOTALS]; /* in a state value; -1: not kept */
	uint32_t totals_len;
	tally_text around[TOTALS + 1];
} configuration;

/* Reads the configuration once for as long as the instance's memory lives. 0 if
 * it has called tally_fail. */
const configuration *load_configuration(void);

/* ---- What could not be counted ---- */

/* Why an event, or a part of what is kept of it, could not be counted. */
typedef struct trouble {
	tally_text reason; /* none: at is 0 */
	int32_t field;     /* or NO_FIELD */
} trouble;

/* Counts it for the place, which is empty if the event has none. */
void note_uncounted(const configuration *config, const tally_event *event, tally_text place, trouble trouble);

/* How many events a state value of "uncounted/..." or "ungrouped/..." counts, and
 * how many belong to no part of time. */
uint64_t sum_of_counts(tally_text counts);
uint64_t count_untimed(void);

/* Answers the query for what was not counted. */
int64_t answer_uncounted(void);

#endif
