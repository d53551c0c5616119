/* Batches: many events in one call, whose totals are held here until its end. What
 * tally_load_totals has read once is not read again, and what tally_store_totals
 * was given is written once. The state after the batch is the same, byte for byte,
 * as after its events one by one; where that is in doubt the batch fails, and
 * the server folds them so. */

#include "abi.h"

#ifndef TALLY_HELD_BYTES
#define TALLY_HELD_BYTES 12288 /* with the room for events and the rest it stays within a page of memory */
#endif

enum {
	SLOTS = 256,     /* of the hash table; a power of two, and room to spare beside MOST_HELD */
	MOST_HELD = 128, /* keys after which all are written before the next event */
	MOST_BYTES = TALLY_HELD_BYTES, /* likewise */
	MOST_TOTALS = 16,  /* of a key */
	MOST_FRAME = 512,  /* bytes around a key's totals */
	/* Loads of an event. They bound what the batch spares an event of gas, to what docs/abi.md allows. */
	MOST_LOADS = 16,
};

struct tally_held {
	tally_held *next;
	tally_held **slot;
	const tally_text *around; /* 0 if the value is not known any more */
	uint32_t n;
	bool dirty;
	tally_text key;
	tally_decimal totals[];
};

tally_batch_state tally_batch;

static struct {
	tally_held *slot[SLOTS];
	tally_held *first;
	tally_held *last;   /* in the order of their coming */
	tally_held *recent; /* that was requested last */
	uint32_t n;
	uint32_t loads; /* of the event */
} held;

static uint32_t hash(tally_text key) {
	uint64_t h = key.len, word = 0;
	for (uint32_t i = 0; i + 8 < key.len; i += 8) {
		__builtin_memcpy(&word, key.at + i, 8);
		h = (h ^ word) * 0x9E3779B97F4A7C15;
		h ^= h >> 32;
	}
	if (key.len >= 8)
		__builtin_memcpy(&word, key.at + key.len - 8, 8); /* some of it once more, perhaps */
	else
		for (uint32_t i = 0; i < key.len; i++)
			word = word << 8 | (unsigned char)key.at[i];
	h = (h ^ word) * 0x9E3779B97F4A7C15;
	return (uint32_t)(h >> 40);
}

/* The slot where the key is, or could be. */
static tally_held **find(tally_text key) {
	uint32_t i = hash(key) % SLOTS;
	while (held.slot[i] != 0 && !tally_equal_inline(held.slot[i]->key, key))
		i = (i + 1) % SLOTS;
	return &held.slot[i];
}

static void write_held(tally_held *h) {
	if (!h->dirty)
		return;
	void *mark = tally_mark();
	tally_write_totals(h->key, h->around, h->totals, h->n);
	tally_release(mark);
	h->dirty = false;
}

void tally_batch_write(void) {
	for (tally_held *h = held.first; h != 0; h = h->next)
		write_held(h);
}

void tally_batch_forget(tally_text key) {
	tally_held *h = *find(key);
	if (h == 0)
		return;
	write_held(h);
	h->around = 0;
	held.recent = 0;
}

static void forget_all(void) {
	for (tally_held *h = held.first; h != 0; h = h->next)
		*h->slot = 0;
	held.first = held.last = held.recent = 0;
	held.n = 0;
	tally_batch.bottom = 0;
}

/* Whether a frame is there, and the same, as long as the batch lasts: not on the
 * stack, and not in room that is given back after each event. */
static bool stays(const void *at) {
	extern unsigned char __global_base;
	return (uintptr_t)at >= (uintptr_t)&__global_base && (uintptr_t)at < tally_bottom();
}

static bool may_be_held(const tally_text *around, uint32_t n) {
	uint32_t bytes = 0;
	if (n > MOST_TOTALS || !stays(around))
		return false;
	for (uint32_t i = 0; i <= n; i++) {
		bytes += around[i].len;
		if (bytes > MOST_FRAME || (around[i].len > 0 && !stays(around[i].at)))
			return false;
	}
	return true;
}

/* Holds one more key: its room, and all that is below it, stays until all are forgotten. */
static void hold(tally_text key, uint32_t n, tally_held **slot) {
	uint32_t size = (uint32_t)sizeof(tally_held) + n * (uint32_t)sizeof(tally_decimal);
	tally_held *h = tally_room(size + key.len);
	char *at = (char *)h + size;
	__builtin_memcpy(at, key.at, key.len);
	*h = (tally_held){.slot = slot, .n = n, .key = {at, key.len}};
	*slot = h;
	if (held.last != 0)
		held.last->next = h;
	else
		held.first = h;
	held.last = h;
	held.n++;
	tally_batch.bottom = (uintptr_t)tally_mark();
}

/* Has the totals of a key that is held read, unless they are known. */
static bool know(tally_held *h, const tally_text *around, bool *broken) {
	if (h->around == around)
		return true;
	if (!may_be_held(around, h->n))
		return false;
	*broken = !tally_read_totals(h->key, around, h->totals, h->n);
	if (!*broken)
		h->around = around;
	return !*broken;
}

tally_decimal *tally_batch_load(tally_text key, const tally_text *around, uint32_t n, bool *broken) {
	tally_held *h = held.recent;
	*broken = false;
	held.loads++;
	if (h == 0 || !tally_equal_inline(h->key, key)) {
		tally_held **slot = find(key);
		if (*slot == 0) {
			if (!may_be_held(around, n))
				return 0;
			hold(key, n, slot);
		}
		held.recent = h = *slot;
	}
	if (h->n != n || (h->around != 0 && h->around != around)) { /* one key in two frames: past the batch */
		tally_batch_forget(key);
		return 0;
	}
	return know(h, around, broken) ? h->totals : 0;
}

tally_decimal *tally_batch_store(tally_text key, const tally_text *around, uint32_t n) {
	tally_held *h = held.recent;
	if (h == 0 || !tally_equal_inline(h->key, key))
		h = *find(key);
	if (h == 0)
		return 0;
	if (h->around != around || h->n != n) {
		tally_batch_forget(key);
		return 0;
	}
	h->dirty = true;
	return h->totals;
}

/* ---- The batch ---- */

static int32_t fold_all(tally_event *const *events, uint32_t n) {
	for (uint32_t i = 0; i < n; i++) {
		held.loads = 0;
		int32_t result = view_fold(events[i]);
		if (result < 0)
			return result;
		if (held.loads > MOST_LOADS)
			return tally_fail(TALLY_TEXT("an event of so many totals is folded alone"));
		events[i]->result = (uint32_t)result;
		if (held.n >= MOST_HELD || tally_batch.bottom > tally_bottom() + MOST_BYTES) {
			tally_batch_write();
			forget_all();
		}
		tally_release_event();
	}
	tally_batch_write();
	return TALLY_APPLIED;
}

__attribute__((export_name("tally_fold_batch"))) int32_t tally_fold_batch(tally_event *const *events, uint32_t n) {
	tally_batch.on = true;
	int32_t result = fold_all(events, n);
	tally_batch.on = false;
	forget_all();
	tally_release_event();
	return result;
}
