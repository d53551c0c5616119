/* Time zones. Times are seconds since 1970-01-01T00:00:00Z. */

#ifndef SHARED_ZONE_H
#define SHARED_ZONE_H

#include "../c/tally.h"
#include "zone_data.h"

/* Beyond every time that is met here, and far from wrapping. */
#define ZONE_EVER ((int64_t)1 << 60)

static const int64_t MICROSECONDS = 1000000; /* of a second */

enum {
	MINUTE_SECONDS = 60,
	HOUR_SECONDS = 3600,
	DAY_SECONDS = 86400,
};

/* A zone of the IANA data, by its own name or a link to it; 0 if there is
 * none of that name. */
const zone_entry *zone_find(tally_text name);

/* A time for which the clocks are not changed: from start to before end. */
typedef struct {
	int64_t start;
	int64_t end;
	int32_t offset;
} zone_period;

zone_period zone_period_at(const zone_entry *zone, int64_t time);

/* Whether a time is of the years that events and queries may have: all that
 * is named for one is written with years of four digits, in every zone. */
bool is_countable(int64_t time);

/* The remainder of a division that rounds down: 0 to by - 1. */
int64_t floor_remainder(int64_t n, int64_t by);

/* Writes a time as RFC 3339 in the zone's own clock, in UTC where the zone's
 * offset is not of whole minutes. */
void put_time(tally_out *out, const zone_entry *zone, int64_t time);

/* Writes a time as RFC 3339 in UTC: 20 bytes. */
void put_utc(tally_out *out, int64_t time);

#endif
