/* What the files of the kit share and views do not see. */

#ifndef TALLY_ABI_H
#define TALLY_ABI_H

#include "tally.h"

/* Room that tally_alloc hands out, where it suffices, before it takes more. */
extern tally_text tally_lent;

/* The page that scan's fields ask for. */
tally_text tally_scan_page(const tally_scan *scan);

/* The lowest and highest limb that are set. */
static inline int tally_low(const tally_decimal *number) {
	return TALLY_UNITS - number->below;
}

static inline int tally_high(const tally_decimal *number) {
	return TALLY_UNITS + number->above;
}

/* The limb, set or not. */
static inline uint64_t tally_limb(const tally_decimal *number, int i) {
	return i < tally_low(number) || i > tally_high(number) ? 0 : number->limb[i];
}

/* tally_equal for what every fold compares: a call would take as long. */
static inline __attribute__((always_inline)) bool tally_equal_inline(tally_text a, tally_text b) {
	uint32_t i = 0;
	if (a.len != b.len)
		return false;
	for (; i + 8 <= a.len; i += 8) {
		uint64_t left, right;
		__builtin_memcpy(&left, a.at + i, 8);
		__builtin_memcpy(&right, b.at + i, 8);
		if (left != right)
			return false;
	}
	for (; i < a.len; i++)
		if (a.at[i] != b.at[i])
			return false;
	return true;
}

#endif
