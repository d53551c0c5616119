/* Reading the state, in the very form in which it was written: for many members
 * that is several times as fast as reading JSON. */

#ifndef QUOTA_READER_H
#define QUOTA_READER_H

#include "quota.h"

typedef struct {
	const char *at;
	const char *end;
	bool broken; /* it was not as expected somewhere; what was read is of no use */
} reader;

static inline reader reader_of(tally_text text) {
	return (reader){text.at, text.at + text.len, false};
}

/* Whether a text comes next; goes past it then. */
bool take(reader *r, tally_text expected);

/* Goes past a text, which must come next. */
void expect(reader *r, tally_text expected);

/* Whether all has been read, and as expected. */
bool is_done(const reader *r);

int64_t take_integer(reader *r);
void take_total(reader *r, tally_decimal *total);
tally_text take_string(reader *r);

/* The source of a list of strings. */
tally_text take_strings(reader *r);

#endif
