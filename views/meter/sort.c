#include "rows.h"

static bool comes_before(const row *a, const row *b) {
	if (a->group == b->group)
		return a->start < b->start;
	return tally_less(a->group->key, b->group->key);
}

/* Most rows are met in their order. */
static bool is_sorted(const row_list *rows) {
	for (uint32_t i = 1; i < rows->len; i++)
		if (comes_before(rows->at[i], rows->at[i - 1]))
			return false;
	return true;
}

void sort_rows(row_list *rows, effort *effort) {
	enum { COMPARE_GAS = 400 };
	row **from = rows->at, **to;
	if (is_sorted(rows))
		return;
	to = tally_room(rows->len * (uint32_t)sizeof *to);
	for (uint32_t run = 1; run < rows->len; run *= 2) {
		effort->used += (int64_t)rows->len * COMPARE_GAS;
		for (uint32_t start = 0; start < rows->len; start += 2 * run) {
			uint32_t middle = start + run < rows->len ? start + run : rows->len;
			uint32_t end = middle + run < rows->len ? middle + run : rows->len;
			for (uint32_t out = start, a = start, b = middle; out < end; out++)
				to[out] = a < middle && (b == end || !comes_before(from[b], from[a])) ? from[a++] : from[b++];
		}
		row **swapped = from;
		from = to;
		to = swapped;
	}
	rows->at = from;
}
