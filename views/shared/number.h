/* JSON numbers of any size, compared by their text. */

#ifndef SHARED_NUMBER_H
#define SHARED_NUMBER_H

#include "../c/tally.h"

/* A number is sign, digits and power: the first of its digits that is not 0
 * stands for 10^power. Exponents of up to 18 digits are exact, larger ones count
 * as far beyond all of those. */
typedef struct {
	bool zero;
	bool negative;
	bool vast; /* the exponent has more than 18 digits */
	int64_t power;
	tally_text digits; /* from the first that is not 0 to the last, perhaps with a point among them */
} number;

/* False if the text is not a number by JSON's grammar. */
bool read_number(tally_text text, number *read);

/* Negative, 0 or positive, as a is less than b, equal or greater. */
int compare_numbers(const number *a, const number *b);

/* Writes a number's one text: plain where it is one that can be counted, and
 * else like -1.25e400. False, and nothing, where its exponent is vast. */
bool put_number(tally_out *out, tally_text text);

#endif
