/* Keys of the state.
 *
 * A group is written as its values, each with / after it; see shared/value.h. */

#ifndef METER_KEY_H
#define METER_KEY_H

#include "meter.h"

enum {
	PART_BYTES = 20, /* 2025-03-01T10:00:00Z */

	/* Room for the longest of the families "total/", "sketch/", "unique/" and
	 * "uncounted/", with the decade of a sketch: what is left is for a group and
	 * a part. */
	PREFIX_BYTES = 7,
	DECADE_BYTES = 4,
	PLACE_BYTES = TALLY_KEY_BYTES - PREFIX_BYTES - DECADE_BYTES,
};

/* The key of an event's totals, and its place: "<group>/<part>", or only "<part>"
 * where there are no groups. False, and why, where there is no such key. */
bool total_key(const configuration *config, const tally_event *event, tally_text *key, tally_text *place, trouble *trouble);

/* Writes the part that holds a time; false if its year is not one that is
 * counted. */
bool put_part(tally_out *out, const grid *parts, int64_t time);

/* family + place + / + rest. */
tally_text key_of(tally_text family, tally_text place, tally_text rest);

/* Reads the time that text starts with; false if it is none. */
bool take_part(tally_text text, int64_t *start);

#endif
