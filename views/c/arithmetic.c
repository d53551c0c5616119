/* Comparing and dividing decimals. */

#include "abi.h"

void tally_set_integer(tally_decimal *number, int64_t n) {
	tally_set_decimal(number, 0);
	number->negative = n < 0;
	number->limb[TALLY_UNITS] = n < 0 ? (uint64_t)-n : (uint64_t)n;
}

int tally_compare(const tally_decimal *a, const tally_decimal *b) {
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	int low = tally_low(a) < tally_low(b) ? tally_low(a) : tally_low(b);
	int high = tally_high(a) > tally_high(b) ? tally_high(a) : tally_high(b);
	for (int i = high; i >= low; i--) {
		uint64_t left = tally_limb(a, i), right = tally_limb(b, i);
		if (left != right)
			return (left < right) == a->negative ? 1 : -1;
	}
	return 0;
}

/* Where the last digit of a quotient stands, counted from a number's lowest. */
enum {
	LAST_DIGIT = TALLY_FRACTION_DIGITS - TALLY_INPUT_FRACTION_DIGITS,
	LAST_LIMB = LAST_DIGIT / TALLY_LIMB_DIGITS,
};

static uint64_t place_of(int digit) {
	uint64_t place = 1;
	for (int i = digit % TALLY_LIMB_DIGITS; i > 0; i--)
		place *= 10;
	return place;
}

void tally_divide(tally_decimal *quotient, const tally_decimal *number, uint64_t by) {
	uint64_t rest = 0, last = 0;
	*quotient = (tally_decimal){.negative = number->negative, .below = TALLY_UNITS - LAST_LIMB, .above = number->above};
	/* By hand, digit by digit: ten times a rest under 10^18 fits. */
	for (int digit = (tally_high(number) + 1) * TALLY_LIMB_DIGITS; digit-- > LAST_DIGIT;) {
		int limb = digit / TALLY_LIMB_DIGITS;
		uint64_t place = place_of(digit);
		rest = rest * 10 + tally_limb(number, limb) / place % 10;
		last = rest / by;
		quotient->limb[limb] += last * place;
		rest -= last * by;
	}
	tally_decimal up = {.negative = number->negative, .below = TALLY_UNITS - LAST_LIMB};
	if (rest > by - rest || (rest == by - rest && last % 2 == 1))
		up.limb[LAST_LIMB] = place_of(LAST_DIGIT);
	tally_add(quotient, &up);
}
