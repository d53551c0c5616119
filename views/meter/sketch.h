/* The distribution of values, for percentiles.
 *
 * Values are counted in buckets, 117 to each power of ten: bucket i of decade e
 * holds the values from 10^(e + i/117) to below 10^(e + (i+1)/117). What is
 * answered for a bucket is within 1 % of every value in it. Negative values have
 * buckets of their own, by magnitude, and zero one. Counting is exact and in
 * whole numbers, so sketches are merged by adding, in any order, with one result.
 *
 * State "sketch/<group>/<part>/<decade>": {"57":3,"58":1}, the buckets of one
 * decade that are not empty, in order. <decade> is the sign and the power of ten
 * plus 50: +53 holds 1,000 to below 10,000, -47 holds -0.001 to above -0.01, and
 * "0" the zeros. */

#ifndef METER_SKETCH_H
#define METER_SKETCH_H

#include "key.h"

/* Counts one value of the events of a place. False if tally_fail has been
 * called. */
bool count_in_sketch(tally_text place, const tally_decimal *value);

typedef struct sketch sketch;

sketch *sketch_new(void);

/* Adds the state value of one decade; false if it is not what this view
 * writes. */
bool sketch_add(sketch *sum, tally_text decade, tally_text value);

/* Writes the percentile, in thousandths of a percent, by nearest rank: the
 * smallest value that at least so many percent of the values do not exceed. The
 * least and the greatest value are known, and what is answered lies between. The
 * sketch must not be empty. */
void put_percentile(tally_out *out, const sketch *sketch, uint32_t percentile, const tally_decimal *min, const tally_decimal *max);

#endif
