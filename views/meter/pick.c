/* The names of the aggregations. */

#include "meter.h"

/* Reads what is behind the p of p99.9, in thousandths. */
static bool percentile_of(tally_text digits, uint32_t *percentile) {
	uint32_t n, unit = PERCENT;
	*percentile = 0;
	if (digits.len == 0 || (digits.len > 1 && digits.at[0] == '0' && digits.at[1] != '.'))
		return false;
	while (tally_take_digits(&digits, 1, &n)) {
		*percentile = *percentile * 10 + n * PERCENT;
		if (*percentile > MOST_PERCENTILE)
			return false;
	}
	if (digits.len == 0)
		return true;
	if (!tally_take_char(&digits, '.') || digits.len == 0)
		return false;
	while (unit > 1 && tally_take_digits(&digits, 1, &n))
		*percentile += n * (unit /= 10);
	return digits.len == 0 && *percentile <= MOST_PERCENTILE;
}

bool pick_of(tally_text name, pick *found) {
	static const tally_text names[] = {
		[PICK_COUNT] = TALLY_STATIC_TEXT("count"),     [PICK_SUM] = TALLY_STATIC_TEXT("sum"),
		[PICK_MIN] = TALLY_STATIC_TEXT("min"),         [PICK_MAX] = TALLY_STATIC_TEXT("max"),
		[PICK_AVERAGE] = TALLY_STATIC_TEXT("average"), [PICK_LATEST] = TALLY_STATIC_TEXT("latest"),
		[PICK_UNIQUE] = TALLY_STATIC_TEXT("unique"),
	};
	*found = (pick){PICK_PERCENTILE, 0, name};
	for (uint32_t i = 0; i < PICK_PERCENTILE; i++)
		if (tally_equal(name, names[i])) {
			found->kind = (pick_kind)i;
			return true;
		}
	return tally_take_char(&name, 'p') && percentile_of(name, &found->percentile);
}
