/* Limits per window. What is used of one, for each group, is
 *
 *     {"used":12.5,"over":0,"parts":[[1743465600,12.5]]}
 *
 * with parts that each count until a time, in seconds since 1970: those whose
 * time has come are left out before anything else. A window of the calendar has
 * one part, which ends with it. A rolling window has up to about 60; an event
 * counts for its length, and up to a part longer.
 *
 * over is how many events of the parts that are kept went over the limit. */

#ifndef QUOTA_LIMIT_H
#define QUOTA_LIMIT_H

#include "quota.h"

enum { MOST_PARTS = 128 };

typedef struct {
	int64_t until; /* seconds */
	tally_decimal amount;
} part;

typedef struct {
	tally_decimal used;
	int64_t over;
	tally_text cursor; /* of the search for values that count no more */
	part *parts;
	uint32_t len;
} usage;

/* What an event is to a limit. */
typedef struct {
	const limit *limit;
	tally_text group; /* its values, each with / after it */
	tally_text key;
	tally_decimal added;
	usage usage; /* before it, as of now */
	int64_t until;
	bool over;        /* with it, the limit is passed */
	bool never;       /* it alone is more than the limit */
	tally_text seen_key; /* of a unique value */
	int64_t seen_until;  /* 0: it is new */
} charge;

/* Whether a limit concerns an event. */
bool concerns(const configuration *config, const limit *limit, const tally_event *event);

typedef enum {
	CHARGE_GOOD,
	CHARGE_BAD,    /* the event cannot be counted */
	CHARGE_FAILED, /* tally_fail was called */
} charge_result;

/* Says what an event that the limit concerns is to it; where it cannot be counted, why. */
charge_result make_charge(const limit *limit, const tally_event *event, charge *made, tally_text *reason);

/* Counts the event. */
void apply_charge(const charge *made, int64_t now);

/* Reads what is used of a limit, as of now, in seconds. False if tally_fail was called. */
bool load_usage(tally_text key, int64_t now, usage *read);

/* When the room that is asked for is there, in seconds: the end of the window,
 * or of parts that make as much. */
int64_t room_at(const limit *limit, const usage *usage, const tally_decimal *added, int64_t now);

tally_text limit_key(const limit *limit, tally_text group);

/* Writes the members of an answer about a limit. */
void put_limit(tally_out *out, const limit *limit, tally_text group, const usage *usage, int64_t now);

#endif
