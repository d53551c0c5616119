/* Values of fields in keys of the state.
 *
 * A group is written as its values, each with / after it. In a value
 *
 *     a string     is itself, with / as ~1, ~ as ~0 and NUL as ~2
 *     a number     is ~n and its one text, see number.h: ~n12
 *     true, false  are ~t and ~f
 *     none         that is missing or null, is ~ alone
 *
 * so that two values are written alike if and only if they are equal. */

#ifndef SHARED_VALUE_H
#define SHARED_VALUE_H

#include "../c/tally.h"

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

/* Writes it as JSON for an answer; a number that readers which make a double of
 * it would round is {"number":"12345678901234567890"}. */
void put_json_value(tally_out *out, tally_text encoded);

/* Takes the first value of a group, without its /. */
bool take_value(tally_text *group, tally_text *encoded);

#endif
