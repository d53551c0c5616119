/* The parameters of a query. */

#ifndef METER_QUERY_H
#define METER_QUERY_H

#include "walk.h"

enum {
	MOST_ROLLING = 366,
	MOST_LIMIT = 100000, /* rows; an answer holds about 10,000 */
};

/* A group that must have a value, or one of several. */
typedef struct filter filter;

struct filter {
	filter *next;
	uint32_t group;
	tally_text value; /* as it stands in a key */
};

/* Where an answer continues: after a group, or after one of its windows. */
typedef struct {
	bool given;
	bool timed;
	tally_text group; /* values, each with / after it */
	int64_t start;    /* of the window, where timed */
} position;

typedef struct {
	bool uncounted;
	bool csv;
	bool raw; /* CSV for machines */
	bool windowed;
	grid windows;
	tally_text zone_name;
	bool starts; /* has from */
	bool ends;   /* has to */
	int64_t from;
	int64_t to;
	uint32_t rolling; /* windows that each row covers */
	uint32_t groups[MOST_GROUPS];
	uint32_t groups_len;
	uint32_t ordered[MOST_GROUPS]; /* the same in the order of the configuration */
	uint32_t depth; /* their number if they are the first of the configuration's, else 0 */
	filter *filters;
	pick_list picks;
	bool limited;
	uint32_t limit;
	uint32_t offset;
	position after;
} meter_query;

/* False if it has called tally_fail. */
bool read_query(const configuration *config, tally_text query, meter_query *q);

/* Calls tally_fail("<name> is <value>, <why>"), and returns false. */
bool refuse_parameter(tally_text name, tally_text value, tally_text why);

/* Reads a position of an answer to the query, as put_position writes it, after
 * the rest of the query. False if it has called tally_fail. */
bool read_after(const configuration *config, tally_text value, meter_query *q);

/* Writes a position as a value of the parameter after. */
void put_position(tally_out *out, const position *at);

/* Whether the filters leave a group in. */
bool passes(const meter_query *q, tally_text group);

/* The texts that begin the keys of the groups which the filters of the first
 * groups leave in, in byte order. */
text_list filtered_starts(const configuration *config, const meter_query *q);

/* The start of what a row covers whose own window starts at `time`: with
 * rolling, that is in an earlier window. */
int64_t covered_from(const meter_query *q, int64_t time);

/* Whether the windows between from and to are made of whole parts; false if
 * tally_fail has been called. */
bool check_windows(const configuration *config, const meter_query *q, int64_t from, int64_t to);

#endif
