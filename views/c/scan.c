/* Walking the state, page by page. */

#include "abi.h"

/* Reads the next page; false if there are no more keys. A frugal scan lends
 * the room of its last page, and keeps the larger room where that was short. */
static bool turn_page(tally_scan *scan) {
	if (scan->frugal)
		tally_lent = scan->room;
	scan->rest = tally_scan_page(scan);
	tally_lent.len = 0;
	if (scan->frugal && scan->rest.len > scan->room.len)
		scan->room = scan->rest;
	return scan->rest.len > 0;
}

/* Takes the entry that scan->rest starts with. */
static void take_entry(tally_scan *scan, tally_text *key, tally_text *value) {
	uint32_t len[2];
	__builtin_memcpy(len, scan->rest.at, sizeof len); /* entries are not padded */
	*key = (tally_text){scan->rest.at + sizeof len, len[0]};
	*value = (tally_text){key->at + len[0], len[1]};
	scan->rest.len -= (uint32_t)sizeof len + len[0] + len[1];
	scan->rest.at = value->at + len[1];
	scan->after = *key;
}

bool tally_scan_next(tally_scan *scan, tally_text *key, tally_text *value) {
	if (scan->rest.len == 0 && !turn_page(scan))
		return false;
	take_entry(scan, key, value);
	return true;
}

void tally_scan_seek(tally_scan *scan, tally_text after) {
	tally_text key, value;
	while (scan->rest.len > 0) {
		tally_text rest = scan->rest;
		take_entry(scan, &key, &value);
		if (tally_less(after, key)) {
			scan->rest = rest;
			return;
		}
	}
	scan->after = after;
}
