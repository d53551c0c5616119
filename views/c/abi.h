/* What the files of the kit share and views do not see. */

#ifndef TALLY_ABI_H
#define TALLY_ABI_H

#include "tally.h"

/* Room that tally_alloc hands out, where it suffices, before it takes more. */
extern tally_text tally_lent;

/* The page that scan's fields ask for. */
tally_text tally_scan_page(const tally_scan *scan);

/* The limb whether number is small or not. */
static inline uint64_t tally_limb(const tally_decimal *number, int i) {
	return number->small && i != TALLY_UNITS ? 0 : number->limb[i];
}

#endif
