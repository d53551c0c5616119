/* What the files of the kit share and views do not see. */

#ifndef TALLY_ABI_H
#define TALLY_ABI_H

#include "tally.h"

/* Room that tally_alloc hands out, where it suffices, before it takes more. */
extern tally_text tally_lent;

/* The page that scan's fields ask for. */
tally_text tally_scan_page(const tally_scan *scan);

/* ---- Batches ---- */

typedef struct tally_held tally_held;

typedef struct {
	bool on;          /* a batch is being folded */
	uintptr_t bottom; /* where its events start handing out; 0 if they start as others do */
} tally_batch_state;

extern tally_batch_state tally_batch;

/* The totals that the batch holds of a key: read now where they were not yet. 0
 * where the batch does not hold them, or where they are *broken. */
tally_decimal *tally_batch_load(tally_text key, const tally_text *around, uint32_t n, bool *broken);

/* Where the totals of a key are to be put that the batch is to write. 0 if it does not hold them. */
tally_decimal *tally_batch_store(tally_text key, const tally_text *around, uint32_t n);

/* Writes what is held of all keys, before the state is walked over. */
void tally_batch_write(void);

/* Writes what is held of a key, which is about to be read or written in another way. */
void tally_batch_forget(tally_text key);

/* What of the totals is not the batch's: reading and writing state. */
bool tally_read_totals(tally_text key, const tally_text *around, tally_decimal *totals, uint32_t n);
void tally_write_totals(tally_text key, const tally_text *around, const tally_decimal *totals, uint32_t n);

/* Reading and writing a key, past the batch. */
bool tally_read(tally_text key, tally_text *value);
void tally_write(tally_text key, tally_text value);

/* Gives back what an event was allocated. */
void tally_release_event(void);

/* Where each call starts handing out: below is what stays. */
uintptr_t tally_bottom(void);

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
	uint64_t left, right;
	if (a.len != b.len)
		return false;
	if (a.len < 8) {
		for (uint32_t i = 0; i < a.len; i++)
			if (a.at[i] != b.at[i])
				return false;
		return true;
	}
	for (uint32_t i = 0; i + 8 < a.len; i += 8) {
		__builtin_memcpy(&left, a.at + i, 8);
		__builtin_memcpy(&right, b.at + i, 8);
		if (left != right)
			return false;
	}
	__builtin_memcpy(&left, a.at + a.len - 8, 8); /* some of it once more, perhaps */
	__builtin_memcpy(&right, b.at + a.len - 8, 8);
	return left == right;
}

#endif
