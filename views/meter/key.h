/* Keys of the state.
 *
 * A group is written as its values with / between them. In a value, / is
 * written ~1, ~ is ~0 and NUL is ~2; a value that is missing or null is ~ alone,
 * so that it differs from the empty text. */

#ifndef METER_KEY_H
#define METER_KEY_H

#include "meter.h"

enum {
	PART_BYTES = 20, /* 2025-03-01T10:00:00Z */

	/* Room for the longest of "total/", "sketch/" and "unique/" and for the
	 * decade of a sketch: what is left is for a group and a part. */
	PREFIX_BYTES = 7,
	DECADE_BYTES = 4,
	PLACE_BYTES = TALLY_KEY_BYTES - PREFIX_BYTES - DECADE_BYTES,
};

/* A value as it stands in a key; `at` is 0 where it is missing. */
void put_group(tally_out *out, tally_text value);
tally_text group_value(tally_text encoded);

/* The key of an event's totals, and its place: "<group>/<part>", or only "<part>"
 * where there are no groups. False, and why, where there is no such key. */
bool total_key(const configuration *config, const tally_event *event, tally_text *key, tally_text *place, trouble *trouble);

/* family + place + / + rest. */
tally_text key_of(tally_text family, tally_text place, tally_text rest);

/* Reads the time that text starts with; false where it is none. */
bool take_part(tally_text text, int64_t *start);

#endif
