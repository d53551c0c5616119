/* Questions: the parameters of a query. */

#ifndef METER_QUESTION_H
#define METER_QUESTION_H

#include "meter.h"

enum {
	MOST_ROLLING = 366,
	MOST_LIMIT = 100000, /* rows; an answer holds about 10,000 */
};

/* A group that must have a value, or one of several. */
typedef struct filter filter;

struct filter {
	filter *next;
	uint32_t group;
	tally_text value; /* at is 0 where the group must be missing */
};

typedef struct {
	bool uncounted;
	bool csv;
	bool windowed;
	grid windows;
	tally_text zone_name;
	bool starts; /* from and to are given */
	bool ends;
	int64_t from;
	int64_t to;
	uint32_t rolling; /* windows that each row covers */
	uint32_t groups[MOST_GROUPS];
	uint32_t groups_len;
	filter *filters;
	pick_list picks;
	bool limited;
	uint32_t limit;
	uint32_t offset;
} question;

/* False where tally_fail has been called. */
bool read_question(const configuration *config, tally_text query, question *asked);

/* Where the stretch begins that a row covers whose own window begins at `time`:
 * with rolling, in an earlier window. */
int64_t covered_from(const question *asked, int64_t time);

/* Whether the windows between from and to are made of whole parts; false where
 * tally_fail has been called. */
bool check_windows(const configuration *config, const question *asked, int64_t from, int64_t to);

#endif
