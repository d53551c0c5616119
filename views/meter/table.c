#include "table.h"

uint64_t hash_text(uint64_t seed, tally_text text) {
	uint64_t hash = seed ^ 0xCBF29CE484222325; /* FNV-1a, and a last mix for the low bits */
	for (uint32_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.at[i]) * 0x100000001B3;
	return hash ^ hash >> 32;
}

entry *table_first(const table *table, uint64_t hash) {
	return table->size == 0 ? 0 : table->slots[hash & (table->size - 1)];
}

static void insert(table *table, entry *added) {
	entry **slot = &table->slots[added->hash & (table->size - 1)];
	added->next = *slot;
	*slot = added;
}

static void grow(table *grown) {
	enum { FIRST_SIZE = 64 };
	table before = *grown;
	grown->size = before.size == 0 ? FIRST_SIZE : before.size * 2;
	grown->slots = tally_room(grown->size * (uint32_t)sizeof *grown->slots);
	for (uint32_t i = 0; i < grown->size; i++)
		grown->slots[i] = 0;
	for (uint32_t i = 0; i < before.size; i++)
		for (entry *moved = before.slots[i], *next; moved != 0; moved = next) {
			next = moved->next;
			insert(grown, moved);
		}
}

void table_add(table *table, entry *added) {
	if (table->len == table->size)
		grow(table);
	table->len++;
	insert(table, added);
}
