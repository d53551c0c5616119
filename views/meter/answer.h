/* Writing the answer to a query. */

#ifndef METER_ANSWER_H
#define METER_ANSWER_H

#include "rows.h"

/* An answer that is being written, as JSON or CSV. */
typedef struct {
	const configuration *config;
	const meter_query *q;
	tally_out out;
	uint32_t start;   /* of the rows in out; what comes before them is written last */
	uint32_t rows;
	uint32_t row_gas; /* what a row takes, at the most */
} writing;

writing writing_new(const configuration *config, const meter_query *q);

/* False, and nothing is written, if there is no room for the row. */
bool write_row(writing *writing, const row *row);

/* The answer: with how many events were not counted, and with where to go on,
 * which is 0 if nothing is left. */
int64_t finish(writing *writing, uint64_t uncounted, const position *next);

/* Writes what a row has of an aggregation; false, and nothing, where it has
 * none. */
bool put_pick(tally_out *out, const configuration *config, const row *row, const pick *pick);

#endif
