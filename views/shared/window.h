/* Windows of time: minutes, quarters of an hour, hours, days, weeks, months,
 * quarters of a year and years by the clock of a zone.
 *
 * A day or longer window begins at the first moment at which the zone's clock
 * shows its date; weeks begin on Monday. Shorter windows follow each other
 * without regard to the clock being changed by a multiple of them (the hour that
 * is lived twice is two windows); any other change ends one and begins the next. */

#ifndef SHARED_WINDOW_H
#define SHARED_WINDOW_H

#include "zone.h"

/* In the order of their lengths. */
typedef enum {
	SPAN_MINUTE,
	SPAN_QUARTER_HOUR,
	SPAN_HOUR,
	SPAN_DAY,
	SPAN_WEEK,
	SPAN_MONTH,
	SPAN_QUARTER,
	SPAN_YEAR,
	SPANS,
} span;

extern const tally_text span_names[SPANS];

/* False if no span has the name. */
bool span_of(tally_text name, span *found);

typedef struct {
	span span;
	const zone_entry *zone;
} grid;

/* From start to before end. */
typedef struct {
	int64_t start;
	int64_t end;
} stretch;

/* The window that holds a time. */
stretch window_at(const grid *windows, int64_t time);

/* The first moment at which the zone's clock shows the day, told by its number
 * since 1970, or a later one. */
int64_t start_of_day(const zone_entry *zone, int64_t day);

bool is_start(const grid *windows, int64_t time);

/* Whether each window that begins or ends between from and to does so where a
 * part does. The parts are days or shorter, and not longer than the windows. */
bool parts_fit(const grid *parts, const grid *windows, int64_t from, int64_t to);

#endif
