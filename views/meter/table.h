/* A hash table of entries that their owners allocate. */

#ifndef METER_TABLE_H
#define METER_TABLE_H

#include "../c/tally.h"

/* The first member of what is kept in a table. */
typedef struct entry {
	struct entry *next;
	uint64_t hash;
} entry;

typedef struct {
	entry **slots;
	uint32_t size;
	uint32_t len;
} table;

uint64_t hash_text(uint64_t seed, tally_text text);

/* The entries of a hash, and perhaps others, follow each other by `next`. */
entry *table_first(const table *table, uint64_t hash);
void table_add(table *table, entry *added);

#endif
