/* Answering a query, a page of rows at a time.
 *
 * Rows come by group, in the order of the keys, and then by time. Where the groups
 * that are asked for are the first of the configuration's, the keys of each row
 * stand together: they are read group by group, and no further than the page
 * goes. Otherwise all is read for each page. */

#ifndef METER_PAGE_H
#define METER_PAGE_H

#include "answer.h"

int64_t answer(const configuration *config, const meter_query *q);

#endif
