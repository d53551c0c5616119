/* Keys of the state.
 *
 * A group is written as its values, each with / after it. In a value
 *
 *     a string     is itself, with / as ~1, ~ as ~0 and NUL as ~2
 *     a number     is ~n and its one text, see number.h: ~n12
 *     true, false  are ~t and ~f
 *     none         that is missing or null, is ~ alone
 *
 * so that two values are written alike if and only if they are equal. */

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

/* ---- Values ---- */

typedef enum {
	VALUE_GOOD,
	VALUE_NOT_TEXT, /* an array or object */
	VALUE_VAST,     /* a number with an exponent of more than 18 digits */
} value_fault;

/* Writes what a field holds; nothing if that cannot be told apart. */
value_fault put_value(tally_out *out, const tally_slot *slot);

/* Writes a string, a number (false, and nothing, where it cannot be told apart),
 * and the value of a field that is not there. */
void put_string_value(tally_out *out, tally_text text);
bool put_number_value(tally_out *out, tally_text text);
void put_no_value(tally_out *out);

/* What is written for a value, read back: TALLY_NULL, TALLY_TRUE, TALLY_FALSE,
 * TALLY_NUMBER or TALLY_STRING, and the text of the last two. */
typedef struct {
	uint32_t kind;
	tally_text text;
} group_value;

group_value value_of(tally_text encoded);

/* Takes the first value of a group, without its /. */
bool take_value(tally_text *group, tally_text *encoded);

/* ---- Keys ---- */

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
