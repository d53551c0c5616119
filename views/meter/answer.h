/* Writing the answer to a question. */

#ifndef METER_ANSWER_H
#define METER_ANSWER_H

#include "rows.h"

int64_t answer_json(const configuration *config, const question *asked, row_list rows);
int64_t answer_csv(const configuration *config, const question *asked, row_list rows);

/* Writes what a row has of an aggregation; false, and nothing, where it has
 * none. */
bool put_pick(tally_out *out, const configuration *config, const row *row, const pick *pick);

#endif
